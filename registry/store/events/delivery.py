"""The worker's side of the outbox: claim the events that are due, settle those that are sent.

The worker's role alone may look across e-Boxes. A claim is a lease, so that no transaction is open
during a call to the event service; when a worker dies its lease runs out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Integer, bindparam, text

from registry.domain.events import EventType
from registry.domain.identifiers import Ebox
from registry.domain.languages import TranslatedString
from registry.store.schema import JSON, EboxKey

Outcome = Literal["told", "dead", "withdrawn"]  # states of the outbox that end a delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """The columns of a message that its events are sent with, or judged by."""

    received_at: datetime
    expires_at: datetime
    read_at: datetime | None
    is_visible: bool
    is_registered: bool
    message_type_id: str
    sender: str  # an enterprise number
    sender_application_id: str | None
    subject: TranslatedString
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedEvent:
    """An event that one worker holds for the length of a lease; `attempts` counts this claim.

    `message` is None when the message is deleted.
    """

    ebox: Ebox
    correlation_id: UUID
    type: EventType
    message_id: UUID
    attempts: int
    trace: str | None
    message: MessageFacts | None


class Backlog(NamedTuple):
    """Size of the outbox: events that are due, since when the oldest of them, and dead events."""

    waiting: int
    oldest: datetime | None
    dead: int


def claim(
    connection: Connection, *, now: datetime, limit: int, lease: timedelta
) -> Sequence[ClaimedEvent]:
    """Claim up to `limit` events that are due, the oldest first, with the facts of their messages.

    A quarter of the room is kept for bulk events, the rest goes to single publications first. An
    event waits while an earlier one of its message waits, so that their order is kept. For the
    length of the lease, by the database's clock, other workers pass over these events.
    """
    room = {"all": limit, "single": limit * 3 // 4 or 1}
    rows = connection.execute(_CLAIMABLE, {"now": now, **room}).all()
    events = [_event(row._asdict()) for row in rows]
    if events:
        connection.execute(_LEASE, {**_keys(events), "lease": lease})
    return events


def settle(
    connection: Connection,
    events: Sequence[ClaimedEvent],
    *,
    outcome: Outcome,
    now: datetime,
    reason: str | None = None,
) -> None:
    """End the delivery of claimed events, with the reason if there is one.

    An event that another worker has claimed since stays with that worker, unless it was told: the
    service has had it, whoever sent it.
    """
    values = {"outcome": outcome, "now": now, "reason": reason}
    connection.execute(_SETTLE, {**_keys(events), **values})


def release(connection: Connection, events: Sequence[ClaimedEvent], *, reason: str | None) -> None:
    """Give claimed events back to the next worker, with the reason why they were not sent.

    An event that another worker has claimed since stays with that worker.
    """
    connection.execute(_RELEASE, {**_keys(events), "reason": reason})


def count_backlog(connection: Connection, now: datetime) -> Backlog:
    """Count what a dashboard shows of the outbox."""
    return Backlog(**connection.execute(_BACKLOG, {"now": now}).one()._asdict())


def _event(columns: dict[str, Any]) -> ClaimedEvent:
    kind = EventType(columns.pop("type"))
    facts = {name: columns.pop(name) for name in _FACTS}
    # The join leaves all columns of a deleted message NULL; else none has a NULL `received_at`.
    message = None if facts["received_at"] is None else MessageFacts(**facts)
    return ClaimedEvent(type=kind, message=message, **columns)


def _keys(events: Sequence[ClaimedEvent]) -> dict[str, Any]:
    return {
        "eboxes": [event.ebox.key for event in events],
        "ids": [event.correlation_id for event in events],
        "attempts": [event.attempts for event in events],
    }


_FACTS: Final = tuple(field.name for field in fields(MessageFacts))
# Two lanes of the same shape, so that each is read by its own index, in order, up to its limit:
# - The order of a message's events is by cause (announced, then brought to mind, then read) and not
#   by clock, which may go back.
# - A scalar subquery, and limits written into the statement, where the planner can read them: where
#   a hundred thousand events are due it would else sort and join all of them for the first five
#   hundred.
_CLAIMABLE: Final = (
    text("""
