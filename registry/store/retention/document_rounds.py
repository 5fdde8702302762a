"""Rounds in which every stored document is read once: how far each has come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    Integer,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import distinct_on

from registry.store.consultation.messages import attachments
from registry.store.schema import INSTANT, metadata
from registry.store.value_pieces import has_key, is_behind, take_key_piece

# One row a round; a mark on each document would be a second write for each of millions.
document_rounds = Table(
    "document_rounds",
    metadata,
    Column("round_id", BigInteger, Identity(always=True), primary_key=True),
    # All times are the database's, one for all workers: their machines need not agree.
    Column("started_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("finished_at", INSTANT),
    # A worker has the round until then; a round that it leaves behind is another's.
    Column("claimed_until", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("last_key", Text, nullable=False, server_default=""),  # all up to this one are read
    Column("attempts", Integer, nullable=False, server_default="0"),  # on the one after it
    Column("documents", BigInteger, nullable=False, server_default="0"),
    Column("size", BigInteger, nullable=False, server_default="0"),  # bytes
    Column("faults", BigInteger, nullable=False, server_default="0"),
)


class ClaimedRound(NamedTuple):
    """A round that is ours to go on with, after `last_key`; its next document failed `attempts`."""

    round_id: int
    last_key: str
    attempts: int


class StoredDocument(NamedTuple):
    """A document as a message that has it describes it; `size` in bytes, SHA-256 in base64url."""

    blob_key: str
    size: int
    digest: str
    message_id: UUID


class RoundSums(NamedTuple):
    """What is added to a round: documents read, their bytes, faults, failures of the next one."""

    documents: int = 0
    size: int = 0
    faults: int = 0
    failures: int = 0


def claim(connection: Connection, *, period: timedelta) -> ClaimedRound | None:
    """Claim the round under way, or begin one if the last began longer than `period` ago.

    None when none is due, or another has it. It is ours in this transaction; `extend` has it last.
    """
    connection.execute(_LOCK)
    connection.execute(_BEGIN, {"period": period})
    row = connection.execute(_FIND).first()
    return ClaimedRound(*row) if row else None


def list_next(connection: Connection, after: str, limit: int) -> Sequence[StoredDocument]:
    """List up to `limit` next documents by pieces of keys, each once, however many have it."""
    place = (take_key_piece(attachments.c.blob_key), attachments.c.blob_key)
    # Rows, not documents: for those that differ, PostgreSQL would sort all that there are.
    rows = (
        select(*(attachments.c[name] for name in StoredDocument._fields))
        .where(is_behind(attachments.c.blob_key, after))
        .order_by(*place)
        .limit(limit)
        .subquery("rows")
    )
    again = (take_key_piece(rows.c.blob_key), rows.c.blob_key)
    statement = select(rows).ext(distinct_on(*again)).order_by(*again)
    return [StoredDocument(*row) for row in connection.execute(statement)]


def is_promised(connection: Connection, blob_key: str) -> bool:
    """Tell if some message still has this document."""
    exists = select(attachments.c.ebox).where(has_key(attachments.c.blob_key, blob_key)).exists()
    return bool(connection.scalar(select(exists)))


def extend(connection: Connection, document_round: ClaimedRound, lease: timedelta) -> None:
    """Keep the round from others for so long from now on, or until there is progress."""
    connection.execute(_EXTEND, {"round_id": document_round.round_id, "lease": lease})


def note_progress(
    connection: Connection, document_round: ClaimedRound, last_key: str, sums: RoundSums
) -> None:
    """Note that all up to `last_key` is read, and let go of the round.

    Does nothing when another has gone on with it meanwhile.
    """
    names = {
        "round_id": document_round.round_id,
        "before": document_round.last_key,
        "last_key": last_key,
    }
    connection.execute(_NOTE, {**names, **sums._asdict()})


def finish(connection: Connection, document_round: ClaimedRound) -> None:
    """End the round: there is no document after its last one."""
    connection.execute(_FINISH, {"round_id": document_round.round_id})


def is_claimed(connection: Connection) -> bool:
    """Tell if somebody has the round under way."""
    has_lease = document_rounds.c.claimed_until > func.clock_timestamp()
    statement = select(document_rounds).where(document_rounds.c.finished_at.is_(None), has_lease)
    return connection.execute(statement).first() is not None


def find_last_start(connection: Connection) -> datetime | None:
    """Find when the newest round that is over began: since then every document was read."""
    is_over = document_rounds.c.finished_at.is_not(None)
    newest = select(func.max(document_rounds.c.started_at)).where(is_over)
    last_start: datetime | None = connection.scalar(newest)
    return last_start


# Two that begin a round at once would begin two.
_LOCK: Final = text("LOCK TABLE document_rounds IN SHARE ROW EXCLUSIVE MODE")
_BEGIN: Final = text("""
INSERT INTO document_rounds (started_at) SELECT clock_timestamp() WHERE NOT EXISTS (
  SELECT FROM document_rounds
  WHERE finished_at IS NULL OR started_at > clock_timestamp() - CAST(:period AS interval)
)
""")
_FIND: Final = text("""
SELECT round_id, last_key, attempts FROM document_rounds
WHERE finished_at IS NULL AND claimed_until <= clock_timestamp()
""")
_EXTEND: Final = text("""
UPDATE document_rounds SET claimed_until = clock_timestamp() + CAST(:lease AS interval)
WHERE round_id = :round_id
""")
_NOTE: Final = text("""
UPDATE document_rounds SET last_key = :last_key, claimed_until = clock_timestamp(),
  attempts = CASE WHEN last_key = :last_key THEN attempts ELSE 0 END + :failures,
  documents = documents + :documents, size = size + :size, faults = faults + :faults
WHERE round_id = :round_id AND last_key = :before AND finished_at IS NULL
""")
_FINISH: Final = text("""
UPDATE document_rounds SET finished_at = clock_timestamp(), claimed_until = clock_timestamp()
WHERE round_id = :round_id
""")
