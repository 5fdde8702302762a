"""What an operator's scheduler runs: sweep what nobody claimed, ask for routing rules again."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from registry import wiring
from registry.domain.errors import RegistryError
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.federation.keys import KeyUnusable
from registry.settings import Settings
from registry.wiring import Registry

_LONGEST: Final = 10 * 366 * 24  # hours


class _Enterprise(click.ParamType[Ebox]):
    """Reads an enterprise number as the e-Box of that enterprise."""

    name = "enterprise"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Ebox:
        """Read one value, with or without dots."""
        try:
            number = EnterpriseNumber.parse(str(value).replace(".", ""), checked=False)
        except Malformed as error:
            self.fail(str(error), param, ctx)
        return Ebox(EboxKind.ENTERPRISE, number.digits)


@click.group()
def jobs() -> None:
    """Do what has to be done now and then; every job may run beside the service."""


@jobs.command()
@click.option("--dry-run", is_flag=True, help="Only list; delete nothing.")
@click.option(
    "--older-than",
    metavar="HOURS",
    type=click.IntRange(0, _LONGEST),
    default=24,
    show_default=True,
    help="Leave what is younger. A publication under way loses its documents when this is shorter "
    "than it takes.",
)
def sweep(*, dry_run: bool, older_than: int) -> None:
    """Delete stored documents that no message has claimed, and uploads never finished.

    They are what a publication leaves that was cut off by a crash. Prints the key of each.
    """
    age = timedelta(hours=older_than)
    with _assembled() as registry, _counted() as tell:
        keys = registry.staging.waiting(age) if dry_run else registry.staging.sweep(age)
        count = 0
        try:
            for key in keys:
                click.echo(key)
                count += 1
                tell(count)
        finally:
            what = "document or unfinished upload" if count == 1 else "documents and uploads"
            click.echo(f"{count} {what} {'would be' if dry_run else 'were'} deleted.", err=True)


@jobs.command()
@click.argument("enterprises", nargs=-1, required=True, type=_Enterprise())
def route(enterprises: tuple[Ebox, ...]) -> None:
    """Ask for the routing rules of ENTERPRISES again, and route the messages that wait for them.

    Exit code 1 when the Partition API gave no answer for one of them.
    """
    silent = 0
    with _assembled() as registry:
        for ebox in enterprises:
            is_known = registry.routing.refresh(ebox)
            silent += not is_known
            told = "its rules are known, nothing waits" if is_known else "nobody tells its rules"
            click.echo(f"{ebox.number}: {told}.")
    if silent:
        raise click.ClickException(f"No answer for {silent} of {len(enterprises)}.")


@contextmanager
def _assembled() -> Iterator[Registry]:
    """The service while a job needs it; what goes wrong is told in one line."""
    settings = Settings.load(os.environ)
    try:
        registry = wiring.assemble(settings, lambda *_: None)
        try:
            yield registry
        finally:
            registry.dispose()
    except (KeyUnusable, RegistryError) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _counted() -> Iterator[Any]:
    """A count on standard error, only where somebody looks at it."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} so far"), TimeElapsedColumn())
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else the keys would end on standard error
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda count: bar.update(task, completed=count)
