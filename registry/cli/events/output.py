"""Events and proofs of deletion as operators and their programs see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from registry.cli.output import local, owner, owner_members, plain
from registry.store.events.administration import OutboxEvent
from registry.store.retention.purge import DeletionProof

HEADINGS: Final = ("event type", "event id", "message id", "e-Box", "due since", "attempts", "why")
FORESEEN: Final = ("day", "event type", "messages", "e-Boxes")


def line(event: OutboxEvent) -> Sequence[str]:
    """An event as a row of the list."""
    return (
        event.type,
        str(event.correlation_id),
        str(event.message_id),
        owner(event.ebox),
        local(event.due_at),
        str(event.attempts),
        plain(event.reason),
    )


def sentence(event: OutboxEvent) -> str:
    """An event in half a sentence."""
    return f"{event.type} {event.correlation_id} of message {event.message_id}, {owner(event.ebox)}"


def full(event: OutboxEvent, now: datetime) -> dict[str, str]:
    """All that is known of an event."""
    return {
        "event type": event.type,
        "event id": str(event.correlation_id),
        "message id": str(event.message_id),
        "e-Box": owner(event.ebox),
        "state": state(event, now),
        "due since": local(event.due_at),
        "attempts": str(event.attempts),
        "in bulk": "yes" if event.is_bulk else "no",
    }


def state(event: OutboxEvent, now: datetime) -> str:
    """Where an event is on its way, in words."""
    reason = plain(event.reason)
    if event.settled_at is None:  # as long as it is waiting
        return _waiting(event, now) + (f"; last time: {reason}" if reason else "")
    since = "dead since" if event.state == "dead" else f"{event.state} at"
    return f"{since} {local(event.settled_at)}" + (f", because: {reason}" if reason else "")


def _waiting(event: OutboxEvent, now: datetime) -> str:
    if event.claimed_until and event.claimed_until > now:
        return f"being told until {local(event.claimed_until)}"
    return f"waiting until {local(event.due_at)}" if event.due_at > now else "waiting"


def members(event: OutboxEvent) -> dict[str, Any]:
    """An event for a program; what is not known is left out."""
    told = {
        "type": event.type,
        "eventId": event.correlation_id,
        "messageId": event.message_id,
        "ebox": owner_members(event.ebox),
        "state": event.state,
        "isBulk": event.is_bulk,
        "dueAt": event.due_at,
        "attempts": event.attempts,
        "claimedUntil": event.claimed_until,
        "settledAt": event.settled_at,
        "reason": plain(event.reason) or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def proof(deletion: DeletionProof) -> dict[str, str]:
    """A proof of deletion, which knows the e-Box by a keyed hash alone."""
    named = [f"{d['attachmentId']} ({d['size']} bytes, {d['digest']})" for d in deletion.documents]
    return {
        "message id": str(deletion.message_id),
        "state": f"deleted at {local(deletion.deleted_at)}, because: {deletion.why}",
        "expired": local(deletion.expired_at),
        "e-Box": deletion.ebox_hash,
        "documents": plain(", ".join(named)) or "none",
    }


def proof_members(deletion: DeletionProof) -> dict[str, Any]:
    """The same for a program."""
    return {
        "messageId": deletion.message_id,
        "eboxHash": deletion.ebox_hash,
        "deletedAt": deletion.deleted_at,
        "expiredAt": deletion.expired_at,
        "why": deletion.why,
        "documents": deletion.documents,
    }
