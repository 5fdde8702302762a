"""What an operator's scheduler runs: sweep, purge, remind, ask for routing rules again."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any, Final

import click

from registry.cli.services import Tell, counted, service, worker_services
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.services.retention.purge import ErasureReport, Purge

_LONGEST: Final = 10 * 366 * 24  # hours
_BATCH: Final = 500  # messages that are deleted in one transaction


class _Enterprise(click.ParamType[Ebox]):
    """Reads an enterprise number as the e-Box of that enterprise."""

    name = "enterprise"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Ebox:
        """Read one value, with or without dots."""
        try:
            number = EnterpriseNumber.parse(str(value).replace(".", ""), check_digits=False)
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
    with service() as registry, counted() as tell:
        keys = registry.uploads.preview_sweep(age) if dry_run else registry.uploads.sweep(age)
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
    with service() as registry:
        for ebox in enterprises:
            is_known = registry.routing.refresh(ebox)
            silent += not is_known
            told = "its rules are known, nothing waits" if is_known else "nobody tells its rules"
            click.echo(f"{ebox.number}: {told}.")
    if silent:
        raise click.ClickException(f"No answer for {silent} of {len(enterprises)}.")


@jobs.command()
@click.option(
    "--limit",
    metavar="BATCHES",
    type=click.IntRange(1),
    help=f"End after so many batches of {_BATCH} messages, and so many of documents; else with "
    "the last that is due.",
)
def purge(*, limit: int | None) -> None:
    """Delete the messages that have expired, with a proof of each, and then their documents.

    What is under a legal hold stays, and a document that storage must still keep. For those who do
    not run the worker, which does this all the time.
    """
    with worker_services() as services, counted() as tell:
        one = partial(services.purge.purge, _BATCH)
        _drain(one, limit, tell, "Messages deleted: {}.")
        _erase(services.purge, limit, tell)


@jobs.command()
def remind() -> None:
    """Remind of messages that nobody has read, and alert before they expire.

    Puts events into the outbox, each message once. For those who do not run the worker.
    """
    with worker_services() as services, counted() as tell:
        _drain(services.reminders.remind, None, tell, "Reminders: {}.")
        _drain(services.reminders.alert, None, tell, "Alerts: {}.")


def _drain(batch: Callable[[], int], limit: int | None, tell: Tell, told: str) -> None:
    """Do batches until one does nothing, and say how many there were, whatever happens."""
    count = 0
    try:
        for done in islice(iter(batch, 0), limit):
            count += done
            tell(count)
    finally:
        click.echo(told.format(count))


def _erase(purge: Purge, limit: int | None, tell: Tell) -> None:
    """Have storage forget documents, until none is left to look at."""
    erasures, in_use, in_retention = 0, 0, 0
    try:
        for report in islice(iter(purge.erase, ErasureReport()), limit):
            erasures += report.erasures
            in_use += report.in_use
            in_retention += report.in_retention
            tell(erasures)
    finally:
        others = f"still of other messages: {in_use}, kept by storage for now: {in_retention}"
        click.echo(f"Documents erased: {erasures}; {others}.")
