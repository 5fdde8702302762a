"""Suspensions: senders and sender applications that may publish nothing for now.

The worker's role alone may see them. A trigger of the database asks them in the transaction of
each publication, and refuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    Uuid,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from registry.store.reference import sender_applications
from registry.store.schema import INSTANT, metadata

# '' stands for all: of a sender all applications, of an application all senders.
suspensions = Table(
    "suspensions",
    metadata,
    Column("suspension_id", Uuid, primary_key=True),
    Column("sender", Text, nullable=False),  # an enterprise number
    Column("application_id", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("suspended_at", INSTANT, nullable=False),
    Column("resumed_at", INSTANT),
    Column("resumed_why", Text),
    CheckConstraint("sender <> '' OR application_id <> ''", name="sender"),
    Index(
        "uq_suspensions_current",
        "sender",
        "application_id",
        unique=True,
        postgresql_where=text("resumed_at IS NULL"),
    ),
)
_LOCK: Final = 7_302_114_812  # shared by all that publish, in the trigger of the database


@dataclass(frozen=True, slots=True)
class SuspendedSender:
    """Party whose publications are refused: a sender, an application, or one by the other.

    `number` is an enterprise number, None for all senders; `application_id` None for all of them.
    """

    number: str | None
    application_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A suspension, in force until `resumed_at`."""

    suspension_id: UUID
    sender: SuspendedSender
    why: str
    suspended_at: datetime
    resumed_at: datetime | None
    resumed_why: str | None


def wait_for_publications(connection: Connection) -> None:
    """Wait for the publications that are under way, and let none begin before this is over."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def suspend(
    connection: Connection,
    suspension_id: UUID,
    sender: SuspendedSender,
    *,
    why: str,
    now: datetime,
) -> bool:
    """Suspend a sender; tells whether that is new."""
    row = connection.execute(
        insert(suspensions)
        .values(
            suspension_id=suspension_id,
            sender=sender.number or "",
            application_id=sender.application_id or "",
            why=why,
            suspended_at=now,
        )
        .on_conflict_do_nothing()
        .returning(suspensions.c.suspension_id)
    ).first()
    return row is not None


def resume(
    connection: Connection, sender: SuspendedSender, *, why: str, now: datetime
) -> UUID | None:
    """End the suspension of a sender and give its id; None when there is none in force."""
    return connection.execute(
        update(suspensions)
        .where(*_is_of(sender), suspensions.c.resumed_at.is_(None))
        .values(resumed_at=now, resumed_why=why)
        .returning(suspensions.c.suspension_id)
    ).scalar_one_or_none()


def find_current(connection: Connection, sender: SuspendedSender) -> Suspension | None:
    """Find the suspension of exactly this sender that is in force."""
    row = connection.execute(
        select(suspensions).where(*_is_of(sender), suspensions.c.resumed_at.is_(None))
    ).one_or_none()
    return None if row is None else _make_suspension(row._asdict())


def list_suspensions(
    connection: Connection, *, with_resumed: bool, limit: int
) -> Sequence[Suspension]:
    """List the suspensions in force, the oldest first; `with_resumed` also those that ended."""
    query = select(suspensions).order_by(suspensions.c.suspended_at, suspensions.c.suspension_id)
    if not with_resumed:
        query = query.where(suspensions.c.resumed_at.is_(None))
    rows = connection.execute(query.limit(limit))
    return [_make_suspension(row._asdict()) for row in rows]


def has_application(connection: Connection, application_id: str | None) -> bool:
    """Tell whether reference data have the application; None is none, and fine."""
    row = select(sender_applications.c.application_id).where(
        sender_applications.c.application_id == application_id
    )
    return application_id is None or connection.execute(row).first() is not None


def _is_of(sender: SuspendedSender) -> tuple[ColumnElement[bool], ...]:
    return (
        suspensions.c.sender == (sender.number or ""),
        suspensions.c.application_id == (sender.application_id or ""),
    )


def _make_suspension(columns: dict[str, Any]) -> Suspension:
    number, application_id = columns.pop("sender"), columns.pop("application_id")
    sender = SuspendedSender(number or None, application_id or None)
    return Suspension(sender=sender, **columns)
