"""Sheaves: entries that follow each other, and the terms by which they are looked up.

An index of entries would cost each call something, and a row for each entry more room than the
entry. A sheaf is filed when its entries are under a stored seal, and covers transactions without a
gap after the sheaf before it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ARRAY, Column, Connection, Index, Integer, Table, text

from registry.audit.store.entries import TransactionId
from registry.store.schema import INSTANT, metadata

# In years, by the newest entry: a sheaf goes not before the last of its entries goes.
audit_sheaves = Table(
    "audit_sheaves",
    metadata,
    Column("newest", INSTANT, nullable=False),
    Column("oldest", INSTANT, nullable=False),
    Column("first_xid", TransactionId, nullable=False),
    Column("until_xid", TransactionId, nullable=False),
    Column("terms", ARRAY(Integer), nullable=False),
    Index(None, "until_xid"),
    Index(None, "terms", postgresql_using="gin"),
    postgresql_partition_by="RANGE (newest)",
    implicit_returning=False,
)


class Sheaf(NamedTuple):
    """The terms of all entries of a range of transactions, and between which times these are."""

    newest: datetime
    oldest: datetime
    first_xid: int
    until_xid: int
    terms: Sequence[int]


def lock_filing(connection: Connection) -> bool:
    """Lock out others who file sheaves until the transaction ends; False if one has the lock."""
    return bool(connection.execute(_LOCK_FILING).scalar_one())


def read_filed_until(connection: Connection) -> int:
    """Read the transaction before which all entries are in sheaves; 0 where there are none."""
    return int(connection.execute(_READ_FILED_UNTIL).scalar() or 0)


def find_trusted_end(connection: Connection) -> int:
    """Find the transaction before which sheaves have all entries; 0 where they are of no use.

    In a database that was restored into another server, and of which sealing is not resumed yet,
    new entries are counted from too low, where all is filed already.
    """
    return int(connection.execute(_FIND_TRUSTED_END).scalar() or 0)


def add_sheaves(connection: Connection, sheaves: Sequence[Sheaf]) -> None:
    """Add sheaves that follow the last one."""
    rows = [
        {**sheaf._asdict(), "first_xid": str(sheaf.first_xid), "until_xid": str(sheaf.until_xid)}
        for sheaf in sheaves
    ]
    if rows:
        connection.execute(_ADD_SHEAF, rows)


def delete_sheaves(connection: Connection, after_xid: int) -> None:
    """Delete the sheaves that go beyond this transaction, of which the entries change."""
    connection.execute(_DELETE_SHEAVES, {"after": str(after_xid)})


_LOCK_FILING: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('audit_sheaves'))")
_READ_FILED_UNTIL: Final = text("""
SELECT CAST(CAST(until_xid AS text) AS bigint) FROM audit_sheaves ORDER BY until_xid DESC LIMIT 1
""")
_FIND_TRUSTED_END: Final = text("""
SELECT filed FROM (
  SELECT CAST(CAST(until_xid AS text) AS bigint) AS filed FROM audit_sheaves
  ORDER BY until_xid DESC LIMIT 1
) AS last
WHERE filed
  <= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) + audit_xid_offset()
""")
_ADD_SHEAF: Final = text("""
INSERT INTO audit_sheaves (newest, oldest, first_xid, until_xid, terms)
VALUES (:newest, :oldest, CAST(:first_xid AS xid8), CAST(:until_xid AS xid8),
  CAST(:terms AS integer[]))
""")
_DELETE_SHEAVES: Final = text("""
DELETE FROM audit_sheaves WHERE until_xid > CAST(:after AS xid8)
""")
