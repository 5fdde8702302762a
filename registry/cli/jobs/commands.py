"""Jobs for an operator's scheduler: sweep, purge, verify, remind, ask for routing rules again."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from registry.cli.options import in_json, with_age
from registry.cli.output import print_json
from registry.cli.services import routing, worker_services
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.services.retention.reading_pace import ReadingPace
from registry.terminal.numbers import EnterpriseNumberType
from registry.terminal.screen import Count, show_count

if TYPE_CHECKING:
    from registry.services.retention.document_check import DocumentFault
    from registry.services.retention.purge import ErasureReport

# Messages that are deleted in one transaction. The worker takes fewer, since it goes on all day and
# leaves time for readers; this runs at an hour of the operator's choice.
_BATCH: Final = 500


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list; delete nothing.")
@with_age(
    "Leave what began later. A publication under way is refused at its end when this is shorter "
    "than it takes."
)
def sweep(*, dry_run: bool, older_than: int) -> None:
    """Delete the documents of uploads that no message has claimed, and unfinished ones.

    They are what a publication leaves that was cut off by a crash. Prints the key of each. Only
    what this database has noted is deleted; `registry fsck` finds what it does not know.

    Example: registry jobs sweep --dry-run --older-than 48
    """
    age = timedelta(hours=older_than)
    with worker_services("documents") as services, show_count() as show:
        keys = services.sweep.preview(age) if dry_run else services.sweep.sweep(age)
        count, is_over = 0, False
        try:
            for key in keys:
                click.echo(key)
                count += 1
                show(count)
            is_over = True
        finally:
            if count or is_over:
                # On standard error, so that standard output is a list of keys and nothing else.
                what = "document or unfinished upload" if count == 1 else "documents and uploads"
                click.echo(f"{count} {what} {'would be' if dry_run else 'were'} deleted.", err=True)
        if leftovers := services.sweep.count_restored(age):
            what = f"{leftovers} of before the database was restored were left for registry fsck."
            click.echo(what, err=True)


@click.command()
@click.argument("enterprises", nargs=-1, required=True, type=EnterpriseNumberType())
def route(enterprises: tuple[EnterpriseNumber, ...]) -> None:
    """Ask for the routing rules of ENTERPRISES again, and route what waits for them.

    Exit code 1 when the Partition API gave no answer for one of them.

    Example: registry jobs route 0412398765
    """
    silent = 0
    with routing() as service:
        # All of them before the exit code: one without an answer keeps no other waiting.
        for number in enterprises:
            is_known = service.refresh(Ebox(EboxKind.ENTERPRISE, number.digits))
            silent += not is_known
            result = "its rules are known, nothing waits" if is_known else "nobody tells its rules"
            click.echo(f"{number}: {result}.")
    if silent:
        raise click.ClickException(f"No answer for {silent} of {len(enterprises)}.")


@click.command()
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

    Example: registry jobs purge --limit 20
    """
    with worker_services("documents", "hash key") as services, show_count() as show:
        services.clock_check.require()  # by a wrong one, messages would go before they expire
        # Messages first: a document may go only when no message has it any longer.
        batches = services.purge.purge_all(_BATCH)
        _run(islice(batches, limit), show, "Messages deleted: {}.")
        _erase(islice(services.purge.erase_all(), limit), show)


@click.command()
@click.option(
    "--rate",
    metavar="MIB",
    type=click.IntRange(1, 1 << 20),
    help="Read at most so many MiB a second; else REGISTRY_DOCUMENT_CHECK_RATE, which is in bytes.",
)
@in_json
def verify(*, rate: int | None, is_json: bool) -> None:
    """Read every stored document, and compare it with the digest that it was filed with.

    Goes on where the worker, or this command, has come to in the round under way; when there is
    none, a new one begins. Prints the key of each document that storage has altered or lost, and a
    message that has it; exit code 1 if there is one. Ctrl-C loses nothing: the next run goes on.

    Example: registry jobs verify --rate 50
    """
    faults: list[DocumentFault] = []
    documents, size = 0, 0
    with worker_services("documents") as services, show_count() as show:
        check = services.document_check
        if check.is_under_way():
            raise click.ClickException(
                "Another process is reading them; try again in some minutes."
            )
        pace = ReadingPace(rate << 20 if rate else check.rate, lambda: False)
        try:
            for report in check.check_all(pace):
                documents += report.documents
                size += report.size
                show(documents)
                for fault in report.faults:
                    faults.append(fault)
                    if not is_json:
                        click.echo(_describe(fault))
        finally:
            if is_json:
                members = [_make_members(fault) for fault in faults]
                print_json({"documents": documents, "bytes": size, "faults": members})
            else:
                # On standard error, so that standard output is a list of faults and nothing else.
                click.echo(f"Documents read: {documents}, with {size} bytes.", err=True)
    if faults:
        raise click.ClickException(f"{len(faults)} of {documents} are not as they were filed.")


@click.command()
def remind() -> None:
    """Remind of messages that nobody has read, and alert before they expire.

    Puts events into the outbox, each message once. For those who do not run the worker.

    Example: registry jobs remind
    """
    with worker_services("reminders") as services, show_count() as show:
        services.clock_check.require()
        _run(services.reminders.remind_all(), show, "Reminders: {}.")
        _run(services.reminders.alert_all(), show, "Alerts: {}.")


def _describe(fault: "DocumentFault") -> str:
    what = "altered" if fault.is_altered else "unavailable"
    return f"{what} {fault.key}, of message {fault.message_id}"


def _make_members(fault: "DocumentFault") -> dict[str, str]:
    what = "altered" if fault.is_altered else "unavailable"
    return {"fault": what, "key": fault.key, "messageId": str(fault.message_id)}


def _run(batches: Iterable[int], show: Count, summary: str) -> None:
    """Do all batches, and say how many there were in them, whatever happens."""
    total = 0
    try:
        for count in batches:
            total += count
            show(total)
    finally:
        click.echo(summary.format(total))


def _erase(reports: Iterable["ErasureReport"], show: Count) -> None:
    """Have storage forget documents, and say what became of them, whatever happens."""
    erasures, in_use, in_retention = 0, 0, 0
    try:
        for report in reports:
            erasures += report.erasures
            in_use += report.in_use
            in_retention += report.in_retention
            show(erasures)
    finally:
        others = f"still of other messages: {in_use}, kept by storage for now: {in_retention}"
        click.echo(f"Documents erased: {erasures}; {others}.")
