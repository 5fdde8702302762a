"""What operators see and decide of events: look, tell again, leave out.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from registry.store.schema import AnyRow, EboxKey


def due(connection: Connection, *, now: datetime, limit: int) -> Sequence[AnyRow]:
    """Events that wait to be told and are due, the oldest first."""
    return connection.execute(_DUE, {"now": now, "limit": limit}).all()


def dead(connection: Connection, *, limit: int) -> Sequence[AnyRow]:
    """Events that the event service refused, the oldest first."""
    return connection.execute(_DEAD, {"limit": limit}).all()


def find(connection: Connection, wanted: UUID) -> Sequence[AnyRow]:
    """The event of this correlation id, or all events of the message of this id."""
    return connection.execute(_FIND, {"id": wanted}).all()


def replay(connection: Connection, ids: Sequence[UUID], *, now: datetime) -> Sequence[AnyRow]:
    """Have these events told again, whatever became of them; those that there are.

    One that waits still keeps its place and its claim.
    """
    return connection.execute(_REPLAY, {"ids": list(ids), "now": now}).all()


def replay_dead(connection: Connection, *, dead_before: datetime, now: datetime, limit: int) -> int:
    """The same for up to `limit` of those that are dead since then or longer; how many."""
    asked = {"before": dead_before, "now": now, "limit": limit}
    return connection.execute(_REPLAY_DEAD, asked).rowcount


def skip(
    connection: Connection, ids: Sequence[UUID], *, why: str, now: datetime
) -> Sequence[AnyRow]:
    """Leave events untold that wait or are dead; those that were.

    Not one that a worker has claimed: it may be told this moment.
    """
    return connection.execute(_SKIP, {"ids": list(ids), "why": why, "now": now}).all()


_COLUMNS: Final = (
    "o.ebox, o.correlation_id, o.type, o.message_id, o.state, o.is_bulk, o.due_at, o.attempts,"
    " o.claimed_until, o.reason, o.settled_at"
)
_DUE: Final = text(f"""
SELECT {_COLUMNS} FROM outbox o WHERE o.state = 'waiting' AND o.due_at <= :now
ORDER BY o.due_at, o.correlation_id LIMIT :limit
""").columns(ebox=EboxKey)
_DEAD: Final = text(f"""
SELECT {_COLUMNS} FROM outbox o WHERE o.state = 'dead'
ORDER BY o.settled_at, o.correlation_id LIMIT :limit
""").columns(ebox=EboxKey)
_FIND: Final = text(f"""
SELECT {_COLUMNS} FROM outbox o WHERE o.correlation_id = :id OR o.message_id = :id
ORDER BY o.due_at, o.correlation_id
""").columns(ebox=EboxKey)
# Due from now on and in bulk, so that a thousand of them do not hold up today's publications.
# `attempts` goes on, since a claim is known by it.
_AGAIN: Final = """
UPDATE outbox o
SET state = 'waiting', is_bulk = true, due_at = :now, reason = NULL, settled_at = NULL
"""
_REPLAY: Final = text(f"""
WITH again AS (
  {_AGAIN} WHERE o.correlation_id = ANY(:ids) AND o.state <> 'waiting' RETURNING {_COLUMNS}
)
SELECT * FROM again
UNION ALL
SELECT {_COLUMNS} FROM outbox o WHERE o.correlation_id = ANY(:ids) AND o.state = 'waiting'
""").columns(ebox=EboxKey)
_REPLAY_DEAD: Final = text(f"""
WITH dead AS (
  SELECT d.ebox, d.correlation_id FROM outbox d
  WHERE d.state = 'dead' AND d.settled_at <= :before
  ORDER BY d.settled_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
{_AGAIN} FROM dead d WHERE o.ebox = d.ebox AND o.correlation_id = d.correlation_id
""")
_SKIP: Final = text(f"""
UPDATE outbox o SET state = 'skipped', reason = :why, settled_at = :now, claimed_until = NULL
WHERE o.correlation_id = ANY(:ids) AND o.state IN ('waiting', 'dead')
  AND (o.claimed_until IS NULL OR o.claimed_until <= clock_timestamp())
RETURNING {_COLUMNS}
""").columns(ebox=EboxKey)
