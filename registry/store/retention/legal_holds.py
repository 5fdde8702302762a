"""Legal holds: messages, or whole e-Boxes, that nothing may delete until an operator says so.

The worker's role alone may see them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Column, Connection, Table, Text, Uuid, func, insert, select, text, update

from registry.domain.identifiers import Ebox
from registry.store.schema import BY_EBOX, INSTANT, AnyRow, ebox_column, metadata

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

# A condition on a message `m`, inside EXISTS: it is held now.
HELD: Final = (
    "SELECT FROM legal_holds h WHERE h.ebox = m.ebox AND h.lifted_at IS NULL"
    " AND (h.message_id IS NULL OR h.message_id = m.message_id)"
)
_LOCK: Final = 7_302_114_811  # of all advisory locks, the one between holding and purging


def wait_for_purge(connection: Connection) -> None:
    """Wait for a batch of the purge under way, and let none begin before this transaction ends.

    Without it a hold could be set while its message was already being deleted.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def wait_for_holds(connection: Connection) -> None:
    """The purge's side of it: many batches at once, but none beside a hold that is being set."""
    connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def add(
    connection: Connection,
    ebox: Ebox,
    hold_id: UUID,
    *,
    message_id: UUID | None,
    why: str,
    now: datetime,
) -> None:
    """Set a hold on a message, or on all that the e-Box has and gets."""
    connection.execute(
        insert(legal_holds).values(
            ebox=ebox, hold_id=hold_id, message_id=message_id, why=why, set_at=now
        )
    )


def lift(connection: Connection, hold_id: UUID, *, why: str, now: datetime) -> AnyRow | None:
    """End a hold; its `ebox` and `message_id`, None when there is no such hold in force."""
    return connection.execute(
        update(legal_holds)
        .where(legal_holds.c.hold_id == hold_id, legal_holds.c.lifted_at.is_(None))
        .values(lifted_at=now, lifted_why=why)
        .returning(legal_holds.c.ebox, legal_holds.c.message_id)
    ).one_or_none()


def find(connection: Connection, hold_id: UUID) -> AnyRow | None:
    """A hold, in force or lifted."""
    query = select(legal_holds).where(legal_holds.c.hold_id == hold_id)
    return connection.execute(query).one_or_none()


def listed(connection: Connection, *, lifted: bool) -> Sequence[AnyRow]:
    """The holds in force, the oldest first; with those that were lifted if asked for."""
    query = select(legal_holds).order_by(legal_holds.c.set_at, legal_holds.c.hold_id)
    if not lifted:
        query = query.where(legal_holds.c.lifted_at.is_(None))
    return connection.execute(query).all()


def documents(
    connection: Connection, ebox: Ebox, message_id: UUID | None, *, only_free: bool
) -> Sequence[str]:
    """Keys of the documents of a message or an e-Box; `only_free`: those that no hold is on."""
    asked = {"ebox": ebox.key, "message_id": message_id, "only_free": only_free}
    return connection.execute(_DOCUMENTS, asked).scalars().all()


def has_message(connection: Connection, ebox: Ebox, message_id: UUID) -> bool:
    """Whether the e-Box has the message, expired or not."""
    found = connection.execute(_MESSAGE, {"ebox": ebox.key, "message_id": message_id})
    return found.first() is not None


_MESSAGE: Final = text("SELECT FROM messages WHERE ebox = :ebox AND message_id = :message_id")
# A document is shared by all e-Boxes of a broadcast: it is free when no row that has it is held.
_DOCUMENTS: Final = text(f"""
SELECT DISTINCT a.blob_key FROM attachments a
WHERE a.ebox = :ebox AND (CAST(:message_id AS uuid) IS NULL OR a.message_id = :message_id)
  AND NOT (:only_free AND EXISTS (
    SELECT FROM attachments m WHERE m.blob_key = a.blob_key AND EXISTS ({HELD})))
ORDER BY a.blob_key
""").columns(Column("blob_key", Text))
