"""Progress of checks, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registry.terminal.screen import make_progress

if TYPE_CHECKING:
    from registry.diagnosis.report import Progress


@contextmanager
def show_checks() -> Iterator["Progress"]:
    """Show how many have answered, and who was the last; gives the ears for that."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("asked"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    from registry.diagnosis.report import Progress

    with make_progress(*columns) as bar:
        task = bar.add_task("", total=None)
        yield Progress(
            lambda count: bar.update(task, total=count),
            lambda name: bar.update(task, advance=1, description=name),
        )
