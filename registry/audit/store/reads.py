"""The trail and its seals as they are read to be proven: in bulk, and in one state."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Connection, func, select

from registry.audit.store.entries import audit_entries
from registry.audit.store.seals import audit_seals
from registry.audit.trail.records import Record
from registry.store.schema import AnyRow

_PAGE: Final = 1000  # rows that a server-side cursor hands over at once

_entries, _seals = audit_entries.c, audit_seals.c


def freeze(connection: Connection) -> None:
    """See all as it is now until the transaction ends, whatever is sealed meanwhile."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def take_time(connection: Connection) -> None:
    """Let statements of this transaction read the whole trail, however long that takes."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def records(connection: Connection, first_xid: int, until_xid: int) -> list[Record]:
    """The entries of a range of transactions, of one seal, by (xid, number).

    Past all machinery: a trail has millions.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    with driver.cursor(binary=True) as cursor:
        cursor.execute(_RECORDS, (str(first_xid), str(until_xid)))
        return list(map(Record._make, cursor))


def numbers(connection: Connection, first_xid: int, until_xid: int) -> Sequence[int]:
    """The numbers of the entries of a range of transactions."""
    ours = select(_entries.entry_number).where(_entries.xid >= first_xid, _entries.xid < until_xid)
    return connection.execute(ours.order_by(_entries.xid, _entries.entry_number)).scalars().all()


def since(
    connection: Connection,
    first_xid: int,
    begin: datetime | None = None,
    end: datetime | None = None,
) -> tuple[int, datetime | None]:
    """How many entries there are from this transaction on, and when the first was recorded.

    With `begin` and `end`, those recorded in between.
    """
    counted = select(func.count(), func.min(_entries.recorded_at)).where(_entries.xid >= first_xid)
    if begin is not None and end is not None:
        counted = counted.where(_entries.recorded_at >= begin, _entries.recorded_at < end)
    count, oldest = connection.execute(counted).one()
    return count, oldest


def last_seal(connection: Connection) -> int:
    """The number of the last seal; 0 where there is none."""
    last = select(func.coalesce(func.max(_seals.seal_number), 0))
    return int(connection.execute(last).scalar_one())


def sealed_until(connection: Connection) -> int:
    """The transaction before which all is under stored seals; 0 where there are none."""
    last = select(_seals.until_xid).where(_seals.stored_at.is_not(None))
    newest = last.order_by(_seals.seal_number.desc()).limit(1)
    return connection.execute(newest).scalar() or 0


def seal(connection: Connection, number: int) -> AnyRow | None:
    """The seal of this number."""
    return connection.execute(audit_seals.select().where(_seals.seal_number == number)).first()


def ends(connection: Connection) -> Iterator[AnyRow]:
    """Number of each stored seal, and the transaction before which it ends; in order."""
    ended = select(_seals.seal_number, _seals.until_xid).where(_seals.stored_at.is_not(None))
    ordered = ended.order_by(_seals.seal_number)
    with connection.execute(ordered, execution_options={"yield_per": _PAGE}) as rows:
        yield from rows


def entries(
    connection: Connection,
    *,
    texts: Sequence[str] = (),
    eboxes: Sequence[str] = (),
    begin: datetime | None = None,
    end: datetime | None = None,
) -> Sequence[AnyRow]:
    """The entries that have all these texts in them and are of one of these e-Boxes, by time.

    Texts are in small letters, whatever those of entries are; no e-Boxes are any.
    """
    found = select(audit_entries).order_by(_entries.recorded_at, _entries.entry_number)
    for text in texts:
        found = found.where(func.strpos(func.lower(_entries.entry), text) > 0)
    if eboxes:
        found = found.where(_entries.ebox.in_(eboxes))
    if begin is not None:
        found = found.where(_entries.recorded_at >= begin)
    if end is not None:
        found = found.where(_entries.recorded_at < end)
    return connection.execute(found).all()


_RECORDS: Final = """
SELECT entry_number, entry, ebox, person FROM audit_entries
WHERE xid >= CAST(%s AS xid8) AND xid < CAST(%s AS xid8) ORDER BY xid, entry_number
"""