WITH single AS (
  SELECT o.ebox, o.correlation_id, o.type, o.message_id, o.due_at, o.trace,
    o.attempts + 1 AS attempts
  FROM outbox o
  WHERE o.state = 'waiting' AND NOT o.is_bulk AND o.due_at <= :now
    AND (o.claimed_until IS NULL OR o.claimed_until <= clock_timestamp())
    AND (
      SELECT true FROM outbox e
      WHERE e.ebox = o.ebox AND e.message_id = o.message_id AND e.state = 'waiting'
        AND (CASE e.type WHEN 'newDocument' THEN 0 WHEN 'readDocument' THEN 2 ELSE 1 END, e.due_at)
          < (CASE o.type WHEN 'newDocument' THEN 0 WHEN 'readDocument' THEN 2 ELSE 1 END, o.due_at)
      LIMIT 1) IS NULL
  ORDER BY o.due_at
  LIMIT :single
  FOR UPDATE OF o SKIP LOCKED
),
bulk AS (
  SELECT o.ebox, o.correlation_id, o.type, o.message_id, o.due_at, o.trace,
    o.attempts + 1 AS attempts
  FROM outbox o
  WHERE o.state = 'waiting' AND o.is_bulk AND o.due_at <= :now
    AND (o.claimed_until IS NULL OR o.claimed_until <= clock_timestamp())
    AND (
      SELECT true FROM outbox e
      WHERE e.ebox = o.ebox AND e.message_id = o.message_id AND e.state = 'waiting'
        AND (CASE e.type WHEN 'newDocument' THEN 0 WHEN 'readDocument' THEN 2 ELSE 1 END, e.due_at)
          < (CASE o.type WHEN 'newDocument' THEN 0 WHEN 'readDocument' THEN 2 ELSE 1 END, o.due_at)
      LIMIT 1) IS NULL
  ORDER BY o.due_at
  LIMIT :all
  FOR UPDATE OF o SKIP LOCKED
),
claimable AS (SELECT * FROM single UNION ALL SELECT * FROM bulk LIMIT :all)
SELECT c.ebox, c.correlation_id, c.type, c.message_id, c.attempts, c.trace,
  m.received_at, m.expires_at, m.read_at, m.is_visible, m.is_registered,
  m.message_type_id, m.sender, m.sender_application_id, m.subject, m.withdrawn_at
FROM claimable c
LEFT JOIN LATERAL (
  SELECT * FROM messages m WHERE m.ebox = c.ebox AND m.message_id = c.message_id LIMIT 1
) m ON true
ORDER BY c.due_at
""")
    .bindparams(
        bindparam("single", type_=Integer, literal_execute=True),
        bindparam("all", type_=Integer, literal_execute=True),
    )
    .columns(ebox=EboxKey, subject=JSON)
)
_LEASE: Final = text("""
UPDATE outbox o SET claimed_until = clock_timestamp() + :lease, attempts = k.attempt
FROM unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[]), CAST(:attempts AS integer[]))
  AS k(ebox, id, attempt)
WHERE o.ebox = k.ebox AND o.correlation_id = k.id AND o.state = 'waiting'
""")
_SETTLE: Final = text("""
UPDATE outbox o
SET state = :outcome, settled_at = :now, reason = :reason, claimed_until = NULL
FROM unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[]), CAST(:attempts AS integer[]))
  AS k(ebox, id, attempt)
WHERE o.ebox = k.ebox AND o.correlation_id = k.id AND o.state = 'waiting'
  AND (o.attempts = k.attempt OR :outcome = 'told')
""")
_RELEASE: Final = text("""
UPDATE outbox o SET claimed_until = NULL, reason = :reason
FROM unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[]), CAST(:attempts AS integer[]))
  AS k(ebox, id, attempt)
WHERE o.ebox = k.ebox AND o.correlation_id = k.id AND o.state = 'waiting'
  AND o.attempts = k.attempt
""")
_BACKLOG: Final = text("""
SELECT
  (SELECT count(*) FROM outbox WHERE state = 'waiting' AND due_at <= :now) AS waiting,
  (SELECT min(due_at) FROM outbox WHERE state = 'waiting' AND due_at <= :now) AS oldest,
  (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead
""")
