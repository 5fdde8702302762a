"""Counts over an e-Box."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import action_required, is_unread, messages, present
from registry.store.schema import AnyRow


def counts(
    connection: Connection,
    ebox: Ebox,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
    soon: datetime,
) -> AnyRow:
    """All counts of contract 6.9 in one statement; invisible messages count, expired ones do not.

    `soon` is the instant before which an unread message expires soon.
    """
    query = select(
        func.count().label("messages"),
        func.count().filter(is_unread).label("unread"),
        func.count().filter(is_unread, messages.c.expires_at < soon).label("soon_expiring"),
        func.count().filter(action_required).label("action_required"),
        func.count().filter(messages.c.is_registered).label("registered"),
        func.max(messages.c.received_at).label("last_received_at"),
    ).where(*present(ebox, now))
    if partitions is not None:
        query = query.where(messages.c.partition.in_(sorted(partitions)))
    return connection.execute(query).one()
