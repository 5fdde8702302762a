"""The worker's side of the outbox: claim what is due, settle what was told.

The worker's role alone may look across e-Boxes. A claim is a lease, so that no transaction is open
while the federation is spoken to; the lease of a worker that died runs out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, TextualSelect, text

from registry.store.schema import JSON, AnyRow, EboxKey


def claim(
    connection: Connection, *, now: datetime, limit: int, lease: timedelta
) -> Sequence[AnyRow]:
    """Up to `limit` events that are due, each with the facts of its message, the oldest first.

    A quarter of the room is kept for bulk events, the rest goes to single publications first. An
    event waits while an earlier one of its message waits, so that their order is kept. Others pass
    over what is claimed for the length of the lease, by the database's clock. `attempts` counts
    this one. The message's columns are NULL when it is no longer there.
    """
    rows = connection.execute(_claimable(limit), {"now": now}).all()
    if rows:
        connection.execute(_LEASE, {**_named(rows), "lease": lease})
    return rows


def settle(
    connection: Connection,
    events: Sequence[AnyRow],
    *,
    state: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Have done with claimed events: told, dead or withdrawn, and why.

    Those that another has claimed since are his, except that what was told is told.
    """
    asked = {**_named(events), "state": state, "now": now, "reason": reason}
    connection.execute(_SETTLE, asked)


def release(connection: Connection, events: Sequence[AnyRow], *, reason: str | None) -> None:
    """Give claimed events back, for whoever comes next, with why they were not told.

    Not those that another has claimed since.
    """
    connection.execute(_RELEASE, {**_named(events), "reason": reason})


def backlog(connection: Connection, now: datetime) -> AnyRow:
    """`waiting` and due, `oldest` due, and `dead`: what a dashboard shows of the outbox."""
    return connection.execute(_BACKLOG, {"now": now}).one()


def _named(events: Sequence[Any]) -> dict[str, Any]:
    return {
        "eboxes": [event.ebox.key for event in events],
        "ids": [event.correlation_id for event in events],
        "attempts": [event.attempts for event in events],
    }


# By cause and not by clock, which may go back: announced, then brought to mind, then read.
_RANK: Final = "CASE {0}.type WHEN 'newDocument' THEN 0 WHEN 'readDocument' THEN 2 ELSE 1 END"
# A scalar subquery, and limits that the planner can read: where a hundred thousand are due, it
# would else sort and join all of them for the first five hundred.
_LANE: Final = f"""
  SELECT o.ebox, o.correlation_id, o.type, o.message_id, o.due_at, o.attempts + 1 AS attempts
  FROM outbox o
  WHERE o.state = 'waiting' AND o.is_bulk = {{bulk}} AND o.due_at <= :now
    AND (o.claimed_until IS NULL OR o.claimed_until <= clock_timestamp())
    AND (
      SELECT true FROM outbox e
      WHERE e.ebox = o.ebox AND e.message_id = o.message_id AND e.state = 'waiting'
        AND ({_RANK.format("e")}, e.due_at) < ({_RANK.format("o")}, o.due_at)
      LIMIT 1) IS NULL
  ORDER BY o.due_at
  LIMIT {{room}}
  FOR UPDATE OF o SKIP LOCKED
"""


@lru_cache
def _claimable(limit: int) -> TextualSelect:
    """The statement for so many events."""
    return text(f"""
WITH prompt AS ({_LANE.format(bulk="false", room=limit * 3 // 4 or 1)}),
bulk AS ({_LANE.format(bulk="true", room=limit)}),
claimed AS (SELECT * FROM prompt UNION ALL SELECT * FROM bulk LIMIT {limit})
SELECT c.*, m.received_at, m.expires_at, m.read_at, m.is_visible, m.is_registered,
  m.message_type_id, m.sender, m.sender_application_id, m.subject
FROM claimed c
LEFT JOIN LATERAL (
  SELECT * FROM messages m WHERE m.ebox = c.ebox AND m.message_id = c.message_id LIMIT 1
) m ON true
ORDER BY c.due_at
""").columns(ebox=EboxKey, subject=JSON)


_THESE: Final = """
FROM unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[]), CAST(:attempts AS integer[]))
  AS k(ebox, id, attempt)
WHERE o.ebox = k.ebox AND o.correlation_id = k.id AND o.state = 'waiting'
"""
_LEASE: Final = text(
    "UPDATE outbox o SET claimed_until = clock_timestamp() + :lease, attempts = k.attempt" + _THESE
)
_SETTLE: Final = text(
    "UPDATE outbox o SET state = :state, settled_at = :now, reason = :reason, claimed_until = NULL"
    + _THESE
    + " AND (o.attempts = k.attempt OR :state = 'told')"
)
_RELEASE: Final = text(
    "UPDATE outbox o SET claimed_until = NULL, reason = :reason"
    + _THESE
    + " AND o.attempts = k.attempt"
)
_BACKLOG: Final = text("""
SELECT
  (SELECT count(*) FROM outbox WHERE state = 'waiting' AND due_at <= :now) AS waiting,
  (SELECT min(due_at) FROM outbox WHERE state = 'waiting' AND due_at <= :now) AS oldest,
  (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead
""")
