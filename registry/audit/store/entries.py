"""The audit trail: entries that are added and read, and changed by nobody.

Number, time and transaction of an entry are the database's to say; the service may neither give
them nor read them.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, cast

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from sqlalchemy import BigInteger, Column, Connection, Dialect, Index, Table, Text, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from registry.audit.trail.entry import Entry, canonical
from registry.audit.trail.records import Record
from registry.store.schema import INSTANT, metadata

_PAGE: Final = 1000  # rows that a server-side cursor hands over at once


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's `xid8`, which is never given out twice; an integer here, text on the way."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in PostgreSQL."""
        return "xid8"

    def bind_processor(self, dialect: Dialect) -> Any:
        """An integer has no cast to it, a text has."""
        return str

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The driver leaves it as text."""
        return lambda value: None if value is None else int(value)


# `ebox` and `person` are pseudonyms: the trail belongs to no e-Box, and no policy guards it but
# the want of any right to read it. A partition for each month of UTC, and one for any other.
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
    Column("entry", Text, nullable=False),
    Index(None, "xid"),
    postgresql_partition_by="RANGE (recorded_at)",
    implicit_returning=False,  # nobody who adds may read
)


def record(connection: Connection, entry: Entry) -> None:
    """Add an entry to the trail, in the transaction of what it tells of.

    Past all machinery, since every request pays for this; unprepared, for the sake of poolers.
    Raises `ValueError` for an entry that has no canonical form, and `psycopg.OperationalError`,
    which `Transactions` translates.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    values = (_bytes(entry.ebox), _bytes(entry.person), canonical(entry).encode())
    result = driver.pgconn.exec_params(_RECORD, values)
    if result.status != ExecStatus.COMMAND_OK:
        primary = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b""
        raise psycopg.OperationalError(primary.decode(errors="replace"))


def record_all(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add many entries at once, in their order; raises as `record` does."""
    asked = {
        "eboxes": [entry.ebox for entry in entries],
        "people": [entry.person for entry in entries],
        "texts": [canonical(entry) for entry in entries],
    }
    try:
        connection.execute(_RECORD_ALL, asked)
    except DBAPIError as error:
        raise psycopg.OperationalError(str(error.orig)) from error


def end_of(connection: Connection, first_xid: int, until_xid: int, *, limit: int) -> int:
    """Before which transaction to stop, so that no more than `limit` entries are read at once.

    Transactions are never split: the first may have more than that.
    """
    asked = {"first": str(first_xid), "until": str(until_xid), "limit": limit}
    end = connection.execute(_END, asked).scalar()
    return until_xid if end is None else int(end)


def entries_between(connection: Connection, first_xid: int, until_xid: int) -> Iterator[Record]:
    """The entries of a range of transactions, ordered by (xid, number), in bounded memory."""
    asked = {"first": str(first_xid), "until": str(until_xid)}
    with connection.execute(_BETWEEN, asked, execution_options={"yield_per": _PAGE}) as rows:
        for row in rows:
            yield Record(*row)


def newest_between(connection: Connection, first_xid: int, until_xid: int) -> datetime | None:
    """When the last of these was recorded."""
    asked = {"first": str(first_xid), "until": str(until_xid)}
    newest: datetime | None = connection.execute(_NEWEST, asked).scalar_one()
    return newest


def oldest_unsealed(connection: Connection) -> datetime | None:
    """When the first entry that lies under no stored seal was recorded, if there is one."""
    oldest: datetime | None = connection.execute(_OLDEST).scalar()
    return oldest


def prepare_months(connection: Connection, ahead: int) -> int:
    """Make the partitions of this month and those ahead that are missing; how many."""
    return int(connection.execute(_PREPARE, {"ahead": ahead}).scalar_one())


def expired_months(connection: Connection, now: datetime) -> Sequence[date]:
    """The first days of months that need not be kept any more, the oldest first."""
    return connection.execute(_EXPIRED, {"now": now}).scalars().all()


def drop_month(connection: Connection, month: date) -> None:
    """Drop the entries of a month, which the database refuses unless it is time, and all sealed."""
    connection.execute(_DROP, {"month": month})


def _bytes(pseudonym: str | None) -> bytes | None:
    return None if pseudonym is None else pseudonym.encode()


_RECORD: Final = b"INSERT INTO audit_entries (ebox, person, entry) VALUES ($1, $2, $3)"
_RECORD_ALL: Final = text("""
INSERT INTO audit_entries (ebox, person, entry)
SELECT e.ebox, e.person, e.entry
FROM unnest(CAST(:eboxes AS text[]), CAST(:people AS text[]), CAST(:texts AS text[]))
  WITH ORDINALITY AS e(ebox, person, entry, position)
ORDER BY e.position
""")
_RANGE: Final = "xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)"
_END: Final = text(f"""
WITH beyond AS (
  SELECT xid FROM audit_entries WHERE {_RANGE} ORDER BY xid OFFSET :limit LIMIT 1
), begun AS (
  SELECT xid FROM audit_entries WHERE {_RANGE} ORDER BY xid LIMIT 1
)
SELECT CAST(CAST(beyond.xid AS text) AS bigint) + CAST(beyond.xid = begun.xid AS int)
FROM beyond, begun
""")
_BETWEEN: Final = text(f"""
SELECT entry_number, entry, ebox, person FROM audit_entries
WHERE {_RANGE} ORDER BY xid, entry_number
""")
_NEWEST: Final = text(f"SELECT max(recorded_at) FROM audit_entries WHERE {_RANGE}")
_OLDEST: Final = text("""
SELECT recorded_at FROM audit_entries
WHERE xid >= coalesce((
  SELECT until_xid FROM audit_seals
  WHERE stored_at IS NOT NULL ORDER BY seal_number DESC LIMIT 1
), '0')
ORDER BY xid LIMIT 1
""")
_PREPARE: Final = text("SELECT prepare_audit_months(:ahead)")
# Months of their own, and those of whom something is in the default partition.
_EXPIRED: Final = text("""
SELECT month FROM (
  SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = CAST('audit_entries' AS regclass)
    AND c.relname ~ '^audit_entries_[0-9]{4}_[0-9]{2}$'
  UNION
  SELECT CAST(date_trunc('month', recorded_at AT TIME ZONE 'UTC') AS date)
  FROM audit_entries
  WHERE recorded_at < CAST(:now AS timestamptz) - interval '10 years'
    AND tableoid = CAST('audit_entries_default' AS regclass)
) AS months
WHERE audit_month_kept_until(month) <= :now
ORDER BY month
""")
_DROP: Final = text("SELECT drop_audit_month(:month)")
