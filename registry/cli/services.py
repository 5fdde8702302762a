"""The services while a command needs them, and how it says how far it is."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from registry import wiring
from registry.domain.errors import RegistryError
from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings
from registry.wiring import Registry
from registry.wiring.worker import WorkerServices, assemble_worker

Tell = Callable[[int], None]


@contextmanager
def service() -> Iterator[Registry]:
    """The service, through the application's role."""
    with _told_in_one_line():
        registry = wiring.assemble(Settings.load(os.environ), lambda *_: None)
        try:
            yield registry
        finally:
            registry.dispose()


@contextmanager
def worker_services() -> Iterator[WorkerServices]:
    """What looks across e-Boxes, through the worker's role."""
    with _told_in_one_line():
        assembled = assemble_worker(Settings.load(os.environ))
        try:
            yield assembled
        finally:
            assembled.dispose()


@contextmanager
def counted() -> Iterator[Tell]:
    """A count on standard error, only where somebody looks at it."""
    shown = (SpinnerColumn(), TextColumn("{task.completed:.0f} so far"), TimeElapsedColumn())
    with progress(*shown) as bar:
        task = bar.add_task("", total=None)
        yield lambda count: bar.update(task, completed=count)


def progress(*columns: ProgressColumn) -> Progress:
    """Progress on standard error, only where somebody looks at it."""
    console = Console(stderr=True)
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else what is printed would end on standard error
    )


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except (KeyUnusable, RegistryError) as error:
        raise click.ClickException(str(error)) from None
