"""Seals over the audit trail in the database: those that wait for the bucket, and all others."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Index, Table, Text, select, text

from registry.audit.store.entries import TransactionId
from registry.audit.trail.chain import SealCopy
from registry.store.schema import INSTANT, metadata

_PAGE: Final = 20  # seals that a server-side cursor hands over at once: each may be large

# The text has all members of a seal; the other columns are those that the database needs itself.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("seal_number", BigInteger, primary_key=True, autoincrement=False),
    Column("seal", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("until_xid", TransactionId, nullable=False),
    Column("sealed_at", INSTANT, nullable=False),
    Column("kept_until", INSTANT, nullable=False),
    Column("stored_at", INSTANT),
    Index(None, "until_xid"),
    Index("ix_audit_seals_unstored", "seal_number", postgresql_where=text("stored_at IS NULL")),
)


class SealRow(NamedTuple):
    """A seal as the database has it; `stored_at` is None until it is known to be in the bucket."""

    seal_number: int
    seal: str
    signature: str
    until_xid: int
    sealed_at: datetime
    kept_until: datetime
    stored_at: datetime | None = None

    @property
    def copy(self) -> SealCopy:
        """The seal as it is verified."""
        return SealCopy(self.seal_number, self.seal, self.signature)


class SealableSpan(NamedTuple):
    """The transactions from `first_xid` on to just before `horizon`: all of these are over.

    `previous` is the head of the last seal and `sealed_at` its time, None before the first;
    `is_waiting` says that this seal is still to be stored.
    """

    first_xid: int
    horizon: int
    previous: str | None
    sealed_at: datetime | None
    is_waiting: bool


def lock_sealing(connection: Connection) -> bool:
    """Lock out other sealers until the transaction ends; False if one of them has the lock."""
    return bool(connection.execute(_LOCK_SEALING).scalar_one())


def read_sealable_span(connection: Connection) -> SealableSpan:
    """Read the span after the last seal to which no open transaction can add any more.

    Every transaction before the snapshot's xmin has ended. One that is open, in whatever database
    of the server, holds up those that began after it and wrote.
    """
    return SealableSpan(*connection.execute(_READ_SEALABLE_SPAN).one())


def add_seal(connection: Connection, seal: SealRow) -> bool:
    """Add a seal that is to be stored; False when there is one of this number."""
    values = {**seal._asdict(), "until_xid": str(seal.until_xid)}
    return connection.execute(_ADD_SEAL, values).first() is not None


def read_unstored_seals(connection: Connection) -> Sequence[SealRow]:
    """Read a page of the seals that are not known to be in the bucket, the oldest first."""
    query = audit_seals.select().where(audit_seals.c.stored_at.is_(None))
    page = query.order_by(audit_seals.c.seal_number).limit(_PAGE)
    return [SealRow._make(row) for row in connection.execute(page)]


def mark_stored(connection: Connection, number: int, now: datetime) -> None:
    """Note that the bucket has the seal."""
    connection.execute(_MARK_STORED, {"number": number, "now": now})


def read_seals_from(connection: Connection, number: int) -> Iterator[SealRow]:
    """Read the seal of this number and all that follow, in order and in bounded memory."""
    seals = audit_seals.select().where(audit_seals.c.seal_number >= number)
    by_number = seals.order_by(audit_seals.c.seal_number)
    with connection.execute(by_number, execution_options={"yield_per": _PAGE}) as rows:
        yield from map(SealRow._make, rows)


def read_copies(connection: Connection, first: int, until: int | None) -> Iterator[SealCopy]:
    """Read the seals from one number to just before another, None for all that follow.

    In order and in bounded memory.
    """
    columns = audit_seals.c
    seals = select(columns.seal_number, columns.seal, columns.signature)
    from_first = seals.where(columns.seal_number >= first).order_by(columns.seal_number)
    in_range = from_first if until is None else from_first.where(columns.seal_number < until)
    with connection.execute(in_range, execution_options={"yield_per": _PAGE}) as rows:
        for row in rows:
            yield SealCopy(*row)


_LOCK_SEALING: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('audit_seals'))")
_READ_SEALABLE_SPAN: Final = text("""
SELECT coalesce(CAST(CAST(s.until_xid AS text) AS bigint), 0),
  CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) + audit_xid_offset(),
  split_part(s.seal, chr(10), 1), s.sealed_at, s.seal_number IS NOT NULL AND s.stored_at IS NULL
FROM (VALUES (1)) AS always
LEFT JOIN LATERAL (SELECT * FROM audit_seals ORDER BY seal_number DESC LIMIT 1) AS s ON true
""")
_ADD_SEAL: Final = text("""
INSERT INTO audit_seals
  (seal_number, seal, signature, until_xid, sealed_at, kept_until, stored_at)
VALUES
  (:seal_number, :seal, :signature, CAST(:until_xid AS xid8), :sealed_at, :kept_until, :stored_at)
ON CONFLICT DO NOTHING
RETURNING seal_number
""")
_MARK_STORED: Final = text("""
UPDATE audit_seals SET stored_at = :now WHERE seal_number = :number AND stored_at IS NULL
""")
