"""Messages by what they carry: a document of a digest, a subject of a hash.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Executable, text

from registry.domain.identifiers import Ebox
from registry.store.schema import EboxKey


class Carrier(NamedTuple):
    """A message in one e-Box; `attachment_ids` are of the documents that were looked for."""

    message_id: UUID
    ebox: Ebox
    received_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    sender: str  # an enterprise number
    sender_application_id: str | None
    attachment_ids: Sequence[str]


def find_by_digest(connection: Connection, digest: str, *, limit: int) -> Sequence[Carrier]:
    """Find up to `limit` messages with a document of this SHA-256, in base64url."""
    return _read(connection, _BY_DIGEST, {"digest": digest, "limit": limit})


def find_by_subject(connection: Connection, subject_hash: str, *, limit: int) -> Sequence[Carrier]:
    """Find up to `limit` messages with a subject whose UTF-8 has this SHA-256, in hexadecimal.

    The subject in any of its languages.
    """
    return _read(connection, _BY_SUBJECT, {"hash": subject_hash, "limit": limit})


def _read(
    connection: Connection, statement: Executable, values: dict[str, Any]
) -> Sequence[Carrier]:
    return [Carrier._make(row) for row in connection.execute(statement, values)]


_BY_DIGEST: Final = text("""
SELECT m.message_id, m.ebox, m.received_at, m.expires_at, m.withdrawn_at, m.sender,
  m.sender_application_id, a.attachment_ids
FROM (
  SELECT ebox, message_id, array_agg(attachment_id ORDER BY position) AS attachment_ids
  FROM attachments WHERE digest = :digest AND left(digest, 2) = left(:digest, 2)
  GROUP BY ebox, message_id
) a JOIN messages m ON m.ebox = a.ebox AND m.message_id = a.message_id
ORDER BY m.received_at, m.message_id, m.ebox
LIMIT :limit
""").columns(ebox=EboxKey)
_BY_SUBJECT: Final = text("""
SELECT message_id, ebox, received_at, expires_at, withdrawn_at, sender, sender_application_id,
  CAST('{}' AS text[])
FROM messages
WHERE subject_pieces(subject) @> ARRAY[left(:hash, 3)]
  AND subject_hashes(subject) @> ARRAY[CAST(:hash AS text)]
ORDER BY received_at, message_id, ebox
LIMIT :limit
""").columns(ebox=EboxKey)
