"""Withdrawal of a message, typed by an operator."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from registry.cli.operator import named_operator
from registry.cli.options import in_json, with_reason
from registry.cli.output import print_json
from registry.cli.services import worker_services
from registry.domain.errors import RegistryError
from registry.terminal.numbers import EboxType
from registry.terminal.screen import show_count
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.domain.identifiers import Ebox
    from registry.services.retention.withdrawal import Withdrawal
    from registry.store.retention.withdrawals import CopyCounts

_LONGEST: Final = 500  # characters of a reason, which the trail keeps for ten years


@dataclass
class _Figures:
    """Numbers of what was done; `trouble` is why storage holds fewer documents than it has."""

    copies: int = 0
    announcements: int = 0
    broadcasts: int = 0
    documents: int = 0
    trouble: str | None = None


@click.command()
@click.argument("message_id", metavar="ID", type=click.UUID)
@click.option(
    "--ebox",
    type=EboxType(check_digits=True),
    help="From this e-Box alone; else from all that have it.",
)
@with_reason("Kept with the evidence and in the audit trail, without numbers of persons.")
@click.option("--yes", "is_certain", is_flag=True, help="Withdraw it; else it is only counted.")
@named_operator
@in_json
def withdraw(
    *, message_id: UUID, ebox: "Ebox | None", why: str, is_certain: bool, is_json: bool
) -> None:
    """Take a message out of the e-Boxes that have it, and keep it for auditors.

    From then on nobody finds, reads, answers or downloads it. Its rows and documents stay under a
    legal hold, the federation is told that it has expired, and the status that its sender asks for
    says that it was withdrawn. A broadcast that is under way ends. There is no way back.

    Without --yes nothing is changed. Exit code 1 when no e-Box has the message, when nothing was
    changed for want of --yes, or when storage does not hold its documents yet; the same call
    completes that.

    Example: registry message withdraw 6f1c2a34-5b6d-4e7f-8a90-b1c2d3e4f506 --why "case 14" --yes
    """
    with worker_services("documents", "hash key") as services:
        counts = services.withdrawal.rehearse(message_id, ebox)
        figures = _Figures()
        if is_certain:
            reason = clean_text(why, _LONGEST)
            _carry_out(services.withdrawal, message_id, ebox, reason, figures)
            counts = services.withdrawal.rehearse(message_id, ebox)
    if is_json:
        print_json(_make_json(message_id, counts, figures))
    else:
        click.echo(_describe(message_id, counts, figures))
    if figures.trouble is not None:
        raise click.ClickException(
            f"{figures.trouble} The withdrawal itself stands, and the database keeps the message;"
            " the same call has storage hold its documents."
        )
    if counts.copies > counts.withdrawn:
        raise click.ClickException("Nothing was changed; --yes withdraws it.")


def _carry_out(
    withdrawal: "Withdrawal",
    message_id: UUID,
    ebox: "Ebox | None",
    why: str,
    figures: _Figures,
) -> None:
    with show_count() as show:
        for batch in withdrawal.withdraw(message_id, ebox, why):
            figures.copies += batch.copies
            figures.announcements += batch.announcements
            figures.broadcasts += batch.broadcasts
            show(figures.copies)
    try:
        for _ in withdrawal.hold_documents(message_id, ebox):
            figures.documents += 1
    except RegistryError as error:
        figures.trouble = error.detail


def _describe(message_id: UUID, counts: "CopyCounts", figures: _Figures) -> str:
    """Say what was done, or would be."""
    who = f"enterprises: {counts.enterprises}, citizens: {counts.citizens}, read: {counts.read}"
    if figures.copies:
        ends = f" Broadcasts cut short: {figures.broadcasts}." if figures.broadcasts else ""
        return (
            f"Message {message_id} is withdrawn from e-Boxes: {figures.copies} ({who})."
            f" The federation will be told of: {figures.announcements}."
            f" Documents that are kept: {figures.documents}.{ends}"
        )
    if counts.copies == counts.withdrawn:
        return f"Message {message_id} is withdrawn already, from e-Boxes: {counts.copies} ({who})."
    rest = f"; withdrawn before from {counts.withdrawn}" if counts.withdrawn else ""
    return f"Message {message_id} is in e-Boxes: {counts.copies} ({who}{rest})."


def _make_json(message_id: UUID, counts: "CopyCounts", figures: _Figures) -> dict[str, object]:
    """Make JSON of it: what there is, and what this call did."""
    return {
        "messageId": message_id,
        "eboxes": counts.copies,
        "enterprises": counts.enterprises,
        "citizens": counts.citizens,
        "read": counts.read,
        "withdrawn": counts.withdrawn,
        "withdrawnNow": figures.copies,
        "announcements": figures.announcements,
        "broadcastsCutShort": figures.broadcasts,
        "documentsHeld": figures.documents,
        "isComplete": figures.trouble is None and counts.copies == counts.withdrawn,
    }
