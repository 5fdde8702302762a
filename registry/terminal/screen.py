"""Consoles and progress bars: for whoever looks at a terminal, and for pipes."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

Count = Callable[[int], None]

_WIDTH_OF_PIPES: Final = 240  # columns: in a file, a wrapped table is of no use to anybody


def make_console() -> "Console":
    """Make a console on standard output, as wide as the terminal, or wide where there is none."""
    from rich.console import Console

    is_sized = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if is_sized else _WIDTH_OF_PIPES, markup=False, emoji=False)


def make_progress(*columns: "ProgressColumn") -> "Progress":
    """Make progress bars on standard error, which show only where somebody looks at it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else what is printed would end on standard error
    )


@contextmanager
def show_spinner(what: str) -> Iterator[None]:
    """Show that something is under way, and for how long, until the end of the block."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with make_progress(SpinnerColumn(), TextColumn(what), TimeElapsedColumn()) as bar:
        bar.add_task("", total=None)
        yield


@contextmanager
def show_count() -> Iterator[Count]:
    """Show how many there are so far, until the end of the block; gives what to call with it."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} so far"), TimeElapsedColumn())
    with make_progress(*columns) as bar:
        task = bar.add_task("", total=None)
        yield lambda count: bar.update(task, completed=count)
