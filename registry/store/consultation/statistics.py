"""Statistics: counts over an e-Box."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import action_required, is_present, is_unread, messages


class EboxCounts(NamedTuple):
    """Numbers of messages; `last_received_at` is None in an empty e-Box."""

    messages: int
    unread: int
    soon_expiring: int
    action_required: int
    registered_messages: int
    last_received_at: datetime | None


def count_messages(
    connection: Connection,
    ebox: Ebox,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
    soon: datetime,
) -> EboxCounts:
    """Count all of contract 6.9 in one statement; invisible messages count, expired ones do not.

    `soon` is the instant before which an unread message expires soon.
    """
    query = select(
        func.count().label("messages"),
        func.count().filter(is_unread).label("unread"),
        func.count().filter(is_unread, messages.c.expires_at < soon).label("soon_expiring"),
        func.count().filter(action_required).label("action_required"),
        func.count().filter(messages.c.is_registered).label("registered_messages"),
        func.max(messages.c.received_at).label("last_received_at"),
    ).where(*is_present(ebox, now))
    if partitions is not None:
        query = query.where(messages.c.partition.in_(sorted(partitions)))
    return EboxCounts._make(connection.execute(query).one())
