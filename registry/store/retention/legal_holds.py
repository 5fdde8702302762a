"""Legal holds: messages, or whole e-Boxes, that nothing may delete until an operator says so.

The worker's role alone may see them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    Text,
    Uuid,
    exists,
    func,
    insert,
    select,
    update,
)

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import attachments, messages
from registry.store.schema import BY_EBOX, INSTANT, ebox_column, metadata

# A hold without a message is on the whole e-Box, with what comes later.
legal_holds = Table(
    "legal_holds",
    metadata,
    ebox_column(),
    Column("hold_id", Uuid, primary_key=True),
    Column("message_id", Uuid),
    Column("why", Text, nullable=False),
    Column("set_at", INSTANT, nullable=False),
    Column("lifted_at", INSTANT),
    Column("lifted_why", Text),
    postgresql_partition_by=BY_EBOX,
)
_LOCK: Final = 7_302_114_811  # of all advisory locks, the one between holding and purging


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """A hold on a message, or without `message_id` on an e-Box; in force until `lifted_at`."""

    ebox: Ebox
    hold_id: UUID
    message_id: UUID | None
    why: str
    set_at: datetime
    lifted_at: datetime | None
    lifted_why: str | None


def is_held(table: FromClause) -> ColumnElement[bool]:
    """Condition on rows of a table by e-Box and message: a hold on the message is in force."""
    return (
        exists()
        .where(
            legal_holds.c.ebox == table.c.ebox,
            legal_holds.c.lifted_at.is_(None),
            legal_holds.c.message_id.is_(None) | (legal_holds.c.message_id == table.c.message_id),
        )
        .correlate(table)
    )


def wait_for_purge(connection: Connection) -> None:
    """Wait for the batch that a purge deletes, and let none begin before this transaction ends.

    Without this lock a hold could be set while its message is already being deleted.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def wait_for_holds(connection: Connection) -> None:
    """Wait for holds that are being set, and let none be set before this transaction ends.

    The lock is shared: many purges may run at once, but none beside a hold that is being set.
    """
    connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def add_hold(
    connection: Connection,
    ebox: Ebox,
    hold_id: UUID,
    *,
    message_id: UUID | None,
    why: str,
    now: datetime,
) -> None:
    """Set a hold on a message, or on all messages that the e-Box has and will get."""
    connection.execute(
        insert(legal_holds).values(
            ebox=ebox, hold_id=hold_id, message_id=message_id, why=why, set_at=now
        )
    )


def add_message_holds(
    connection: Connection,
    holds: Sequence[tuple[Ebox, UUID]],
    message_id: UUID,
    *,
    why: str,
    now: datetime,
) -> None:
    """Set a hold on the copy of a message in each e-Box, under the id beside it."""
    rows = [
        {"ebox": ebox, "hold_id": hold_id, "message_id": message_id, "why": why, "set_at": now}
        for ebox, hold_id in holds
    ]
    connection.execute(insert(legal_holds), rows)


def lift_hold(
    connection: Connection, hold_id: UUID, *, why: str, now: datetime
) -> LegalHold | None:
    """End a hold and give it; None when no such hold is in force."""
    row = connection.execute(
        update(legal_holds)
        # Never rewritten: who lifted a hold, and why, stands as it was first noted.
        .where(legal_holds.c.hold_id == hold_id, legal_holds.c.lifted_at.is_(None))
        .values(lifted_at=now, lifted_why=why)
        .returning(legal_holds)
    ).one_or_none()
    return None if row is None else LegalHold(**row._asdict())


def find_hold(connection: Connection, hold_id: UUID) -> LegalHold | None:
    """Find a hold, in force or lifted."""
    row = connection.execute(
        select(legal_holds).where(legal_holds.c.hold_id == hold_id)
    ).one_or_none()
    return None if row is None else LegalHold(**row._asdict())


def list_holds(connection: Connection, *, with_lifted: bool) -> Sequence[LegalHold]:
    """List the holds in force, the oldest first; `with_lifted` also those that were lifted."""
    query = select(legal_holds).order_by(legal_holds.c.set_at, legal_holds.c.hold_id)
    if not with_lifted:
        query = query.where(legal_holds.c.lifted_at.is_(None))
    return [LegalHold(**row._asdict()) for row in connection.execute(query)]


def list_documents(
    connection: Connection, ebox: Ebox, message_id: UUID | None, *, only_free: bool
) -> Sequence[str]:
    """List the storage keys of the documents of a message, or of an e-Box.

    `only_free` leaves out documents that any hold is on: all e-Boxes of a broadcast share one.
    """
    query = select(attachments.c.blob_key).distinct().where(attachments.c.ebox == ebox)
    # A hold on the whole e-Box has no message.
    if message_id is not None:
        query = query.where(attachments.c.message_id == message_id)
    if only_free:
        other = attachments.alias("other")
        has_same_key = other.c.blob_key == attachments.c.blob_key
        query = query.where(~exists().where(has_same_key, is_held(other)).correlate(attachments))
    return connection.execute(query.order_by(attachments.c.blob_key)).scalars().all()


def has_message(connection: Connection, ebox: Ebox, message_id: UUID) -> bool:
    """Tell whether the e-Box has the message, expired or not."""
    row = select(messages.c.message_id).where(
        messages.c.ebox == ebox, messages.c.message_id == message_id
    )
    return connection.execute(row).first() is not None
