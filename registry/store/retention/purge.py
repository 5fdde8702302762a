"""Deleting what has expired, leaving a proof; the worker's role alone may."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    Index,
    Table,
    Text,
    TextualSelect,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from registry.store.retention.legal_holds import HELD
from registry.store.schema import INSTANT, JSON, AnyRow, EboxKey, metadata

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

# Documents whose message is gone and which are to follow: storage knows no transactions.
doomed_documents = Table(
    "doomed_documents",
    metadata,
    Column("doom_id", BigInteger, Identity(always=True), primary_key=True),
    Column("blob_key", Text, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Index(None, "due_at"),
)


def delete_expired(connection: Connection, *, now: datetime, limit: int) -> Sequence[AnyRow]:
    """Delete up to `limit` expired messages with all that hangs on them, the oldest first.

    Gives of each `ebox`, `message_id`, `expires_at`, `documents`: lists of attachment id, digest
    and size, and `blob_keys`: where its documents are. Left alone are those under a legal hold, and
    those of whom something is still to be told.
    """
    locked = connection.execute(_lock(limit), {"now": now}).all()
    rows = connection.execute(_DELETE, _named(locked)).all() if locked else []
    if rows:
        connection.execute(_FORGET_EVENTS, _named(rows))
        connection.execute(_FORGET_SENT, {**_named(rows), "senders": [row.sender for row in rows]})
    return rows


def prove(connection: Connection, proofs: Sequence[dict[str, Any]]) -> None:
    """Keep what proves deletions: columns of `deletions`."""
    connection.execute(insert(deletions).on_conflict_do_nothing(), proofs)


def doom(connection: Connection, keys: Sequence[str], *, due_at: datetime) -> None:
    """Have documents deleted from storage, from `due_at` on."""
    if keys:
        rows = [{"blob_key": key, "due_at": due_at} for key in keys]
        connection.execute(insert(doomed_documents), rows)


def take_doomed(
    connection: Connection, *, now: datetime, limit: int, again_at: datetime
) -> Sequence[AnyRow]:
    """`doom_id` and `blob_key` of documents to delete now, and whether one `is_claimed` by
    another message. Unless forgotten, they come up again at `again_at`.
    """
    asked = {"now": now, "limit": limit, "again_at": again_at}
    return connection.execute(_TAKE_DOOMED, asked).all()


def postpone(connection: Connection, doom_ids: Sequence[int], *, until: datetime) -> None:
    """Storage must keep these for now."""
    connection.execute(_POSTPONE, {"doom_ids": list(doom_ids), "until": until})


def forget(connection: Connection, doom_ids: Sequence[int]) -> None:
    """These are gone, or somebody still has them."""
    connection.execute(_FORGET, {"doom_ids": list(doom_ids)})


def proofs(connection: Connection, message_id: UUID) -> Sequence[AnyRow]:
    """The proofs that a message was deleted, one for each e-Box that had it."""
    return connection.execute(deletions.select().where(deletions.c.message_id == message_id)).all()


def _named(rows: Sequence[AnyRow]) -> dict[str, Any]:
    return {"eboxes": [row.ebox.key for row in rows], "ids": [row.message_id for row in rows]}


# A scalar subquery, and a limit that the planner can read: else it would join all that has expired.
_IS_TOLD: Final = (
    "(SELECT true FROM outbox o WHERE o.ebox = m.ebox AND o.message_id = m.message_id"
    " AND o.state = 'waiting' AND o.type IN ('newDocument', 'readDocument') LIMIT 1) IS NULL"
)


@lru_cache
def _lock(limit: int) -> TextualSelect:
    """The statement for so many messages."""
    return text(f"""
SELECT m.ebox, m.message_id FROM messages m
WHERE m.expires_at <= :now AND NOT EXISTS ({HELD}) AND {_IS_TOLD}
ORDER BY m.expires_at LIMIT {limit} FOR UPDATE SKIP LOCKED
""").columns(ebox=EboxKey)


# Asked again what is to be told: whoever read a message just before it was locked has said so.
_DELETE: Final = text(f"""
WITH gone AS (
  DELETE FROM messages m
  USING unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[])) AS e(ebox, message_id)
  WHERE m.ebox = e.ebox AND m.message_id = e.message_id AND {_IS_TOLD}
  RETURNING m.ebox, m.message_id, m.expires_at, m.sender
)
SELECT g.*, f.documents, f.blob_keys
FROM gone g CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(a.blob_key), '{{}}') AS blob_keys,
    coalesce(jsonb_agg(jsonb_build_object('attachmentId', a.attachment_id, 'digest', a.digest,
      'size', a.size) ORDER BY a.position), '[]') AS documents
  FROM attachments a WHERE a.ebox = g.ebox AND a.message_id = g.message_id
) f
""").columns(ebox=EboxKey, documents=JSON)
_FORGET_EVENTS: Final = text("""
DELETE FROM outbox o
USING unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[])) AS k(ebox, id)
WHERE o.ebox = k.ebox AND o.message_id = k.id
""")
# With the message goes the key that it was published under (contract 6.23).
_FORGET_SENT: Final = text("""
DELETE FROM sent_messages s
USING unnest(CAST(:senders AS text[]), CAST(:ids AS uuid[]), CAST(:eboxes AS text[]))
  AS k(sender, id, recipient)
WHERE s.ebox = 'enterprise:' || k.sender AND s.message_id = k.id AND s.recipient = k.recipient
""")
_TAKE_DOOMED: Final = text("""
WITH due AS (
  SELECT doom_id FROM doomed_documents
  WHERE due_at <= :now ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE doomed_documents d SET due_at = :again_at FROM due WHERE d.doom_id = due.doom_id
RETURNING d.doom_id, d.blob_key,
  EXISTS (SELECT FROM attachments a WHERE a.blob_key = d.blob_key) AS is_claimed
""")
_POSTPONE: Final = text(
    "UPDATE doomed_documents SET due_at = :until WHERE doom_id = ANY(CAST(:doom_ids AS bigint[]))"
)
_FORGET: Final = text(
    "DELETE FROM doomed_documents WHERE doom_id = ANY(CAST(:doom_ids AS bigint[]))"
)
