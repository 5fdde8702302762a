"""Entries of the audit trail: added by the service, read by the worker, changed by nobody.

The database gives each entry its number, time and transaction; the service may neither choose nor
read them.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import generators
from psycopg.pq import DiagnosticField, ExecStatus, Format
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from registry.audit.store.packing import pack, read_record
from registry.audit.store.packing_switch import is_packing
from registry.audit.trail.entry import Entry, Record, write_entry
from registry.store.bounded_connection import get_driver
from registry.store.schema import INSTANT, metadata

_PAGE: Final = 1000  # rows that a server-side cursor hands over at once


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's `xid8`, which is never given out twice; an integer here, text on the way."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type as PostgreSQL does."""
        return "xid8"

    def bind_processor(self, dialect: Dialect) -> Any:
        """Bind as text: an integer has no cast to it."""
        return str

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Make an integer of the text that the driver leaves."""
        return lambda value: None if value is None else int(value)


# A partition for each month of UTC, and one for any other. No policy guards them but the want of
# any right to read: the trail belongs to no e-Box. Text and pseudonyms have columns of their own in
# entries that were written before the database was told to pack them; in all others these are
# empty. The key is SQLAlchemy's: the database has none, as nobody asks for a single entry, and
# numbers are the sequence's to give (ADR 040).
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("recorded_at", INSTANT, primary_key=True, server_default=text("clock_timestamp()")),
    Column(
        "entry_number",
        BigInteger,
        primary_key=True,
        autoincrement=True,
        server_default=text("nextval('audit_entry_numbers'::regclass)"),
    ),
    Column("xid", TransactionId, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("ebox", Text),
    Column("person", Text),
    Column("entry", Text),
    Column("packed", LargeBinary),
    Index(None, "xid"),
    postgresql_partition_by="RANGE (recorded_at)",
    implicit_returning=False,  # whoever adds may not read
    info={"has_key": False},  # in the database, of which a preflight asks
)


def add_entry(connection: Connection, entry: Entry) -> None:
    """Add an entry to the trail, in the transaction of the operation that it is about.

    Raises `ValueError` for an entry that has no canonical form, and `psycopg.OperationalError`,
    which `Transactions` translates.
    """
    # Past SQLAlchemy and psycopg's cursors, since every request pays for this. Not prepared, as a
    # pooler may hand the next statement to another connection.
    driver = get_driver(connection)
    if is_packing(connection):
        driver.pgconn.send_query_params(_ADD_ENTRY, (pack_entry(entry),), param_formats=_BINARY)
    else:
        texts = (entry.ebox, entry.person, write_entry(entry))
        values = [None if value is None else value.encode() for value in texts]
        driver.pgconn.send_query_params(_ADD_TEXT, values)
    # Which is awaited no longer than any other answer.
    (result,) = driver.wait(generators.execute(driver.pgconn))
    if result.status != ExecStatus.COMMAND_OK:
        # The primary message alone: details would repeat values of the entry.
        primary = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b""
        raise psycopg.OperationalError(primary.decode(errors="replace"))


def add_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add many entries at once, in their order; raises as `add_entry` does."""
    try:
        if is_packing(connection):
            connection.execute(_ADD_ENTRIES, {"packed": list(map(pack_entry, entries))})
        else:
            values = {
                "eboxes": [entry.ebox for entry in entries],
                "people": [entry.person for entry in entries],
                "texts": [write_entry(entry) for entry in entries],
            }
            connection.execute(_ADD_TEXTS, values)
    except DBAPIError as error:
        raise psycopg.OperationalError(str(error.orig)) from error


def pack_entry(entry: Entry) -> bytes:
    """Pack an entry as it is stored; raises `ValueError` for one that has no canonical form."""
    return pack(write_entry(entry), entry.ebox, entry.person)


def walk_by_transaction(connection: Connection) -> None:
    """Have this transaction's plans walk along the indexes of transactions, as far as they must.

    The planner guesses that few entries are new, after whatever statistics it has, and would rather
    read all that wait and sort them: each time, while a backlog is sealed. The worker's connections
    read no table through anyway.
    """
    connection.execute(_WALK_BY_TRANSACTION)


def find_batch_end(connection: Connection, first_xid: int, until_xid: int, *, limit: int) -> int:
    """Find the transaction before which to stop, so that at most `limit` entries are read at once.

    Transactions are never split: the first may have more than that.
    """
    values = {"first": str(first_xid), "until": str(until_xid), "limit": limit}
    end = connection.execute(_FIND_BATCH_END, values).scalar()
    return until_xid if end is None else int(end)


class WaitingEntries(NamedTuple):
    """The number of entries that wait for a seal, as far as it was counted, and since when.

    Seconds by the database's own clock; None where nothing waits.
    """

    entries: int
    seconds: float | None


def measure_waiting(
    connection: Connection, first_xid: int, until_xid: int, limit: int
) -> WaitingEntries:
    """Measure what waits in a range of transactions; no more than `limit` entries are counted."""
    values = {"first": str(first_xid), "until": str(until_xid), "limit": limit}
    return WaitingEntries(*connection.execute(_MEASURE_WAITING, values).one())


