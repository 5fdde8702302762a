"""The operators' side of the outbox: list events, find them, send them again, leave them out.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Executable, select, text

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import messages
from registry.store.schema import EboxKey
from registry.store.value_pieces import has_message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """An event with the state of its delivery; the fields are the columns of `outbox`."""

    ebox: Ebox
    correlation_id: UUID
    type: str
    message_id: UUID
    due_at: datetime
    is_bulk: bool
    state: str
    claimed_until: datetime | None
    attempts: int
    reason: str | None
    settled_at: datetime | None


def find_due_events(connection: Connection, *, now: datetime, limit: int) -> Sequence[OutboxEvent]:
    """Find events that wait and are due, the oldest first."""
    return _events(connection, _DUE, {"now": now, "limit": limit})


def find_dead_events(connection: Connection, *, limit: int) -> Sequence[OutboxEvent]:
    """Find events that the event service refused, the oldest first."""
    return _events(connection, _DEAD, {"limit": limit})


def find_events(connection: Connection, any_id: UUID) -> Sequence[OutboxEvent]:
    """Find the event of this correlation id, or all events of the message of this id."""
    return _events(connection, _FIND, {"id": any_id})


def has_message(connection: Connection, message_id: UUID) -> bool:
    """Tell if an e-Box has such a message, whatever became of its events."""
    is_known = select(messages.c.ebox).where(has_message_id(messages.c.message_id, message_id))
    return bool(connection.scalar(select(is_known.exists())))


def replay(
    connection: Connection, correlation_ids: Sequence[UUID], *, now: datetime
) -> Sequence[OutboxEvent]:
    """Have events sent again, in whatever state they are; gives those that exist.

    One that still waits keeps its place and its claim.
    """
    return _events(connection, _REPLAY, {"ids": list(correlation_ids), "now": now})


def replay_dead(connection: Connection, *, dead_before: datetime, now: datetime, limit: int) -> int:
    """Have up to `limit` events sent again that died by `dead_before`; gives their number."""
    # In batches, so that a hundred thousand dead events are no transaction of minutes.
    values = {"before": dead_before, "now": now, "limit": limit}
    return connection.execute(_REPLAY_DEAD, values).rowcount


def skip(
    connection: Connection, correlation_ids: Sequence[UUID], *, why: str, now: datetime
) -> Sequence[OutboxEvent]:
    """Leave events out that wait or are dead; gives those that are left out now.

    An event that a worker has claimed is not among them: it may be sent this moment.
    """
    return _events(connection, _SKIP, {"ids": list(correlation_ids), "why": why, "now": now})


def _events(
    connection: Connection, statement: Executable, values: dict[str, Any]
) -> Sequence[OutboxEvent]:
    return [OutboxEvent(**row._asdict()) for row in connection.execute(statement, values)]


_DUE: Final = text("""
SELECT ebox, correlation_id, type, message_id, due_at, is_bulk, state, claimed_until, attempts,
  reason, settled_at
FROM outbox
WHERE state = 'waiting' AND due_at <= :now
ORDER BY due_at, correlation_id LIMIT :limit
""").columns(ebox=EboxKey)
_DEAD: Final = text("""
SELECT ebox, correlation_id, type, message_id, due_at, is_bulk, state, claimed_until, attempts,
  reason, settled_at
FROM outbox
WHERE state = 'dead'
ORDER BY settled_at, correlation_id LIMIT :limit
""").columns(ebox=EboxKey)
_FIND: Final = text("""
SELECT ebox, correlation_id, type, message_id, due_at, is_bulk, state, claimed_until, attempts,
  reason, settled_at
FROM outbox
WHERE correlation_id = :id OR message_id = :id
ORDER BY due_at, correlation_id
""").columns(ebox=EboxKey)
# Due from now on, even if the operator's clock is ahead of the database's, and in bulk, so that a
# thousand of them do not hold up today's publications.
# `attempts` goes on counting: a late worker recognizes by it that its claim is over.
_REPLAY: Final = text("""
WITH again AS (
  UPDATE outbox
  SET state = 'waiting', is_bulk = true, due_at = least(:now, clock_timestamp()),
    reason = NULL, settled_at = NULL
  WHERE correlation_id = ANY(:ids) AND state <> 'waiting'
  RETURNING ebox, correlation_id, type, message_id, due_at, is_bulk, state, claimed_until,
    attempts, reason, settled_at
)
SELECT * FROM again
UNION ALL
SELECT ebox, correlation_id, type, message_id, due_at, is_bulk, state, claimed_until, attempts,
  reason, settled_at
FROM outbox
WHERE correlation_id = ANY(:ids) AND state = 'waiting'
""").columns(ebox=EboxKey)
_REPLAY_DEAD: Final = text("""
WITH dead AS (
  SELECT d.ebox, d.correlation_id FROM outbox d
  WHERE d.state = 'dead' AND d.settled_at <= :before
  ORDER BY d.settled_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE outbox o
SET state = 'waiting', is_bulk = true, due_at = least(:now, clock_timestamp()),
  reason = NULL, settled_at = NULL
FROM dead d
WHERE o.ebox = d.ebox AND o.correlation_id = d.correlation_id
""")
# By the database's clock, which leases are counted by: that of an operator's machine may be off.
_SKIP: Final = text("""
UPDATE outbox
SET state = 'skipped', reason = :why, settled_at = :now, claimed_until = NULL
WHERE correlation_id = ANY(:ids) AND state IN ('waiting', 'dead')
  AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
RETURNING ebox, correlation_id, type, message_id, due_at, is_bulk, state, claimed_until, attempts,
  reason, settled_at
""").columns(ebox=EboxKey)
