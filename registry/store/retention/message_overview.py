"""Overview of a message, for operators who may not read it; the worker's role alone may look.

No subject, text, title or file name is asked for.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from registry.domain.identifiers import Ebox
from registry.store.schema import EboxKey


class CopyOverview(NamedTuple):
    """A message in one e-Box; `hold_ids` are holds in force, on it or on the whole e-Box.

    `original_expires_at` is when it would have expired, had it not been withdrawn.
    """

    ebox: Ebox
    received_at: datetime
    expires_at: datetime
    read_at: datetime | None
    withdrawn_at: datetime | None
    original_expires_at: datetime | None
    is_visible: bool
    is_registered: bool
    is_reply_authorized: bool
    is_routing_pending: bool
    partition: str | None
    message_type_id: str
    sender: str  # an enterprise number
    sender_application_id: str | None
    original_message_id: UUID | None
    has_body: bool
    hold_ids: Sequence[UUID]


class DocumentOverview(NamedTuple):
    """A file of a message; `size` in bytes, `digest` SHA-256 in base64url.

    With a `fault` it is known that storage does not have what was published.
    """

    attachment_id: str
    media_type: str
    size: int
    digest: str
    is_main: bool
    blob_key: str
    fault: str | None


def list_copies(connection: Connection, message_id: UUID, *, limit: int) -> Sequence[CopyOverview]:
    """List up to `limit` copies of a message, in the order of their arrival."""
    rows = connection.execute(_COPIES, {"id": message_id, "limit": limit})
    return [CopyOverview._make(row) for row in rows]


def list_documents(
    connection: Connection, ebox: Ebox, message_id: UUID
) -> Sequence[DocumentOverview]:
    """List the files of a message, which all its copies share."""
    rows = connection.execute(_DOCUMENTS, {"id": message_id, "ebox": ebox.key})
    return [DocumentOverview._make(row) for row in rows]


_COPIES: Final = text("""
SELECT m.ebox, m.received_at, m.expires_at, m.read_at, m.withdrawn_at, m.original_expires_at,
  m.is_visible, m.is_registered, m.is_reply_authorized, m.is_routing_pending, m.partition,
  m.message_type_id, m.sender, m.sender_application_id, m.original_message_id,
  m.body IS NOT NULL,
  ARRAY(SELECT h.hold_id FROM legal_holds h
    WHERE h.ebox = m.ebox AND h.lifted_at IS NULL
      AND (h.message_id IS NULL OR h.message_id = m.message_id)
    ORDER BY h.set_at)
FROM messages m
WHERE m.message_id = :id
  AND right(CAST(m.message_id AS text), 3) = right(CAST(:id AS text), 3)
ORDER BY m.received_at, m.ebox
LIMIT :limit
""").columns(ebox=EboxKey)
_DOCUMENTS: Final = text("""
SELECT attachment_id, media_type, size, digest, is_main, blob_key, fault
FROM attachments
WHERE ebox = :ebox AND message_id = :id
ORDER BY position
""")
