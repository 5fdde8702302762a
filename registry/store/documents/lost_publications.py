"""Lost publications: those of which storage has a record, and this database has nothing."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from registry.domain.document_keys import make_key
from registry.store.consultation.messages import attachments
from registry.store.publication.upload_notes import IS_CERTAIN, upload_notes
from registry.store.retention.document_erasures import document_erasures
from registry.store.retention.purge import deletions
from registry.store.value_pieces import has_key

_LOCK: Final = 7_302_114_812  # of all advisory locks, the one between adoptions


def find_lost(connection: Connection, message_ids: Sequence[UUID]) -> set[UUID]:
    """Find which of these messages nobody has or uploads, and of which no deletion is known.

    A message is known here by its first document, which every copy of it has.
    """
    keys = [make_key(message_id, 1) for message_id in message_ids]
    candidates = (
        func.unnest(literal(list(message_ids), ARRAY(Uuid)), literal(keys, ARRAY(Text)))
        .table_valued("id", "key", name="candidates")
        .render_derived()
    )
    traces = (
        select(attachments.c.ebox).where(has_key(attachments.c.blob_key, candidates.c.key)),
        select(upload_notes.c.ebox).where(upload_notes.c.message_id == candidates.c.id, IS_CERTAIN),
        select(deletions.c.why).where(deletions.c.message_id == candidates.c.id),
        select(document_erasures.c.due_at).where(document_erasures.c.blob_key == candidates.c.key),
    )
    rows = connection.scalars(select(candidates.c.id).where(*(~trace.exists() for trace in traces)))
    return set(rows)


def wait_for_adoptions(connection: Connection) -> None:
    """Wait for the adoption under way, and let none begin before this transaction ends.

    Two at once could both find that a message is lost.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
