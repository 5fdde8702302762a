"""Events for the federation: added in the transaction of their cause, claimed by a worker."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from registry.domain.events import Event
from registry.store.schema import BY_EBOX, INSTANT, ebox_column, metadata

_IS_WAITING: Final = text("state = 'waiting'")

# `state` is waiting; told; dead: refused, until an operator decides; skipped by an operator; or
# withdrawn: overtaken by what became of its message. What was told is forgotten after some days
# (ADR 041): an event that is absent was told, and all others stay until the purge.
outbox = Table(
    "outbox",
    metadata,
    ebox_column(),
    Column("correlation_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("is_bulk", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("claimed_until", INSTANT),  # by the database's clock
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text),
    Column("settled_at", INSTANT),
    # Of the call that is its cause (W3C Trace Context), if there was one. Whoever adds events by a
    # function of the database names it for the transaction.
    Column(
        "trace",
        Text,
        server_default=text("NULLIF(current_setting('registry.trace'::text, true), ''::text)"),
    ),
    CheckConstraint("state IN ('waiting', 'told', 'dead', 'skipped', 'withdrawn')", name="state"),
    # The worker's: it looks across e-Boxes for what is due, and nobody else does.
    Index("ix_outbox_waiting", "is_bulk", "due_at", postgresql_where=_IS_WAITING),
    Index("ix_outbox_dead", "settled_at", postgresql_where=text("state = 'dead'")),
    Index("ix_outbox_told", "settled_at", postgresql_where=text("state = 'told'")),
    # An operator has the id of an event or a message, and not whose it is.
    Index("ix_outbox_correlation_id", "correlation_id"),
    Index("ix_outbox_message_id", "message_id", "ebox"),
    postgresql_partition_by=BY_EBOX,
)


def add(
    connection: Connection, event: Event, *, due_at: datetime, trace: str | None = None
) -> None:
    """Have the event sent from `due_at` on; the same event twice is one.

    `trace` is that of the call that is its cause.
    """
    connection.execute(build_insert(event, due_at=due_at, trace=trace))


def build_insert(event: Event, *, due_at: datetime, trace: str | None = None) -> Insert:
    """Build the statement of `add`, for a statement that does more at once."""
    return (
        insert(outbox)
        .values(
            ebox=event.ebox,
            correlation_id=event.correlation_id,
            type=event.type,
            message_id=event.message_id,
            due_at=due_at,
            trace=trace,
        )
        .on_conflict_do_nothing()
    )


def add_bulk(connection: Connection, events: Sequence[Event], *, due_at: datetime) -> None:
    """Have many events sent, in a lane of their own that does not hold up single publications."""
    connection.execute(
        _ADD_BULK,
        {
            "eboxes": [event.ebox.key for event in events],
            "ids": [event.correlation_id for event in events],
            "types": [event.type.value for event in events],
            "messages": [event.message_id for event in events],
            "due_at": due_at,
        },
    )


_ADD_BULK: Final = text("""
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, is_bulk)
SELECT e.ebox, e.id, e.type, e.message_id, :due_at, true
FROM unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[]), CAST(:types AS text[]),
  CAST(:messages AS uuid[])) AS e(ebox, id, type, message_id)
ON CONFLICT DO NOTHING
""")
