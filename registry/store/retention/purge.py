"""Deletion of expired messages, with proofs of it; the worker's role alone may delete."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypedDict
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import messages
from registry.store.retention.legal_holds import is_held
from registry.store.schema import INSTANT, JSON, EboxKey, metadata

# A proof names the e-Box by a keyed hash alone; `documents` are attachment ids with digests.
deletions = Table(
    "deletions",
    metadata,
    Column("ebox_hash", Text, primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("documents", JSON, nullable=False),
    Column("expired_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT, nullable=False),
    Column("why", Text, nullable=False),
    Index(None, "message_id"),
)


class DocumentProof(TypedDict):
    """A document of a deleted message as its proof has it, in JSON; `size` in bytes."""

    attachmentId: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedMessage:
    """An expired message that is deleted now; `blob_keys` are the storage keys of its documents.

    `expires_at` is when it would have expired, had it not been withdrawn.
    """

    ebox: Ebox
    message_id: UUID
    expires_at: datetime
    sender: str  # an enterprise number
    is_withdrawn: bool
    documents: Sequence[DocumentProof]
    blob_keys: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionProof:
    """Proof that the message of one e-Box was deleted; the fields are the columns."""

    ebox_hash: str
    message_id: UUID
    documents: Sequence[DocumentProof]
    expired_at: datetime
    deleted_at: datetime
    why: str


class ExpiryBacklog(NamedTuple):
    """Expired messages that nothing keeps: how many, counted so far, and when the first expired."""

    messages: int
    oldest: datetime | None


class LeftMessages(NamedTuple):
    """Numbers of messages that are under a hold, and of others that wait for an event or others."""

    on_hold: int
    waiting: int


def delete_expired(
    connection: Connection, *, now: datetime, limit: int
) -> Sequence[DeletedMessage]:
    """Delete up to `limit` expired messages with all that belongs to them, the oldest first.

    Left alone are those under a legal hold, those with an event that is still to be sent, and those
    that a broadcast has yet to put into other e-Boxes.
    """
    return _delete(
        connection,
        select(messages.c.ebox, messages.c.message_id)
        .where(messages.c.expires_at <= now, *_IS_OVER, ~is_held(messages))
        .order_by(messages.c.expires_at)
        # Written into the statement, where the planner can read it: else it would join all
        # that has expired.
        .limit(literal(limit, Integer, literal_execute=True))
        .with_for_update(skip_locked=True),
    )


def delete_of_ebox(connection: Connection, ebox: Ebox, *, limit: int) -> Sequence[DeletedMessage]:
    """Delete up to `limit` messages of one e-Box, whenever they expire.

    Those are left alone that `delete_expired` leaves.
    """
    return _delete(
        connection,
        select(messages.c.ebox, messages.c.message_id)
        .where(messages.c.ebox == ebox, *_IS_OVER, ~is_held(messages))
        .order_by(messages.c.received_at, messages.c.message_id)
        .limit(limit)
        .with_for_update(),
    )


def count_left(connection: Connection, ebox: Ebox) -> LeftMessages:
    """Count the messages of an e-Box: those under a hold, and the others."""
    of_ebox = select(func.count()).select_from(messages).where(messages.c.ebox == ebox)
    total = connection.execute(of_ebox).scalar_one()
    on_hold = connection.execute(of_ebox.where(is_held(messages))).scalar_one()
    return LeftMessages(on_hold, total - on_hold)


def _delete(connection: Connection, query: Select[Ebox, UUID]) -> Sequence[DeletedMessage]:
    """Delete the messages that a query gives the keys of, with all that belongs to them."""
    keys = connection.execute(query).all()
    if not keys:
        return []
    values = {"eboxes": [ebox.key for ebox, _ in keys], "ids": [each for _, each in keys]}
    rows = connection.execute(_DELETE, values)
    deleted_messages = [DeletedMessage(**row._asdict()) for row in rows]
    _delete_traces(connection, deleted_messages)
    return deleted_messages


def count_expired(connection: Connection, *, now: datetime, most: int) -> ExpiryBacklog:
    """Count what `delete_expired` would delete, as far as so many."""
    expiries = (
        select(messages.c.expires_at)
        .where(messages.c.expires_at <= now, *_IS_OVER, ~is_held(messages))
        .order_by(messages.c.expires_at)
        .limit(literal(most, Integer, literal_execute=True))
        .subquery()
    )
    row = connection.execute(select(func.count(), func.min(expiries.c.expires_at))).one()
    return ExpiryBacklog(*row)


def _delete_traces(connection: Connection, deleted_messages: Sequence[DeletedMessage]) -> None:
    """Delete the events of deleted messages, and the sender's memory of having sent them."""
    if deleted_messages:
        values = {
            "eboxes": [message.ebox.key for message in deleted_messages],
            "ids": [message.message_id for message in deleted_messages],
        }
        connection.execute(_DELETE_EVENTS, values)
        senders = [message.sender for message in deleted_messages]
        connection.execute(_DELETE_SENT, {**values, "senders": senders})


