"""`python -m tests.bench.scale`: fill databases, measure, judge, and write the page of the run.

Exit codes: 0 when every promise was kept, 1 when one was not, 130 when it was interrupted.
"""

import fcntl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from registry.sandbox.servers.processes import Interrupted, StartFailed
from tests.bench.scale.bench import Bench
from tests.bench.scale.company import measure_company
from tests.bench.scale.conditions import Conditions
from tests.bench.scale.costs import measure_costs, measure_kinto
from tests.bench.scale.documents import measure_documents
from tests.bench.scale.eboxes import Population
from tests.bench.scale.generator import Generator
from tests.bench.scale.growth import measure_growth
from tests.bench.scale.memory import measure_memory
from tests.bench.scale.meters import load_average
from tests.bench.scale.page import list_runs, write_page
from tests.bench.scale.progress import say
from tests.bench.scale.results import FOLDER, make_document, write_document
from tests.bench.scale.site import Site, drop_folder
from tests.bench.scale.trail import measure_trail

_PARTS: Final[Mapping[str, Callable[[Bench], None]]] = {
    "costs": measure_costs,
    "growth": measure_growth,
    "kinto": measure_kinto,
    "documents": measure_documents,
    "company": measure_company,
    "trail": measure_trail,
}


@click.command()
@click.option("--kind", default="bench", show_default=True, help="The target of make.")
@click.option(
    "--messages", multiple=True, type=click.IntRange(10_000), default=(10_000, 1_000_000),
    show_default=True, help="Of each database, the fewest first; repeatable.",
)  # fmt: skip
@click.option("--part", "parts", multiple=True, type=click.Choice(list(_PARTS)), help="Only this.")
@click.option("--memory", type=float, help="Measure memory alone, under load for so many minutes.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(2))
@click.option("--seconds", default=2.0, show_default=True, help="Of each kind in a round.")
@click.option(
    "--dir", "folder", envvar="BENCH_DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Keep the databases here and use them again; else they are dropped.",
)  # fmt: skip
@click.option(
    "--output", default=FOLDER, type=click.Path(path_type=Path, file_okay=False),
    help="Where the JSON file, the page and its plots go.",
)  # fmt: skip
@click.option("--remark", default="", help="A sentence about the conditions, for the page.")
def main(  # noqa: PLR0913 - each by name
    *,
    kind: str,
    messages: tuple[int, ...],
    parts: tuple[str, ...],
    memory: float | None,
    rounds: int,
    seconds: float,
    folder: Path | None,
    output: Path,
    remark: str,
) -> None:
    """Measure the promises about scale, and say with the exit code whether all of them hold.

    Databases are filled first, with COPY; then each part compares things in turn, and says what it
    found as it goes.

    Example: python -m tests.bench.scale --messages 10000 --messages 100000 --part growth
    """
    populations = [Population(count) for count in sorted(messages)]
    names = parts or tuple(_PARTS)
    begin, beginning = time.monotonic(), load_average()
    try:
        with _working_folder(folder) as area, Site(area, populations) as site:
            with Generator() as generator:
                bench = Bench(site, generator, rounds=rounds, seconds=seconds)
                loads = _measure(bench, names, memory)
            conditions = Conditions(beginning, loads).as_members(site, remark)
    except (Interrupted, KeyboardInterrupt):
        click.echo("Stopped; nothing was written.", err=True)
        sys.exit(130)
    except StartFailed as error:
        raise click.ClickException(str(error)) from None
    path = write_document(make_document(kind, bench.findings, conditions), output)
    page = write_page(path)
    if (output / "README.md").exists():
        list_runs(output)
    broken = [each for each in bench.findings.verdicts if not each.holds]
    took = time.monotonic() - begin
    say(f"{page}: {len(broken)} of {len(bench.findings.verdicts)} do not hold; {took / 60:.1f} min")
    sys.exit(1 if broken else 0)


def _measure(bench: Bench, names: tuple[str, ...], minutes: float | None) -> dict[str, float]:
    """Measure the parts; gives the load average before each."""
    loads = {}
    if minutes is not None:
        loads["memory"] = load_average()
        measure_memory(bench, minutes)
        return loads
    for name in names:
        loads[name] = load_average()
        say(f"— {name} (load average {loads[name]:.1f})")
        _PARTS[name](bench)
    return loads


@contextmanager
def _working_folder(folder: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that goes again."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise click.ClickException(f"{folder} is used by another run.") from None
            yield folder
        return
    area = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    area.chmod(0o711)  # PostgreSQL's user passes through
    try:
        yield area
    finally:
        drop_folder(area)


if __name__ == "__main__":
    main()
