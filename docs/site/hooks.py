"""What MkDocs cannot do by itself: pages of other folders, and links as they are in the repository.

In the repository every link leads to a file. Of the files that the site has, the link leads to the
page; of others, such as a Grafana dashboard, only the words stay. A link that leads nowhere is a
warning, with which `make docs` fails.
"""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
RUNBOOKS = Path("deploy", "runbooks")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
_log = logging.getLogger("mkdocs.plugins.site")  # by which MkDocs counts warnings


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add to the navigation what is not named in it."""
    runbooks = [_to_source(path) for path in _list_runbooks()]
    decisions = sorted(f"adr/{path.name}" for path in (ROOT / "docs" / "adr").glob("*.md"))
    nav: list[Any] = config.nav or []
    chapters = {name: pages for item in nav for name, pages in item.items()}
    chapters["Operators"].append({"Runbooks": sorted(runbooks, key=_put_index_first)})
    chapters["The house"].append({"Decisions": sorted(decisions, key=_put_index_first)})
    chapters["Measured"] += sorted(_list_pages("benchmarks/*.md"))
    text = (ROOT / "mkdocs.yml").read_text() + str(nav)
    more = [page for page in sorted(_list_pages("*.md")) if page not in text]
    if more:
        nav.append({"More": more})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the runbooks, below `runbooks/`."""
    for path in _list_runbooks():
        source = str(ROOT / path)
        files.append(File.generated(config, _to_source(path), abs_src_path=source))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Have links lead where they lead in the repository."""
    here = _to_repository(page.file.src_uri)

    def lead(match: re.Match[str]) -> str:
        mark, words, target, anchor = match.groups(default="")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        if not (ROOT / path).exists():
            _log.warning("%s: a link to %s leads nowhere", here, target)
            return match[0]
        if (ROOT / path).is_dir():
            path = f"{path}/README.md"
        source = _to_source(Path(path))
        if files.get_file_from_path(source) is None:
            return words
        start = posixpath.dirname(page.file.src_uri)
        return f"{mark}[{words}]({posixpath.relpath(source, start or '.')}{anchor})"

    return _LINK.sub(lead, markdown)


def _list_runbooks() -> list[Path]:
    return [path.relative_to(ROOT) for path in sorted((ROOT / RUNBOOKS).rglob("*.md"))]


def _list_pages(pattern: str) -> list[str]:
    docs = ROOT / "docs"
    return [path.relative_to(docs).as_posix() for path in docs.glob(pattern)]


def _to_source(path: Path) -> str:
    """Give the name in the site of a file of the repository."""
    for folder, name in ((RUNBOOKS, "runbooks"), (Path("docs"), ".")):
        if path.is_relative_to(folder):
            return (Path(name) / path.relative_to(folder)).as_posix()
    return path.as_posix()


def _to_repository(source: str) -> str:
    """Give the path in the repository of a page of the site."""
    path = Path(source)
    if path.parts[0] == "runbooks":
        return (RUNBOOKS / path.relative_to("runbooks")).as_posix()
    return (Path("docs") / path).as_posix()


def _put_index_first(page: str) -> tuple[str, bool, str]:
    folder, _, name = page.rpartition("/")
    return folder, name != "README.md", name