def stream_records(connection: Connection, first_xid: int, until_xid: int) -> Iterator[Record]:
    """Read the entries of a range of transactions, by (xid, number), in bounded memory."""
    values = {"first": str(first_xid), "until": str(until_xid)}
    options = {"yield_per": _PAGE}
    with connection.execute(_STREAM_RECORDS, values, execution_options=options) as rows:
        for number, parcel, entry, ebox, person, recorded_at in rows:
            yield read_record(number, parcel, (entry, ebox, person), recorded_at)


def find_newest(connection: Connection, first_xid: int, until_xid: int) -> datetime | None:
    """Find the time of the last entry of a range of transactions."""
    values = {"first": str(first_xid), "until": str(until_xid)}
    newest: datetime | None = connection.execute(_FIND_NEWEST, values).scalar_one()
    return newest


def find_oldest_unsealed(connection: Connection) -> datetime | None:
    """Find the time of the first entry that lies under no stored seal."""
    oldest: datetime | None = connection.execute(_FIND_OLDEST_UNSEALED).scalar()
    return oldest


def prepare_months(connection: Connection, ahead: int) -> int:
    """Make the partitions that are missing of this month and of `ahead` more; returns a count."""
    return int(connection.execute(_PREPARE_MONTHS, {"ahead": ahead}).scalar_one())


def find_expired_months(connection: Connection, now: datetime) -> Sequence[date]:
    """Find the first days of months that need not be kept any more, the oldest first."""
    return connection.execute(_FIND_EXPIRED_MONTHS, {"now": now}).scalars().all()


def drop_month(connection: Connection, month: date) -> None:
    """Drop the entries of a month; the database refuses unless it is time, and all are sealed."""
    connection.execute(_DROP_MONTH, {"month": month})


_BINARY: Final = (Format.BINARY,)
_ADD_ENTRY: Final = b"INSERT INTO audit_entries (packed) VALUES ($1)"
_ADD_TEXT: Final = b"INSERT INTO audit_entries (ebox, person, entry) VALUES ($1, $2, $3)"
_ADD_ENTRIES: Final = text("""
INSERT INTO audit_entries (packed)
SELECT e.packed FROM unnest(CAST(:packed AS bytea[])) WITH ORDINALITY AS e(packed, position)
ORDER BY e.position
""")
_ADD_TEXTS: Final = text("""
INSERT INTO audit_entries (ebox, person, entry)
SELECT e.ebox, e.person, e.entry
FROM unnest(CAST(:eboxes AS text[]), CAST(:people AS text[]), CAST(:texts AS text[]))
  WITH ORDINALITY AS e(ebox, person, entry, position)
ORDER BY e.position
""")
_WALK_BY_TRANSACTION: Final = text("""
SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)
""")
# The transaction of the first entry beyond the limit; the one after it, where it is the first of
# the range too. Nothing where the range has no more than the limit.
_FIND_BATCH_END: Final = text("""
WITH beyond AS (
  SELECT xid FROM audit_entries
  WHERE xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)
  ORDER BY xid OFFSET :limit LIMIT 1
), begun AS (
  SELECT xid FROM audit_entries
  WHERE xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)
  ORDER BY xid LIMIT 1
)
SELECT CAST(CAST(beyond.xid AS text) AS bigint) + CAST(beyond.xid = begun.xid AS int)
FROM beyond, begun
""")
# Without a sign, as a clock that was set back must not keep an entry from its seal.
_MEASURE_WAITING: Final = text("""
SELECT count(*),
  CAST(max(abs(extract(epoch FROM clock_timestamp() - recorded_at))) AS double precision)
FROM (
  SELECT recorded_at FROM audit_entries
  WHERE xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)
  ORDER BY xid LIMIT :limit
) AS waiting
""")
_STREAM_RECORDS: Final = text("""
SELECT entry_number, packed, entry, ebox, person, recorded_at FROM audit_entries
WHERE xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)
ORDER BY xid, entry_number
""")
# Materialized, or the planner reads backwards by time, through all that is older.
_FIND_NEWEST: Final = text("""
WITH batch AS MATERIALIZED (
  SELECT recorded_at FROM audit_entries
  WHERE xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)
)
SELECT max(recorded_at) FROM batch
""")
_FIND_OLDEST_UNSEALED: Final = text("""
SELECT recorded_at FROM audit_entries
WHERE xid >= coalesce((
  SELECT until_xid FROM audit_seals
  WHERE stored_at IS NOT NULL ORDER BY seal_number DESC LIMIT 1
), '0')
ORDER BY xid LIMIT 1
""")
_PREPARE_MONTHS: Final = text("""
SELECT prepare_audit_months(:ahead) FROM prepare_sheaf_years()
""")
# Months with a partition of their own, and those that have entries in the default partition.
_FIND_EXPIRED_MONTHS: Final = text("""
SELECT month FROM (
  SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = CAST('audit_entries' AS regclass)
    AND c.relname ~ '^audit_entries_[0-9]{4}_[0-9]{2}$'
  UNION
  SELECT CAST(date_trunc('month', recorded_at AT TIME ZONE 'UTC') AS date)
  FROM audit_entries_default
  WHERE recorded_at < CAST(:now AS timestamptz) - interval '10 years'
) AS months
WHERE audit_month_kept_until(month) <= :now
ORDER BY month
""")
_DROP_MONTH: Final = text("""
SELECT drop_sheaf_month(:month) FROM drop_audit_month(:month)
""")
