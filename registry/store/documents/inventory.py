"""The inventory of documents, by key: what messages have, and what nobody knows.

A key says nothing of an e-Box, so that a check can note how far it came without naming anybody.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Text, Uuid, func, literal, select, text, true, update
from sqlalchemy.dialects.postgresql import ARRAY

from registry.domain.document_keys import find_message_id
from registry.domain.identifiers import Ebox
from registry.domain.storage_findings import FiledDocument
from registry.store.consultation.messages import attachments, messages
from registry.store.publication.upload_notes import IS_CERTAIN, upload_notes
from registry.store.retention.document_erasures import document_erasures
from registry.store.retention.legal_holds import is_held
from registry.store.value_pieces import has_key, is_behind, take_key_piece


class UnclaimedObject(NamedTuple):
    """An object that no message has; `is_overdue`: it should have been erased long ago.

    Else nobody knows it at all.
    """

    key: str
    is_overdue: bool


def list_documents(
    connection: Connection, ebox: Ebox | None, *, after: str, limit: int
) -> Sequence[FiledDocument]:
    """List up to `limit` documents behind a key by pieces of keys; of one e-Box or of all.

    Each is listed once. A document has one row for each e-Box of a broadcast, and they are alike.
    """
    is_in_scope = [] if ebox is None else [attachments.c.ebox == ebox]
    place = (take_key_piece(attachments.c.blob_key), attachments.c.blob_key)
    # Rows, not documents: for those that differ, PostgreSQL would sort all that there are.
    next_rows = (
        select(attachments.c.blob_key)
        .where(is_behind(attachments.c.blob_key, after), *is_in_scope)
        .order_by(*place)
        .limit(limit)
        .subquery("next_rows")
    )
    keys = select(next_rows.c.blob_key).distinct().cte("keys")
    columns = (
        attachments.c.blob_key,
        attachments.c.message_id,
        attachments.c.size,
        attachments.c.digest,
    )
    is_its_message = (messages.c.ebox == attachments.c.ebox) & (
        messages.c.message_id == attachments.c.message_id
    )
    rows = connection.execute(
        select(
            *columns,
            func.max(messages.c.expires_at).label("expires_at"),
            func.bool_or(is_held(messages)).label("is_held"),
            func.max(attachments.c.fault).label("fault"),
        )
        .select_from(keys.join(attachments, has_key(attachments.c.blob_key, keys.c.blob_key)))
        .join(messages, is_its_message)
        .group_by(*columns)
        .order_by(*place)
    )
    return [FiledDocument(**row._asdict()) for row in rows]


def count_documents(connection: Connection, ebox: Ebox | None) -> int:
    """Count the documents of an e-Box; of all, estimate their rows as PostgreSQL's planner does."""
    if ebox is None:
        return int(connection.execute(_ESTIMATE).scalar_one())
    rows = select(func.count()).select_from(attachments).where(attachments.c.ebox == ebox)
    return connection.execute(rows).scalar_one()


def find_unclaimed(
    connection: Connection, keys: Sequence[str], *, due_before: datetime
) -> Sequence[UnclaimedObject]:
    """Find which of these objects no message has, and no upload that is noted.

    Those whose erasure is due are left out, unless it has been since before that instant.
    """
    ids = [find_message_id(key) for key in keys]
    objects = (
        func.unnest(literal(list(keys), ARRAY(Text)), literal(ids, ARRAY(Uuid)))
        .table_valued("key", "id", name="objects")
        .render_derived()
    )
    erasure = (
        select((func.min(document_erasures.c.due_at) < due_before).label("is_overdue"))
        .where(document_erasures.c.blob_key == objects.c.key)
        .lateral("erasure")
    )
    has_message = select(attachments.c.ebox).where(has_key(attachments.c.blob_key, objects.c.key))
    has_note = select(upload_notes.c.ebox).where(
        upload_notes.c.message_id == objects.c.id, IS_CERTAIN
    )
    is_unknown = erasure.c.is_overdue.is_(None) & ~has_note.exists()
    rows = connection.execute(
        select(objects.c.key, func.coalesce(erasure.c.is_overdue, False))
        .select_from(objects.join(erasure, true()))
        .where(~has_message.exists(), erasure.c.is_overdue | is_unknown)
    )
    return [UnclaimedObject(*row) for row in rows]


def mark(connection: Connection, key: str, fault: str | None) -> int:
    """Mark a document, for all who have it, as one that storage cannot give; None ends that.

    Gives the number of e-Boxes for which that is new.
    """
    is_new = attachments.c.fault.is_distinct_from(fault)
    return connection.execute(
        update(attachments).where(has_key(attachments.c.blob_key, key), is_new).values(fault=fault)
    ).rowcount


_ESTIMATE: Final = text("""
SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'attachments'::regclass
""")
