"""A message as an operator may see it: all but what its sender wrote."""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import click

from registry.cli.events import output as event_output
from registry.cli.options import in_json
from registry.cli.output import (
    make_owner_members,
    name_owner,
    print_json,
    print_members,
    write_local_time,
)
from registry.cli.services import worker_services

if TYPE_CHECKING:
    from datetime import datetime

    from registry.domain.pseudonyms import Pseudonyms
    from registry.services.retention.message_inspection import MessageOverview
    from registry.store.retention.message_overview import CopyOverview, DocumentOverview

_YES: Final = {True: "yes", False: "no"}


@click.command()
@click.argument("message_id", metavar="ID", type=click.UUID)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many e-Boxes, events and proofs of deletion are shown.",
)
@in_json
def show(*, message_id: UUID, limit: int, is_json: bool) -> None:
    """Show what an operator may know of a message without reading it.

    Its state, dates, sender, type, partition, holds, events, and the sizes and digests of its
    documents; a citizen's e-Box by its pseudonym alone, as the audit trail has it. Events that were
    told more than REGISTRY_EVENTS_KEPT_DAYS ago are forgotten. Exit code 1 when there is no such
    message, and no proof that there was.

    Example: registry message show 6f1c2a34-5b6d-4e7f-8a90-b1c2d3e4f506 --json
    """
    with worker_services("hash key") as services:
        overview = services.message_inspection.find(message_id, limit)
        pseudonyms, event_memory = services.pseudonyms, services.event_memory
    horizon = event_memory.find_horizon()
    if is_json:
        print_json(_make_json(overview, pseudonyms) | {"toldEventsSince": horizon})
        return
    for number, members in enumerate(_make_sections(overview, pseudonyms)):
        if number:
            click.echo()
        print_members(members)
    if overview.counts.copies > len(overview.copies):
        click.echo(f"These are the first {limit} e-Boxes; more have it: use --limit.", err=True)
    if any(copy.received_at < horizon for copy in overview.copies):
        click.echo(event_output.describe_memory(event_memory), err=True)


def _make_sections(overview: "MessageOverview", pseudonyms: "Pseudonyms") -> list[dict[str, str]]:
    """Make what is printed: the message, its documents, its e-Boxes, its events, its proofs."""
    sections = []
    if overview.copies:
        first, counts = overview.copies[0], overview.counts
        sections.append(
            {
                "message": str(overview.message_id),
                "e-Boxes": f"{counts.copies} (enterprises: {counts.enterprises}, citizens:"
                f" {counts.citizens}, read: {counts.read}, withdrawn: {counts.withdrawn})",
                "type": first.message_type_id,
                "sender": first.sender,
                "application": first.sender_application_id or "",
                "registered": _YES[first.is_registered],
                "answers": _YES[first.is_reply_authorized],
                "body": _YES[first.has_body],
                "reply to": str(first.original_message_id or ""),
            }
        )
    sections += [_describe_document(each) for each in overview.documents]
    sections += [_describe_copy(each, overview.at, pseudonyms) for each in overview.copies]
    sections += [event_output.make_event_members(event, overview.at) for event in overview.events]
    return sections + [event_output.make_proof_members(proof) for proof in overview.proofs]


def _describe_document(document: "DocumentOverview") -> dict[str, str]:
    return {
        "document": document.attachment_id,
        "size": f"{document.size} bytes",
        "SHA-256": document.digest,
        "media type": document.media_type,
        "main": _YES[document.is_main],
        "key": document.blob_key,
        "fault": document.fault or "",
    }


def _describe_copy(
    copy: "CopyOverview", at: "datetime", pseudonyms: "Pseudonyms"
) -> dict[str, str]:
    expiry = copy.original_expires_at or copy.expires_at
    return {
        "e-Box": name_owner(copy.ebox),
        "pseudonym": pseudonyms.hash_ebox(copy.ebox),
        "state": _name_state(copy, at),
        "received": write_local_time(copy.received_at),
        "expires": write_local_time(expiry),
        "withdrawn": write_local_time(copy.withdrawn_at) if copy.withdrawn_at else "",
        "read": write_local_time(copy.read_at) if copy.read_at else "no",
        "visible": _YES[copy.is_visible],
        "partition": copy.partition or "",
        "holds": ", ".join(str(each) for each in copy.hold_ids),
    }


def _name_state(copy: "CopyOverview", at: "datetime") -> str:
    if copy.withdrawn_at is not None:
        return "withdrawn"
    if copy.expires_at <= at:
        return "expired"
    return "routing pending" if copy.is_routing_pending else "present"


def _make_json(overview: "MessageOverview", pseudonyms: "Pseudonyms") -> dict[str, Any]:
    """Make JSON of a message; what is not known is left out."""
    first = overview.copies[0] if overview.copies else None
    common = first and {
        "messageTypeId": first.message_type_id,
        "sender": first.sender,
        "senderApplicationId": first.sender_application_id,
        "isRegisteredMail": first.is_registered,
        "isReplyAuthorized": first.is_reply_authorized,
        "hasBody": first.has_body,
        "originalMessageId": first.original_message_id,
    }
    counts = overview.counts._asdict()
    counts["eboxes"] = counts.pop("copies")
    return {
        "messageId": overview.message_id,
        **_drop_unknown(common or {}),
        "counts": counts,
        "documents": [
            _drop_unknown(
                {
                    "attachmentId": each.attachment_id,
                    "mediaType": each.media_type,
                    "size": each.size,
                    "digest": each.digest,
                    "isMainContent": each.is_main,
                    "key": each.blob_key,
                    "fault": each.fault,
                }
            )
            for each in overview.documents
        ],
        "eboxes": [_make_copy_json(each, overview.at, pseudonyms) for each in overview.copies],
        "events": [event_output.make_event_json(event) for event in overview.events],
        "deletions": [event_output.make_proof_json(proof) for proof in overview.proofs],
    }


def _make_copy_json(
    copy: "CopyOverview", at: "datetime", pseudonyms: "Pseudonyms"
) -> dict[str, Any]:
    return _drop_unknown(
        {
            "ebox": make_owner_members(copy.ebox),
            "pseudonym": pseudonyms.hash_ebox(copy.ebox),
            "state": _name_state(copy, at),
            "receivedAt": copy.received_at,
            "expiresAt": copy.original_expires_at or copy.expires_at,
            "withdrawnAt": copy.withdrawn_at,
            "readAt": copy.read_at,
            "isRead": copy.read_at is not None,
            "isVisible": copy.is_visible,
            "partition": copy.partition,
            "holds": list(copy.hold_ids),
        }
    )


def _drop_unknown(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
