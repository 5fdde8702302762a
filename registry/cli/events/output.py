"""Events and proofs of deletion as operators and their programs see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from registry.cli.output import make_owner_members, name_owner, write_local_time
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.services.events.event_memory import EventMemory
    from registry.store.events.administration import OutboxEvent
    from registry.store.retention.purge import DeletionProof

HEADINGS: Final = ("event type", "event id", "message id", "e-Box", "due since", "attempts", "why")
FORECASTS: Final = ("day", "event type", "messages", "e-Boxes")


def make_event_row(event: "OutboxEvent") -> Sequence[str]:
    """Make a row of the list of an event."""
    return (
        event.type,
        str(event.correlation_id),
        str(event.message_id),
        name_owner(event.ebox),
        write_local_time(event.due_at),
        str(event.attempts),
        clean_text(event.reason),
    )


def describe_event(event: "OutboxEvent") -> str:
    """Describe an event in half a sentence."""
    event_name = f"{event.type} {event.correlation_id}"
    return f"{event_name} of message {event.message_id}, {name_owner(event.ebox)}"


def make_event_members(event: "OutboxEvent", now: datetime) -> dict[str, str]:
    """Write all that is known of an event, for a person."""
    return {
        "event type": event.type,
        "event id": str(event.correlation_id),
        "message id": str(event.message_id),
        "e-Box": name_owner(event.ebox),
        "state": describe_state(event, now),
        "due since": write_local_time(event.due_at),
        "attempts": str(event.attempts),
        "in bulk": "yes" if event.is_bulk else "no",
    }


def describe_state(event: "OutboxEvent", now: datetime) -> str:
    """Describe how far an event is on its way."""
    reason = clean_text(event.reason)
    if event.settled_at is None:  # as long as it is waiting
        return _describe_waiting(event, now) + (f"; last time: {reason}" if reason else "")
    since = "dead since" if event.state == "dead" else f"{event.state} at"
    return f"{since} {write_local_time(event.settled_at)}" + (
        f", because: {reason}" if reason else ""
    )


def _describe_waiting(event: "OutboxEvent", now: datetime) -> str:
    if event.claimed_until and event.claimed_until > now:
        return f"being told until {write_local_time(event.claimed_until)}"
    return f"waiting until {write_local_time(event.due_at)}" if event.due_at > now else "waiting"


def describe_memory(event_memory: "EventMemory") -> str:
    """Say which events are not there any more, and who knows of them."""
    return (
        f"Events that were told more than {event_memory.period.days} days ago are forgotten. The"
        " worker's log has a line for each, and the audit trail what they were the news of."
    )


def make_event_json(event: "OutboxEvent") -> dict[str, Any]:
    """Make JSON of an event; what is not known is left out."""
    members = {
        "type": event.type,
        "eventId": event.correlation_id,
        "messageId": event.message_id,
        "ebox": make_owner_members(event.ebox),
        "state": event.state,
        "isBulk": event.is_bulk,
        "dueAt": event.due_at,
        "attempts": event.attempts,
        "claimedUntil": event.claimed_until,
        "settledAt": event.settled_at,
        "reason": clean_text(event.reason) or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def make_proof_members(deletion: "DeletionProof") -> dict[str, str]:
    """Write a proof of deletion, which knows the e-Box by a keyed hash alone, for a person."""
    documents = [
        f"{document['attachmentId']} ({document['size']} bytes, {document['digest']})"
        for document in deletion.documents
    ]
    return {
        "message id": str(deletion.message_id),
        "state": f"deleted at {write_local_time(deletion.deleted_at)}, because: {deletion.why}",
        "expired": write_local_time(deletion.expired_at),
        "e-Box": deletion.ebox_hash,
        "documents": clean_text(", ".join(documents)) or "none",
    }


def make_proof_json(deletion: "DeletionProof") -> dict[str, Any]:
    """Make JSON of a proof of deletion."""
    return {
        "messageId": deletion.message_id,
        "eboxHash": deletion.ebox_hash,
        "deletedAt": deletion.deleted_at,
        "expiredAt": deletion.expired_at,
        "why": deletion.why,
        "documents": deletion.documents,
    }
