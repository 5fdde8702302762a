"""Legal holds: nothing of a message or an e-Box is deleted until the hold is lifted."""

import os
from typing import Final
from uuid import UUID

import click

from registry.cli.asking import Discreet, in_json, reasoned
from registry.cli.hold import output as texts
from registry.cli.output import as_json, tabulate
from registry.cli.services import counted, worker_services
from registry.domain.errors import RegistryError
from registry.domain.identifiers import Ebox
from registry.services.retention.legal_holds import LegalHolds
from registry.settings import Settings

_WHY: Final = "Case or decision; kept with the hold."


@click.group(cls=Discreet)
def hold() -> None:
    """Keep messages from being deleted while the law asks for it.

    A held message expires as ever, and nobody reads it any longer, but it is not deleted. Where
    documents are under S3 Object Lock they are held there too. Numbers of citizens are never shown.
    """


@hold.command("set")
@click.option("--ebox", required=True, type=texts.EboxOption(), help="Whose e-Box.")
@click.option("--message", type=click.UUID, help="This message alone; else all it has and gets.")
@reasoned(_WHY)
@in_json
def set_(*, ebox: Ebox, message: UUID | None, why: str, is_json: bool) -> None:
    """Hold a message, or a whole e-Box with what comes later."""
    with worker_services() as services:
        hold_id = services.legal_holds.set(ebox, message, why)
        if not is_json:
            click.echo(f"Hold {hold_id} is set on {texts.what(ebox, message)}.")
        _carry_out(services.legal_holds, hold_id, is_json=is_json)


@hold.command()
@click.argument("hold_id", type=click.UUID)
@reasoned(_WHY)
@in_json
def lift(*, hold_id: UUID, why: str, is_json: bool) -> None:
    """End a hold; what expired meanwhile is deleted at the next purge, unless held otherwise."""
    with worker_services() as services:
        lifted = services.legal_holds.lift(hold_id, why)
        if not is_json:
            what = texts.what(lifted.ebox, lifted.message_id)
            click.echo(f"Hold {hold_id} is lifted from {what}.")
        _carry_out(services.legal_holds, hold_id, is_json=is_json)


@hold.command()
@click.argument("hold_id", type=click.UUID)
@in_json
def refresh(*, hold_id: UUID, is_json: bool) -> None:
    """Tell storage again what a hold asks for: to hold its documents, or to let them go.

    For a hold in force, and for one that was lifted, when storage did not answer then. A hold on an
    e-Box comes to hold the documents that arrived since, too.
    """
    with worker_services() as services:
        _carry_out(services.legal_holds, hold_id, is_json=is_json)


@hold.command("list")
@click.option("--all", "lifted", is_flag=True, help="Also those that were lifted.")
@in_json
def list_(*, lifted: bool, is_json: bool) -> None:
    """List the holds in force, the oldest first."""
    with worker_services() as services:
        found = services.legal_holds.list_holds(with_lifted=lifted)
    if is_json:
        as_json([texts.members(row) for row in found])
    elif found:
        tabulate(texts.HEADINGS, [texts.line(row) for row in found])
    else:
        click.echo("There is no hold." if lifted else "No hold is in force.")


def _carry_out(legal_holds: LegalHolds, hold_id: UUID, *, is_json: bool) -> None:
    """Have storage follow the database, and say how many documents did."""
    row = legal_holds.find(hold_id)
    has_lock = Settings.load(os.environ).s3_object_lock is not None
    count, trouble = 0, None
    try:
        with counted() as tell:
            follow = (
                legal_holds.hold_documents if row.lifted_at is None else legal_holds.free_documents
            )
            for count, _ in enumerate(follow(row.ebox, row.message_id), 1):
                tell(count)
    except RegistryError as error:
        trouble = error
    if is_json:
        outcome = {"documents": count, "hasObjectLock": has_lock, "isComplete": trouble is None}
        as_json({**texts.members(row), **outcome})
    if trouble is not None:
        raise click.ClickException(texts.advice(row, trouble, count))
    if not is_json:
        click.echo(texts.outcome(row, count, has_lock=has_lock))
