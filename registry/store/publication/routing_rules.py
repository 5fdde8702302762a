"""Routing rules and events, as the federation last told us."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from registry.domain.identifiers import Ebox
from registry.domain.notifications import Notification
from registry.domain.routing import Rule
from registry.store.consultation.messages import messages
from registry.store.consultation.partition_rights import partition_rights
from registry.store.schema import BY_EBOX, INSTANT, JSON, AnyRow, ebox_column, metadata

# The whole ordered list; a row without rules says that there are none, no row that none are known.
routing_rules = Table(
    "routing_rules",
    metadata,
    ebox_column(),
    Column("rules", JSON, nullable=False),
    Column("told_at", INSTANT, nullable=False),
    postgresql_partition_by=BY_EBOX,
)

federation_events = Table(
    "federation_events",
    metadata,
    ebox_column(),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("happened_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    postgresql_partition_by=BY_EBOX,
)


def rules_of(connection: Connection, eboxes: Collection[Ebox]) -> Mapping[Ebox, tuple[Rule, ...]]:
    """The rules known here, of any e-Boxes; one whose rules are not known is absent."""
    keys = [ebox.key for ebox in eboxes]
    rows = connection.execute(
        select(func.rules_of(keys).table_valued("owner", Column("rules", JSON)))
    )
    return {Ebox.from_key(row.owner): read(row.rules) for row in rows}


def told_at(connection: Connection, ebox: Ebox) -> datetime | None:
    """When the rules that are known were told; None when none are."""
    return connection.scalar(select(routing_rules.c.told_at).where(routing_rules.c.ebox == ebox))


def rules_column(ebox: Ebox) -> ColumnElement[Any]:
    """A column `rules` for `read`, of the e-Box that is named; NULL when they are not known."""
    known = select(routing_rules.c.rules).where(routing_rules.c.ebox == ebox)
    return known.scalar_subquery().label("rules")


def read(kept: Any) -> tuple[Rule, ...]:
    """The rules as they were kept."""
    return tuple(Rule(**rule) for rule in kept)


def keep_rules(
    connection: Connection, ebox: Ebox, rules: Iterable[Rule], *, told_at: datetime
) -> None:
    """Remember the rules of an e-Box in place of those before."""
    told = {"rules": [asdict(rule) for rule in rules], "told_at": told_at}
    connection.execute(
        insert(routing_rules)
        .values(ebox=ebox, **told)
        .on_conflict_do_update(constraint="pk_routing_rules", set_=told)
    )


def alone(connection: Connection, ebox: Ebox) -> None:
    """Wait until no other transaction changes what is known of this e-Box, and keep others out.

    Two events at once would otherwise not see each other, and the older might win.
    """
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(ebox.key, 0))))


def newest(connection: Connection, ebox: Ebox) -> AnyRow:
    """`happened_at` and `received_at` of the newest event about this e-Box; None when none came."""
    return connection.execute(
        select(
            func.max(federation_events.c.happened_at).label("happened_at"),
            func.max(federation_events.c.received_at).label("received_at"),
        ).where(federation_events.c.ebox == ebox)
    ).one()


def note_event(
    connection: Connection, ebox: Ebox, event: Notification, *, happened: datetime, now: datetime
) -> bool:
    """Note that an event came; whether it is the first time."""
    noted = connection.execute(
        insert(federation_events)
        .values(
            ebox=ebox,
            source=event.source,
            event_id=event.id,
            happened_at=happened,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(federation_events.c.event_id)
    )
    return noted.first() is not None


def forget_rights(connection: Connection, ebox: Ebox) -> None:
    """Drop what was known of people's rights in this e-Box."""
    connection.execute(delete(partition_rights).where(partition_rights.c.ebox == ebox))


def forget_rules(connection: Connection, ebox: Ebox) -> None:
    """Drop what was known of this e-Box's rules."""
    connection.execute(delete(routing_rules).where(routing_rules.c.ebox == ebox))


def pending(connection: Connection, ebox: Ebox) -> Sequence[AnyRow]:
    """The messages that were filed before the rules were known."""
    return connection.execute(
        select(
            messages.c.message_id,
            messages.c.message_type_id,
            messages.c.sender_application_id,
            messages.c.sender,
        )
        .where(messages.c.ebox == ebox, messages.c.is_routing_pending)
        .order_by(messages.c.message_id)  # as others lock them, so that nobody blocks another
    ).all()


def waiting(connection: Connection, limit: int) -> Sequence[Ebox]:
    """e-Boxes whose messages wait for rules; the worker's role alone may look across them.

    In no order, so that some about whom nobody ever answers do not keep others waiting.
    """
    eboxes = select(messages.c.ebox).where(messages.c.is_routing_pending).distinct().subquery()
    return connection.scalars(select(eboxes.c.ebox).order_by(func.random()).limit(limit)).all()


def settle(connection: Connection, ebox: Ebox, message_id: Any, partition: str) -> None:
    """Put a pending message where the rules want it, unless its owner has moved it meanwhile."""
    connection.execute(
        update(messages)
        .where(
            messages.c.ebox == ebox,
            messages.c.message_id == message_id,
            messages.c.is_routing_pending,
        )
        .values(partition=partition, is_routing_pending=False)
    )
