"""Documents to erase from storage, whose messages are gone: storage takes no part in transactions.

The worker's role alone sees them.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Identity, Index, Table, Text, text

from registry.store.schema import INSTANT, metadata

document_erasures = Table(
    "doomed_documents",
    metadata,
    Column("doom_id", BigInteger, Identity(always=True), primary_key=True),
    Column("blob_key", Text, nullable=False),
    Column("due_at", INSTANT, nullable=False),  # by the database's clock
    Index(None, "due_at"),
    Index(None, "blob_key"),
)


class DocumentErasure(NamedTuple):
    """A document to erase from storage, unless it `is_claimed` by another message."""

    erasure_id: int
    blob_key: str
    is_claimed: bool


def plan_erasures(connection: Connection, blob_keys: Sequence[str]) -> None:
    """Have documents erased from storage, from now on."""
    if blob_keys:
        connection.execute(_PLAN, {"keys": list(blob_keys)})


def claim_erasures(
    connection: Connection, *, limit: int, lease: timedelta
) -> Sequence[DocumentErasure]:
    """Claim documents to erase now; what is not done with by the lease's end is due again then.

    By the database's clock: what a worker claimed whose own was ahead would wait as long.
    """
    values = {"limit": limit, "lease": lease}
    return [DocumentErasure(**row._asdict()) for row in connection.execute(_CLAIM, values)]


def postpone_erasures(
    connection: Connection, erasure_ids: Sequence[int], *, pause: timedelta
) -> None:
    """Make erasures due again after a pause."""
    connection.execute(_POSTPONE, {"ids": list(erasure_ids), "pause": pause})


def end_erasures(connection: Connection, erasure_ids: Sequence[int]) -> None:
    """Have done with erasures: the documents are gone, or another message has them."""
    connection.execute(_END, {"ids": list(erasure_ids)})


_PLAN: Final = text("""
INSERT INTO doomed_documents (blob_key, due_at)
SELECT key, clock_timestamp() FROM unnest(CAST(:keys AS text[])) AS key
""")
_CLAIM: Final = text("""
WITH due AS (
  SELECT doom_id FROM doomed_documents
  WHERE due_at <= statement_timestamp() ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE doomed_documents d SET due_at = clock_timestamp() + :lease
FROM due WHERE d.doom_id = due.doom_id
RETURNING d.doom_id AS erasure_id, d.blob_key,
  EXISTS (
    SELECT FROM attachments a
    WHERE substr(a.blob_key, 11, 5) = substr(d.blob_key, 11, 5) AND a.blob_key = d.blob_key
  ) AS is_claimed
""")
_POSTPONE: Final = text("""
UPDATE doomed_documents SET due_at = clock_timestamp() + :pause
WHERE doom_id = ANY(CAST(:ids AS bigint[]))
""")
_END: Final = text("""
DELETE FROM doomed_documents WHERE doom_id = ANY(CAST(:ids AS bigint[]))
""")
