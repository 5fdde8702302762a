"""SQL by which sealing goes on from an older database, as the owner of the tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from registry.audit.store.packing import read_record
from registry.audit.store.seals import SealRow, audit_seals
from registry.audit.trail.entry import Record

_PAGE: Final = 1000  # rows that a server-side cursor hands over, or an update is told, at once


class UnsealedRecord(NamedTuple):
    """An entry under no seal of the database, and its transaction as it is counted.

    `key` is its time and number, by which they are ordered.
    """

    record: Record
    xid: int
    key: tuple[datetime, int]


class Move(NamedTuple):
    """An entry, and the transaction that it is to be counted under."""

    entry: UnsealedRecord
    xid: int


def wait_for_sealing(connection: Connection) -> None:
    """Lock out sealers until the transaction ends; waits for one that is making a seal."""
    connection.execute(_LIMIT_WAITS)
    connection.execute(_LOCK_SEALING)


def lock_entries(connection: Connection) -> None:
    """Wait for all that add entries, and have others wait until the transaction ends."""
    connection.execute(_LOCK_ENTRIES)


def read_seals_backwards(connection: Connection) -> Iterator[SealRow]:
    """Read the seals of the database, the last one first."""
    backwards = audit_seals.select().order_by(audit_seals.c.seal_number.desc())
    with connection.execute(backwards, execution_options={"yield_per": 1}) as rows:
        yield from map(SealRow._make, rows)


def delete_seals(connection: Connection, after: int) -> int:
    """Delete the seals after this one; returns their number."""
    return len(connection.execute(_DELETE_SEALS, {"after": after}).all())


def read_unsealed(connection: Connection, after: int, until_xid: int) -> Iterator[UnsealedRecord]:
    """Read the entries that no seal up to `after` covers, which ends at this transaction.

    Those are of later transactions, or have later numbers: numbers are never given twice, while a
    server that counts transactions anew gives those of old ones.
    """
    values = {"after": after, "until": str(until_xid)}
    with connection.execute(_READ_UNSEALED, values, execution_options={"yield_per": _PAGE}) as rows:
        for number, parcel, entry, ebox, person, recorded_at, xid in rows:
            record = read_record(number, parcel, (entry, ebox, person), recorded_at)
            yield UnsealedRecord(record, xid, (recorded_at, number))


def read_horizon(connection: Connection) -> int:
    """Read the transaction before which all are over, as entries count them."""
    return int(connection.execute(_READ_HORIZON).scalar_one())


def move_entries(connection: Connection, moves: Sequence[Move]) -> None:
    """Count entries under other transactions."""
    for at in range(0, len(moves), _PAGE):
        page = moves[at : at + _PAGE]
        values = {
            "former_xids": [str(move.entry.xid) for move in page],
            "times": [move.entry.key[0] for move in page],
            "numbers": [move.entry.key[1] for move in page],
            "xids": [str(move.xid) for move in page],
        }
        connection.execute(_MOVE_ENTRIES, values)


def count_from(connection: Connection, offset: int, last_number: int) -> None:
    """Count transactions from `offset` on, and entries from after `last_number` on."""
    connection.exec_driver_sql(_SET_DEFAULT.format(offset=int(offset)))
    connection.exec_driver_sql(_SET_OFFSET.format(offset=int(offset)))
    connection.execute(_RAISE_NUMBERS, {"last": last_number})


_LIMIT_WAITS: Final = text("SET LOCAL lock_timeout = '60s'")
_LOCK_SEALING: Final = text("SELECT pg_advisory_xact_lock(hashtext('audit_seals'))")
_LOCK_ENTRIES: Final = text("LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE")
_DELETE_SEALS: Final = text("""
DELETE FROM audit_seals WHERE seal_number > :after RETURNING seal_number
""")
_READ_UNSEALED: Final = text("""
SELECT entry_number, packed, entry, ebox, person, recorded_at, CAST(CAST(xid AS text) AS bigint)
FROM audit_entries
WHERE xid >= CAST(:until AS xid8) OR entry_number > (
  SELECT coalesce(max(CAST(CAST(split_part(seal, chr(10), 1) AS json) ->> 'last_number' AS bigint)),
    0)
  FROM audit_seals WHERE seal_number <= :after
)
ORDER BY recorded_at, entry_number
""")
_READ_HORIZON: Final = text("""
SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) + audit_xid_offset()
""")
_MOVE_ENTRIES: Final = text("""
UPDATE audit_entries AS e SET xid = CAST(m.xid AS xid8)
FROM unnest(
  CAST(:former_xids AS text[]), CAST(:times AS timestamptz[]), CAST(:numbers AS bigint[]),
  CAST(:xids AS text[])
) AS m(former_xid, recorded_at, entry_number, xid)
WHERE e.xid = CAST(m.former_xid AS xid8) AND e.recorded_at = m.recorded_at
  AND e.entry_number = m.entry_number
""")
_SET_DEFAULT: Final = """
ALTER TABLE audit_entries ALTER COLUMN xid SET DEFAULT
  CAST(CAST(CAST(CAST(pg_current_xact_id() AS text) AS bigint) + {offset} AS text) AS xid8)
"""
_SET_OFFSET: Final = """
CREATE OR REPLACE FUNCTION audit_xid_offset() RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT CAST({offset} AS bigint) $$
"""
_RAISE_NUMBERS: Final = text("""
SELECT setval('audit_entry_numbers', greatest(last_value, :last)) FROM audit_entry_numbers
""")
