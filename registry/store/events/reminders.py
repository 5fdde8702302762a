"""Unread messages that are due for a reminder, or for an alert before they expire.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal,
    select,
    union_all,
    update,
)

from registry.domain.events import EventType
from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import messages
from registry.store.retention.legal_holds import is_held
from registry.store.schema import INSTANT


class UnreadMessage(NamedTuple):
    """A message that its owner has not read yet."""

    ebox: Ebox
    message_id: UUID


class Forecast(NamedTuple):
    """Number of events of one type that become due on one day, and of the e-Boxes they are for."""

    type: str
    day: date
    messages: int
    eboxes: int


def mark_reminded(
    connection: Connection, *, received_before: datetime, now: datetime, limit: int
) -> Sequence[UnreadMessage]:
    """Mark unread messages as reminded of, the oldest first; each is given only once ever.

    Those that are hidden, expired or under a legal hold are left out.
    """
    is_due = _is_remindable(received_before, now)
    return _mark(connection, messages.c.is_reminded, is_due, messages.c.received_at, limit)


def mark_alerted(
    connection: Connection, *, expiring_before: datetime, now: datetime, limit: int
) -> Sequence[UnreadMessage]:
    """Mark unread messages that expire soon as alerted about, with the rules of `mark_reminded`."""
    is_due = _is_alertable(expiring_before, now)
    return _mark(connection, messages.c.is_alerted, is_due, messages.c.expires_at, limit)


def forecast(
    connection: Connection,
    *,
    now: datetime,
    until: datetime,
    reminder_after: timedelta,
    alert_before: timedelta,
    zone: str,
) -> Sequence[Forecast]:
    """Count the reminders and alerts due until then, if no message is read before, by day.

    Days are those of the clocks of `zone`. An event that is due already counts for today.
    """
    reminder_at = messages.c.received_at + reminder_after
    alert_at = messages.c.expires_at - alert_before
    reminders = _count_by_day(EventType.NEW_DOCUMENT_REMINDER, reminder_at, now, zone).where(
        _is_remindable(until - reminder_after, now),
        messages.c.expires_at > reminder_at,  # else it is gone before its reminder is due
    )
    alerts = _count_by_day(EventType.DOCUMENT_EXPIRATION_ALERT, alert_at, now, zone).where(
        _is_alertable(until + alert_before, now)
    )
    rows = connection.execute(union_all(reminders, alerts).order_by("day", "type"))
    return [Forecast(**row._asdict()) for row in rows]


def _is_remindable(received_before: datetime, now: datetime) -> ColumnElement[bool]:
    # The first three conditions are those of the partial index `ix_messages_to_remind`.
    return and_(
        messages.c.read_at.is_(None),
        messages.c.is_visible,
        ~messages.c.is_reminded,
        messages.c.received_at <= received_before,
        messages.c.expires_at > now,
        ~is_held(messages),
    )


def _is_alertable(expiring_before: datetime, now: datetime) -> ColumnElement[bool]:
    # The first three conditions are those of the partial index `ix_messages_to_alert`.
    return and_(
        messages.c.read_at.is_(None),
        messages.c.is_visible,
        ~messages.c.is_alerted,
        messages.c.expires_at <= expiring_before,
        messages.c.expires_at > now,
        ~is_held(messages),
    )


def _mark(
    connection: Connection,
    flag: Column[bool],
    is_due: ColumnElement[bool],
    order: Column[datetime],
    limit: int,
) -> Sequence[UnreadMessage]:
    """Set the flag of up to `limit` messages; another worker's, which are locked, are left out."""
    due = (
        select(messages.c.ebox, messages.c.message_id)
        .where(is_due)
        .order_by(order)
        .limit(limit)
        .with_for_update(skip_locked=True)  # an owner who reads it now needs no reminder
        .cte("due")
    )
    rows = connection.execute(
        update(messages)
        .where(messages.c.ebox == due.c.ebox, messages.c.message_id == due.c.message_id)
        .values({flag: True})
        .returning(messages.c.ebox, messages.c.message_id)
    )
    return [UnreadMessage(**row._asdict()) for row in rows]


def _count_by_day(
    kind: EventType, due_at: ColumnElement[datetime], now: datetime, zone: str
) -> Select[Any]:
    # On the clocks of the owners: half past midnight in Brussels is still yesterday in UTC.
    day = func.date(func.timezone(zone, func.greatest(due_at, literal(now, INSTANT))))
    return select(
        literal(kind.value).label("type"),
        day.label("day"),
        func.count().label("messages"),
        func.count(messages.c.ebox.distinct()).label("eboxes"),
    ).group_by("day")
