"""Events waiting to be told to the federation, written where they happen."""

from datetime import datetime

from sqlalchemy import Column, Connection, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import insert

from registry.domain.events import Event
from registry.store.base import BY_EBOX, INSTANT, ebox_column, metadata

outbox = Table(
    "outbox",
    metadata,
    ebox_column(),
    Column("correlation_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    postgresql_partition_by=BY_EBOX,
)


def add(connection: Connection, event: Event, *, due_at: datetime) -> None:
    """Have the event told from `due_at` on; the same event twice is one."""
    connection.execute(
        insert(outbox)
        .values(
            ebox=event.ebox,
            correlation_id=event.correlation_id,
            type=event.type,
            message_id=event.message_id,
            due_at=due_at,
        )
        .on_conflict_do_nothing()
    )
