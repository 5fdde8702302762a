"""Reads of the whole trail for verification and export: in bulk, and in one state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

import psycopg
from sqlalchemy import Connection, text

from registry.audit.store.packing import read_record
from registry.audit.store.seals import SealRow, audit_seals
from registry.audit.trail.entry import Record


class UnsealedEntries(NamedTuple):
    """The number of entries after the last stored seal, and the time of the first of them."""

    total: int
    oldest: datetime | None


def freeze_snapshot(connection: Connection) -> None:
    """See all as it is now until the transaction ends, whatever is sealed meanwhile."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def read_records(connection: Connection, first_xid: int, until_xid: int) -> list[Record]:
    """Read the entries of a range of transactions, those of one seal, by (xid, number)."""
    # Past SQLAlchemy, since a trail has millions of them.
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    with driver.cursor(binary=True) as cursor:
        cursor.execute(_READ_RECORDS, (str(first_xid), str(until_xid)))
        return [
            read_record(number, parcel, columns, recorded_at)
            for number, parcel, *columns, recorded_at in cursor
        ]


def read_placed_records(
    connection: Connection, first_xid: int, until_xid: int
) -> tuple[list[int], list[Record]]:
    """Read the entries of a range of transactions, by (xid, number): their xids, and themselves."""
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    with driver.cursor(binary=True) as cursor:
        cursor.execute(_READ_PLACED_RECORDS, (str(first_xid), str(until_xid)))
        rows = cursor.fetchall()
    records = [
        read_record(number, parcel, columns, recorded_at)
        for number, parcel, *columns, recorded_at, _ in rows
    ]
    return [row[-1] for row in rows], records


def export_snapshot(connection: Connection) -> str:
    """Give the name under which other connections see what this transaction sees, as it lasts."""
    name: str = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    return name


def share_snapshot(connection: Connection, name: str) -> None:
    """See what the transaction sees that has exported this snapshot."""
    freeze_snapshot(connection)
    connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{name}'")


def read_numbers(connection: Connection, first_xid: int, until_xid: int) -> Sequence[int]:
    """Read the numbers of the entries of a range of transactions, by (xid, number)."""
    values = {"first": str(first_xid), "until": str(until_xid)}
    return connection.execute(_READ_NUMBERS, values).scalars().all()


def find_unsealed(connection: Connection, first_xid: int) -> UnsealedEntries:
    """Count the entries from this transaction on."""
    row = connection.execute(_FIND_UNSEALED, {"first": str(first_xid)}).one()
    return UnsealedEntries._make(row)


def count_unsealed_between(
    connection: Connection, first_xid: int, begin: datetime, end: datetime
) -> int:
    """Count entries from this transaction on, recorded from `begin` to just before `end`."""
    values = {"first": str(first_xid), "begin": begin, "end": end}
    return int(connection.execute(_COUNT_UNSEALED_BETWEEN, values).scalar_one())


def read_last_seal_number(connection: Connection) -> int:
    """Read the number of the last seal; 0 where there is none."""
    return int(connection.execute(_READ_LAST_SEAL_NUMBER).scalar_one())


def find_first_unstored(connection: Connection) -> int | None:
    """Find the number of the first seal that is not known to be in the bucket."""
    number: int | None = connection.execute(_FIND_FIRST_UNSTORED).scalar_one()
    return number


def read_sealed_until(connection: Connection) -> int:
    """Read the transaction before which all is under stored seals; 0 where there are none."""
    return int(connection.execute(_READ_SEALED_UNTIL).scalar() or 0)


def find_seal(connection: Connection, number: int) -> SealRow | None:
    """Find the seal of this number."""
    seal = audit_seals.select().where(audit_seals.c.seal_number == number)
    row = connection.execute(seal).first()
    return SealRow._make(row) if row else None


def find_seal_numbers(connection: Connection, xids: Sequence[int]) -> Mapping[int, int]:
    """Find the stored seal of each of these transactions; none for those that have none yet."""
    rows = connection.execute(_FIND_SEAL_NUMBERS, {"xids": list(map(str, xids))})
    return {int(xid): number for xid, number in rows}


_READ_RECORDS: Final = """
SELECT entry_number, packed, entry, ebox, person, recorded_at FROM audit_entries
WHERE xid >= CAST(%s AS xid8) AND xid < CAST(%s AS xid8) ORDER BY xid, entry_number
"""
_READ_PLACED_RECORDS: Final = """
SELECT entry_number, packed, entry, ebox, person, recorded_at, CAST(CAST(xid AS text) AS bigint)
FROM audit_entries
WHERE xid >= CAST(%s AS xid8) AND xid < CAST(%s AS xid8) ORDER BY xid, entry_number
"""
_READ_NUMBERS: Final = text("""
SELECT entry_number FROM audit_entries
WHERE xid >= CAST(:first AS xid8) AND xid < CAST(:until AS xid8)
ORDER BY xid, entry_number
""")
_FIND_UNSEALED: Final = text("""
SELECT count(*), min(recorded_at) FROM audit_entries WHERE xid >= CAST(:first AS xid8)
""")
_COUNT_UNSEALED_BETWEEN: Final = text("""
SELECT count(*) FROM audit_entries
WHERE xid >= CAST(:first AS xid8) AND recorded_at >= :begin AND recorded_at < :end
""")
# The first seal that ends behind the transaction.
_FIND_SEAL_NUMBERS: Final = text("""
SELECT x.xid, s.seal_number
FROM (SELECT DISTINCT unnest(CAST(:xids AS text[])) AS xid) AS x
CROSS JOIN LATERAL (
  SELECT seal_number FROM audit_seals
  WHERE until_xid > CAST(x.xid AS xid8) AND stored_at IS NOT NULL
  ORDER BY until_xid, seal_number LIMIT 1
) AS s
""")
_READ_LAST_SEAL_NUMBER: Final = text("SELECT coalesce(max(seal_number), 0) FROM audit_seals")
_FIND_FIRST_UNSTORED: Final = text("""
SELECT min(seal_number) FROM audit_seals WHERE stored_at IS NULL
""")
_READ_SEALED_UNTIL: Final = text("""
SELECT CAST(CAST(until_xid AS text) AS bigint) FROM audit_seals
WHERE stored_at IS NOT NULL ORDER BY seal_number DESC LIMIT 1
""")
