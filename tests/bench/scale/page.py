"""The page of a run, with its plots, and the list of all runs; both from the JSON files alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.bench.scale.plots import draw_comparison, draw_verdicts

_LIST: Final = ("<!-- runs -->", "<!-- /runs -->")


def write_page(path: Path) -> Path:
    """Write the page and the plots of a JSON file beside it; gives the page."""
    document = json.loads(path.read_text())
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    plots = {"verdicts": draw_verdicts(document["verdicts"])}
    for comparison in document["comparisons"]:
        plots[_slug(comparison["title"])] = draw_comparison(comparison)
    for name, content in plots.items():
        (folder / f"{name}.svg").write_text(content)
    page = path.with_suffix(".md")
    page.write_text("\n".join(_write(document, folder.name, list(plots))) + "\n")
    return page


def list_runs(folder: Path) -> None:
    """Bring the list of runs in README.md of the folder up to date, the newest first."""
    readme = folder / "README.md"
    opening, closing = _LIST
    before, _, rest = readme.read_text().partition(opening)
    after = rest.partition(closing)[2]
    lines = []
    for path in sorted(folder.glob("*.json"), reverse=True):
        document = json.loads(path.read_text())
        kept = sum(each["holds"] for each in document["verdicts"])
        lines.append(
            f"- [{path.stem}]({path.stem}.md): `make {document['kind']}`, {kept} of"
            f" {len(document['verdicts'])} promises kept"
        )
    readme.write_text("\n".join([before + opening, *lines, closing]) + after)


def _write(document: dict[str, Any], folder: str, plots: list[str]) -> Iterator[str]:
    conditions = document["conditions"]
    yield f"# {document['date']}: `make {document['kind']}`\n"
    yield f"{conditions['remark']}\n" if conditions["remark"] else ""
    yield from _write_conditions(conditions)
    yield "\n## What was promised\n"
    yield f"![]({folder}/verdicts.svg)\n"
    yield "| figure | measured | limit | holds | from |"
    yield "|---|---|---|---|---|"
    for each in document["verdicts"]:
        yield _write_verdict(each)
    yield from _write_evidence(document["verdicts"])
    yield "\n## Beside each other\n"
    yield "Each value with its ratio to the first, which is the baseline of the same run.\n"
    for name in plots[1:]:
        yield f"![]({folder}/{name}.svg)\n"


def _write_conditions(conditions: dict[str, Any]) -> Iterator[str]:
    loads = ", ".join(f"{name} {value:.1f}" for name, value in conditions["loadAverage"].items())
    settings = ", ".join(
        f"{name} {value}" for name, value in conditions["postgresSettings"].items()
    )
    yield f"- {conditions['processors']} processors ({conditions['processor']}),"
    yield f"  {conditions['memoryGiB']} GiB; everything on one machine, the load with it"
    yield f"- commit {conditions['commit']}, Python {conditions['python']}"
    yield f"- PostgreSQL {conditions['postgres']}: {settings}"
    yield f"- load average (ours is in it): {loads}"
    for name, facts in conditions["databases"].items():
        steps = ", ".join(f"{step} {took:.0f} s" for step, took in facts["secondsToMake"].items())
        sizes = facts["bytesAMessage"]
        weights = ", ".join(f"{table} {size}" for table, size in sizes.items())
        yield f"- {name}: {facts['messages']:,} messages, {facts['whale']:,} of them the whale's;"
        yield f"  made in: {steps}; {sum(sizes.values()):,} bytes a message: {weights}"


def _write_verdict(each: dict[str, Any]) -> str:
    figure = f"{each['figure']:.2f}"
    if each["spread"]:
        figure += f" ({each['spread'][0]:.2f} to {each['spread'][1]:.2f})"
    sign = "≥" if each["moreIsBetter"] else "≤"
    parts = "; ".join(f"{name} {value:,.2f}" for name, value in each["parts"].items())
    holds = "yes" if each["holds"] else "**no**"
    return f"| {each['what']} | {figure} | {sign} {each['limit']:g} | {holds} | {parts} |"


def _write_evidence(verdicts: list[dict[str, Any]]) -> Iterator[str]:
    missed = [each for each in verdicts if not each["holds"] and each["evidence"]]
    if missed:
        yield "\nWhere PostgreSQL spent the time of what does not hold:\n"
    for each in missed:
        yield f"- {each['what']}: `{each['evidence'].replace('`', ' ')}`"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