def add_proofs(connection: Connection, proofs: Sequence[DeletionProof]) -> None:
    """Keep the proofs of deletions."""
    statement = insert(deletions).on_conflict_do_nothing()
    connection.execute(statement, [asdict(proof) for proof in proofs])


def find_proofs(connection: Connection, message_id: UUID) -> Sequence[DeletionProof]:
    """Find the proofs that a message was deleted, one for each e-Box that had it."""
    rows = connection.execute(select(deletions).where(deletions.c.message_id == message_id))
    return [DeletionProof(**row._asdict()) for row in rows]


# The federation is to hear of a message, and of its reading, before the message is deleted; nobody
# needs a reminder of it any more. A scalar subquery, which the planner asks of each row in turn.
_HAS_NO_EVENT_TO_SEND: Final = text("""
(SELECT true FROM outbox o
 WHERE o.ebox = messages.ebox AND o.message_id = messages.message_id
   AND o.state = 'waiting' AND o.type IN ('newDocument', 'readDocument')
 LIMIT 1) IS NULL
""")
# Whoever has yet to get the message gets a copy of it. A scalar subquery too.
_IS_BROADCAST_NO_MORE: Final = text("""
(SELECT true FROM broadcasts b
 WHERE b.ebox = 'enterprise:' || messages.sender AND b.message_id = messages.message_id
   AND b.finished_at IS NULL
 LIMIT 1) IS NULL
""")
_IS_OVER: Final = (_HAS_NO_EVENT_TO_SEND, _IS_BROADCAST_NO_MORE)
# Looks again for events and broadcasts: those who came just before the lock have added them.
_DELETE: Final = text("""
WITH gone AS (
  DELETE FROM messages m
  USING unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[])) AS k(ebox, id)
  WHERE m.ebox = k.ebox AND m.message_id = k.id
    AND (SELECT true FROM outbox o
      WHERE o.ebox = m.ebox AND o.message_id = m.message_id
        AND o.state = 'waiting' AND o.type IN ('newDocument', 'readDocument')
      LIMIT 1) IS NULL
    AND (SELECT true FROM broadcasts b
      WHERE b.ebox = 'enterprise:' || m.sender AND b.message_id = m.message_id
        AND b.finished_at IS NULL
      LIMIT 1) IS NULL
  RETURNING m.ebox, m.message_id, coalesce(m.original_expires_at, m.expires_at) AS expires_at,
    m.sender, m.withdrawn_at IS NOT NULL AS is_withdrawn
)
SELECT g.ebox, g.message_id, g.expires_at, g.sender, g.is_withdrawn, f.documents, f.blob_keys
FROM gone g CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(a.blob_key), '{}') AS blob_keys,
    coalesce(jsonb_agg(jsonb_build_object('attachmentId', a.attachment_id, 'digest', a.digest,
      'size', a.size) ORDER BY a.position), '[]') AS documents
  FROM attachments a WHERE a.ebox = g.ebox AND a.message_id = g.message_id
) f
""").columns(ebox=EboxKey, documents=JSON)
_DELETE_EVENTS: Final = text("""
DELETE FROM outbox o
USING unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[])) AS k(ebox, id)
WHERE o.ebox = k.ebox AND o.message_id = k.id
""")
# With the message goes the key that it was published under (contract 6.23).
_DELETE_SENT: Final = text("""
DELETE FROM sent_messages s
USING unnest(CAST(:senders AS text[]), CAST(:ids AS uuid[]), CAST(:eboxes AS text[]))
  AS k(sender, id, recipient)
WHERE s.ebox = 'enterprise:' || k.sender AND s.message_id = k.id AND s.recipient = k.recipient
""")
