"""Notes of uploads: one for all documents of a message to be, there before their first byte.

A note goes away when the message claims its documents, or when they are deleted. `ebox` is the
sender's. What has no note is deleted by no clock (ADR 026).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    Uuid,
    delete,
    func,
    literal_column,
    select,
    text,
    update,
)

from registry.domain.identifiers import Ebox
from registry.store.schema import BY_EBOX, INSTANT, ebox_column, metadata
from registry.store.transactions import Transactions

# The cluster, and its timeline.
_LIFE: Final = (
    "(pg_control_system()).system_identifier"
    " || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)"
)

# The database says when a note was written, by its own clock, and in which life and transaction.
upload_notes = Table(
    "upload_notes",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("noted_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column(
        "written_in",
        Text,
        nullable=False,
        server_default=text(f"({_LIFE} || '/' || pg_current_xact_id()::xid::text)"),
    ),
    Column("condemned_at", INSTANT),
    Index(None, "noted_at"),
    Index(None, "message_id"),
    postgresql_partition_by=BY_EBOX,
)


class UploadNote(NamedTuple):
    """An upload by the owner of an e-Box, and the message that it is for."""

    ebox: Ebox
    message_id: UUID


def add(transactions: Transactions, note: UploadNote) -> None:
    """Note an upload, in one statement that commits itself and waits for no disk.

    Should a crash of the database take the note away again, nothing deletes its documents.
    """
    transactions.execute_alone(_ADD, (note.ebox.key, note.message_id))


def remove(connection: Connection, note: UploadNote) -> None:
    """Remove the note of an upload of which nothing is left, or nothing to delete."""
    is_it = (upload_notes.c.ebox == note.ebox, upload_notes.c.message_id == note.message_id)
    connection.execute(delete(upload_notes).where(*is_it))


def find_unclaimed(connection: Connection, older_than: timedelta) -> Sequence[UploadNote]:
    """Find the uploads that have had this time, and that no message has claimed."""
    rows = connection.execute(
        select(upload_notes.c.ebox, upload_notes.c.message_id)
        .where(_had_time(older_than), IS_CERTAIN)
        .order_by(upload_notes.c.noted_at)
    )
    return [UploadNote(*row) for row in rows]


def condemn(
    connection: Connection, older_than: timedelta, *, before: datetime, limit: int
) -> Sequence[UploadNote]:
    """Condemn up to `limit` of these uploads, so that no message can claim them any more.

    Gives them, and those that were condemned before that instant of the database's clock.
    """
    is_new = upload_notes.c.condemned_at.is_(None) & _IS_WRITTEN_NOW
    due = (
        select(upload_notes.c.ebox, upload_notes.c.message_id)
        .where(_had_time(older_than), is_new | (upload_notes.c.condemned_at < before))
        .order_by(upload_notes.c.noted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = connection.execute(
        update(upload_notes)
        .values(condemned_at=func.clock_timestamp())
        .where(upload_notes.c.ebox == due.c.ebox, upload_notes.c.message_id == due.c.message_id)
        .returning(upload_notes.c.ebox, upload_notes.c.message_id)
    )
    return [UploadNote(*row) for row in rows]


def count_restored(connection: Connection, older_than: timedelta) -> int:
    """Count the notes that had this time, and were written in another life of the database."""
    rows = select(func.count()).select_from(upload_notes).where(_had_time(older_than), ~IS_CERTAIN)
    return connection.execute(rows).scalar_one()


def _had_time(older_than: timedelta) -> ColumnElement[bool]:
    return upload_notes.c.noted_at < func.clock_timestamp() - older_than


# The row gets the e-Box that the statement itself has named, which row-level security looks at.
_ADD: Final = b"""
WITH named AS (
  SELECT set_config('registry.ebox', %s, true) AS ebox,
    set_config('synchronous_commit', 'off', true)
)
INSERT INTO upload_notes (ebox, message_id) SELECT named.ebox, %s FROM named
ON CONFLICT DO NOTHING
"""
# A database that was restored has the notes of uploads that were claimed since its backup. Each
# was written by COPY then, not by the transaction that it names, or in another life. What was
# condemned can have been claimed by nobody since.
_IS_WRITTEN_NOW: Final = upload_notes.c.written_in == literal_column(
    f"{_LIFE} || '/' || upload_notes.xmin::text", Text
)
# Of such an upload it is certain that no message has claimed it.
IS_CERTAIN: Final = upload_notes.c.condemned_at.is_not(None) | _IS_WRITTEN_NOW
