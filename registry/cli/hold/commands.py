"""Legal holds: nothing of a message or an e-Box is deleted until the hold is lifted."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from registry.cli.hold import output as texts
from registry.cli.operator import named_operator
from registry.cli.options import in_json, with_reason
from registry.cli.output import print_json, print_table
from registry.cli.services import worker_services
from registry.domain.errors import RegistryError
from registry.terminal.numbers import EboxType
from registry.terminal.screen import show_count

if TYPE_CHECKING:
    from registry.domain.identifiers import Ebox
    from registry.settings.part import PartName
    from registry.wiring.operators import OperatorServices

_NEEDS: Final[tuple["PartName", ...]] = ("documents", "hash key")
_WHY: Final = "Case or decision; kept with the hold."


@click.command("set")
@click.option(
    "--ebox", required=True, type=EboxType(check_digits=True), help="The e-Box of this owner."
)
@click.option("--message", type=click.UUID, help="This message alone; else all it has and gets.")
@with_reason(_WHY)
@named_operator
@in_json
def set_(*, ebox: "Ebox", message: UUID | None, why: str, is_json: bool) -> None:
    """Hold a message, or a whole e-Box with what comes later.

    Example: registry hold set --ebox enterprise:0412398765 --why "Case 2026/117"
    """
    with worker_services(*_NEEDS) as services:
        hold_id = services.legal_holds.set(ebox, message, why)
        # Before storage is asked, which may not answer: `refresh` needs this id.
        if not is_json:
            click.echo(f"Hold {hold_id} is set on {texts.describe_scope(ebox, message)}.")
        _carry_out(services, hold_id, is_json=is_json)


@click.command()
@click.argument("hold_id", type=click.UUID)
@with_reason(_WHY)
@named_operator
@in_json
def lift(*, hold_id: UUID, why: str, is_json: bool) -> None:
    """End a hold; what expired meanwhile is deleted at the next purge, unless held otherwise.

    Example: registry hold lift 0f3b1c7e-6d1e-4c57-9b0a-6f1d2c3b4a59 --why "Case closed"
    """
    with worker_services(*_NEEDS) as services:
        hold_row = services.legal_holds.lift(hold_id, why)
        if not is_json:
            scope = texts.describe_scope(hold_row.ebox, hold_row.message_id)
            click.echo(f"Hold {hold_id} is lifted from {scope}.")
        _carry_out(services, hold_id, is_json=is_json)


@click.command()
@click.argument("hold_id", type=click.UUID)
@in_json
def refresh(*, hold_id: UUID, is_json: bool) -> None:
    """Tell storage again what a hold asks for: to hold its documents, or to let them go.

    For a hold in force, and for one that was lifted, when storage did not answer then. A hold on an
    e-Box comes to hold the documents that arrived since, too.

    Example: registry hold refresh 0f3b1c7e-6d1e-4c57-9b0a-6f1d2c3b4a59
    """
    with worker_services("documents") as services:
        _carry_out(services, hold_id, is_json=is_json)


@click.command("list")
@click.option("--all", "with_lifted", is_flag=True, help="Also those that were lifted.")
@in_json
def list_(*, with_lifted: bool, is_json: bool) -> None:
    """List the holds in force, the oldest first.

    Example: registry hold list --all
    """
    with worker_services() as services:
        holds = services.legal_holds.list_holds(with_lifted=with_lifted)
    if is_json:
        print_json([texts.make_hold_json(row) for row in holds])
    elif holds:
        print_table(texts.HEADINGS, [texts.make_hold_row(row) for row in holds])
    else:
        click.echo("There is no hold." if with_lifted else "No hold is in force.")


def _carry_out(services: "OperatorServices", hold_id: UUID, *, is_json: bool) -> None:
    """Have storage follow the database, and say how many documents did."""
    legal_holds = services.legal_holds
    row = legal_holds.find(hold_id)
    has_lock = services.settings.s3_object_lock is not None
    count, trouble = 0, None
    try:
        with show_count() as show:
            follow = (
                legal_holds.hold_documents if row.lifted_at is None else legal_holds.free_documents
            )
            for count, _ in enumerate(follow(row.ebox, row.message_id), 1):
                show(count)
    except RegistryError as error:
        trouble = error  # raised below: the hold itself stands, and a program is told so first
    if is_json:
        outcome = {"documents": count, "hasObjectLock": has_lock, "isComplete": trouble is None}
        print_json({**texts.make_hold_json(row), **outcome})
    if trouble is not None:
        raise click.ClickException(texts.write_advice(row, trouble, count))
    if not is_json:
        click.echo(texts.write_outcome(row, count, has_lock=has_lock))
