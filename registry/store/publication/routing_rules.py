"""Routing rules as the federation last told them, and the events that told of changes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Table,
    Text,
    TypeDecorator,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from registry.domain.identifiers import Ebox
from registry.domain.notifications import Notification
from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule
from registry.store.consultation.messages import messages
from registry.store.consultation.partition_rights import partition_rights
from registry.store.schema import BY_EBOX, INSTANT, ebox_column, metadata


class OrderedRules(TypeDecorator[tuple[Rule, ...]]):
    """Rules in the order of their priority, as a JSON array of objects."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: Iterable[Rule] | None, _dialect: Dialect) -> Any:
        """Give the array that is stored."""
        return None if value is None else [asdict(rule) for rule in value]

    def process_result_value(self, value: Any, _dialect: Dialect) -> tuple[Rule, ...] | None:
        """Give the rules of an array; None for SQL's NULL."""
        return None if value is None else tuple(Rule(**members) for members in value)


# The whole ordered list; a row without rules says that there are none, no row that none are known.
routing_rules = Table(
    "routing_rules",
    metadata,
    ebox_column(),
    Column("rules", OrderedRules, nullable=False),
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


class EventTimes(NamedTuple):
    """The greatest times of all events about an e-Box; None when none came."""

    happened_at: datetime | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A message that waits for its recipient's rules, with what they decide by."""

    message_id: UUID
    message_type_id: str
    sender_application_id: str | None
    sender: str  # an enterprise number


def find_rules(connection: Connection, eboxes: Collection[Ebox]) -> Mapping[Ebox, tuple[Rule, ...]]:
    """Find the rules of any e-Boxes; one whose rules are not known is absent.

    A function of the database looks, because row-level security shows only the e-Box that is named.
    """
    keys = [ebox.key for ebox in eboxes]
    rows = connection.execute(
        select(func.rules_of(keys).table_valued("owner", Column("rules", OrderedRules)))
    )
    return {Ebox.from_key(row.owner): row.rules for row in rows}


def find_told_at(connection: Connection, ebox: Ebox) -> datetime | None:
    """Find the time at which the known rules were told; None when no rules are known."""
    return connection.scalar(select(routing_rules.c.told_at).where(routing_rules.c.ebox == ebox))


def keep_rules(
    connection: Connection, ebox: Ebox, rules: Iterable[Rule], *, told_at: datetime
) -> None:
    """Keep the rules of an e-Box in place of those before."""
    values = {"rules": tuple(rules), "told_at": told_at}
    connection.execute(
        insert(routing_rules)
        .values(ebox=ebox, **values)
        .on_conflict_do_update(constraint="pk_routing_rules", set_=values)
    )


def lock_ebox(connection: Connection, ebox: Ebox) -> None:
    """Wait until no other transaction changes the rules of this e-Box, and keep others out.

    Two events at once would otherwise not see each other, and the older might win.
    """
    # An advisory lock, because there may be no row yet that could be locked.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(ebox.key, 0))))


def find_event_times(connection: Connection, ebox: Ebox) -> EventTimes:
    """Find when the newest events about this e-Box happened and came in."""
    row = connection.execute(
        select(
            func.max(federation_events.c.happened_at).label("happened_at"),
            func.max(federation_events.c.received_at).label("received_at"),
        ).where(federation_events.c.ebox == ebox)
    ).one()
    return EventTimes(**row._asdict())


def note_event(
    connection: Connection, ebox: Ebox, event: Notification, *, happened_at: datetime, now: datetime
) -> bool:
    """Note that an event came in; tell whether it is the first time."""
    row = connection.execute(
        insert(federation_events)
        .values(
            ebox=ebox,
            source=event.source,
            event_id=event.id,
            happened_at=happened_at,
            received_at=now,
        )
        .on_conflict_do_nothing()  # the federation repeats what it is not sure that we got
        .returning(federation_events.c.event_id)
    ).first()
    return row is not None


def forget_rights(connection: Connection, ebox: Ebox) -> None:
    """Delete the known rights of people in this e-Box."""
    connection.execute(delete(partition_rights).where(partition_rights.c.ebox == ebox))


def forget_rules(connection: Connection, ebox: Ebox) -> None:
    """Delete the known rules of this e-Box."""
    connection.execute(delete(routing_rules).where(routing_rules.c.ebox == ebox))


def find_pending_messages(connection: Connection, ebox: Ebox) -> Sequence[PendingMessage]:
    """Find the messages that were filed before the rules were known."""
    rows = connection.execute(
        select(
            messages.c.message_id,
            messages.c.message_type_id,
            messages.c.sender_application_id,
            messages.c.sender,
        )
        .where(messages.c.ebox == ebox, messages.c.is_routing_pending)
        .order_by(messages.c.message_id)  # as others lock them, so that nobody blocks another
    )
    return [PendingMessage(**row._asdict()) for row in rows]


def find_waiting_eboxes(connection: Connection, limit: int) -> Sequence[Ebox]:
    """Find e-Boxes whose messages wait for rules; the worker's role alone may look across them.

    They come in random order, so that e-Boxes whose rules nobody ever gives do not hold up others.
    """
    eboxes = select(messages.c.ebox).where(messages.c.is_routing_pending).distinct().subquery()
    return connection.scalars(select(eboxes.c.ebox).order_by(func.random()).limit(limit)).all()


def route_message(connection: Connection, ebox: Ebox, message_id: UUID, partition: str) -> None:
    """Put a pending message into its partition, unless its owner has moved it meanwhile."""
    connection.execute(
        update(messages)
        .where(
            messages.c.ebox == ebox,
            messages.c.message_id == message_id,
            messages.c.is_routing_pending,  # still: an owner who moves a message ends its waiting
        )
        .values(partition=partition, is_routing_pending=False)
    )


def move_to_general(connection: Connection, ebox: Ebox, partition: str) -> None:
    """Put the messages of a partition that is gone into the general one (contract 6.19)."""
    # Locked in the order in which others lock them, so that nobody blocks another.
    locked = (
        select(messages.c.message_id)
        .where(messages.c.ebox == ebox, messages.c.partition == partition)
        .order_by(messages.c.message_id)
        .with_for_update()
    )
    connection.execute(
        update(messages)
        .where(messages.c.ebox == ebox, messages.c.message_id.in_(locked))
        .values(partition=GENERAL)
    )
