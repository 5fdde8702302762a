"""Seals over the audit trail, from when they are made until they are in storage, and after."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import insert

from registry.audit.store.entries import TransactionId
from registry.store.schema import INSTANT, AnyRow, metadata

_UNSTORED: Final = text("stored_at IS NULL")
_PAGE: Final = 20  # seals that a server-side cursor hands over at once: each may be large

# The text says it all; the columns beside it are what the database must know of it.
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
    Index("ix_audit_seals_unstored", "seal_number", postgresql_where=_UNSTORED),
)


class Sealable(NamedTuple):
    """The transactions from `first_xid` on to just before `horizon`: all of these are over.

    `previous` is the head of the last seal and `sealed_at` its time, None before the first;
    `is_waiting` is whether it is still to be stored.
    """

    first_xid: int
    horizon: int
    previous: str | None
    sealed_at: datetime | None
    is_waiting: bool


def begin(connection: Connection) -> bool:
    """Whether nobody else makes a seal now; then nobody can, until the transaction ends."""
    return bool(connection.execute(_BEGIN).scalar_one())


def sealable(connection: Connection) -> Sealable:
    """What no open transaction can add to any more, after the last seal.

    Every transaction before the snapshot's xmin has ended. One that is open, in whatever database
    of the server, holds up those that began after it and wrote.
    """
    return Sealable(*connection.execute(_SEALABLE).one())


def add(connection: Connection, **columns: Any) -> bool:
    """Keep a seal that is to be stored; False when there is one of this number."""
    kept = insert(audit_seals).values(**columns).on_conflict_do_nothing()
    return connection.execute(kept.returning(audit_seals.c.seal_number)).first() is not None


def unstored(connection: Connection) -> Sequence[AnyRow]:
    """The seals that are not known to be in storage, the oldest first."""
    waiting = audit_seals.select().where(_UNSTORED).order_by(audit_seals.c.seal_number)
    return connection.execute(waiting.limit(_PAGE)).all()


def mark_stored(connection: Connection, number: int, now: datetime) -> None:
    """The seal is in storage."""
    seal = audit_seals.update().where(audit_seals.c.seal_number == number)
    connection.execute(seal.where(_UNSTORED).values(stored_at=now))


def seals_from(connection: Connection, number: int) -> Iterator[AnyRow]:
    """The seal of this number and all that follow, in order and in bounded memory."""
    kept = audit_seals.select().where(audit_seals.c.seal_number >= number)
    ordered = kept.order_by(audit_seals.c.seal_number)
    with connection.execute(ordered, execution_options={"yield_per": _PAGE}) as rows:
        yield from rows


_BEGIN: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('audit_seals'))")
_SEALABLE: Final = text("""
SELECT coalesce(CAST(CAST(s.until_xid AS text) AS bigint), 0),
  CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint),
  split_part(s.seal, chr(10), 1), s.sealed_at, s.seal_number IS NOT NULL AND s.stored_at IS NULL
FROM (VALUES (1)) AS always
LEFT JOIN LATERAL (SELECT * FROM audit_seals ORDER BY seal_number DESC LIMIT 1) AS s ON true
""")
