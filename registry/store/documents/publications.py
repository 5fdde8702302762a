"""Documents by the time of their publication, for whoever looks at them again.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text


class PublishedDocument(NamedTuple):
    """A stored document, of a message that is not withdrawn; `size` in bytes."""

    blob_key: str
    message_id: UUID
    size: int


def list_published(
    connection: Connection, *, begin: datetime, end: datetime, after: str, limit: int
) -> Sequence[PublishedDocument]:
    """List documents behind a key, of messages received from `begin` on and before `end`.

    In the order of their keys, each once: all e-Boxes of a broadcast share one.
    """
    values = {"begin": begin, "end": end, "after": after, "limit": limit}
    return [PublishedDocument._make(row) for row in connection.execute(_LIST, values)]


def find_next_arrival(connection: Connection, since: datetime) -> datetime | None:
    """Find when the first message came in from then on; None when none did."""
    instant: datetime | None = connection.execute(_NEXT, {"since": since}).scalar()
    return instant


_LIST: Final = text("""
SELECT a.blob_key, (array_agg(a.message_id))[1], max(a.size)
FROM messages m JOIN attachments a ON a.ebox = m.ebox AND a.message_id = m.message_id
WHERE m.received_at >= :begin AND m.received_at < :end AND m.withdrawn_at IS NULL
  AND a.blob_key > :after
GROUP BY a.blob_key
ORDER BY a.blob_key
LIMIT :limit
""")
_NEXT: Final = text("SELECT min(received_at) FROM messages WHERE received_at >= :since")
