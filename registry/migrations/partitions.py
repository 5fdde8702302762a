"""The number of hash partitions of the tables that grow with the number of e-Boxes.

Chosen while a database is empty: to change it later, every row has to be written anew.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select, table, text, true

USUAL: Final = 16  # what the revisions make
MOST: Final = 256
_MOST_CHOSEN: Final = 64  # with more, the worker plans for a tenth of a second what crosses e-Boxes
_MESSAGES_EACH: Final = 2_000_000  # of a partition: 4 GB, which VACUUM reads in a minute


class PartitionsRefused(Exception):
    """The number of partitions cannot be changed any more."""


class _HashTable(NamedTuple):
    """A table in hash partitions, and how many it has."""

    name: str
    partitions: int


class _Pattern(NamedTuple):
    """What a partition has of its own; `statistics` are targets by index and its column."""

    options: Sequence[str]
    statistics: Sequence[tuple[str, int, int]]


def choose_number(messages: int) -> int:
    """Choose how many partitions serve so many messages, all that are kept at a time."""
    number = USUAL
    while number * _MESSAGES_EACH < messages and number < _MOST_CHOSEN:
        number *= 2
    return number


def divide(connection: Connection, number: int) -> None:
    """Divide each table into so many partitions, one table after the other.

    A table that has as many stays as it is; so an interrupted call goes on when it is repeated.
    Raises `PartitionsRefused` when one that has not has rows, or for too many; nothing was done
    then.
    """
    if number > MOST:
        raise PartitionsRefused(f"{number} partitions are more than {MOST}, the most there can be.")
    with connection.begin():
        tables = [_HashTable(*row) for row in connection.execute(_TABLES)]
        others = [each for each in tables if each.partitions != number]
        for name, partitions in others:
            if connection.execute(select(true()).select_from(table(name)).limit(1)).first():
                raise PartitionsRefused(
                    f"{name} has {partitions} partitions and something in it. Their number is"
                    " chosen while a database is empty: make a new one, and fill it from this one"
                    " with pg_dump --data-only --load-via-partition-root."
                )
    for name, _ in others:
        # One table a transaction: it holds a lock for each partition and each of its indexes.
        with connection.begin():
            _divide(connection, name, number)


def _divide(connection: Connection, name: str, number: int) -> None:
    parts = connection.execute(_PARTITIONS, {"table": name}).scalars().all()
    pattern = _read_pattern(connection, parts[0])
    for part in parts:
        # A table that others refer to lets go of a partition, and does not have it dropped.
        connection.exec_driver_sql(f"ALTER TABLE {name} DETACH PARTITION {part}")
        connection.exec_driver_sql(f"DROP TABLE {part}")
    options = f" WITH ({', '.join(pattern.options)})" if pattern.options else ""
    for remainder in range(number):
        connection.exec_driver_sql(
            f"CREATE TABLE {name}_{remainder} PARTITION OF {name}"
            f" FOR VALUES WITH (MODULUS {number}, REMAINDER {remainder}){options}"
        )
    for index, column, target in pattern.statistics:
        for part in connection.execute(_PARTITIONS, {"table": index}).scalars().all():
            connection.exec_driver_sql(
                f"ALTER INDEX {part} ALTER COLUMN {column} SET STATISTICS {target}"
            )


def _read_pattern(connection: Connection, part: str) -> _Pattern:
    options = connection.execute(_OPTIONS, {"part": part}).scalar_one()
    rows = connection.execute(_STATISTICS, {"part": part})
    return _Pattern(options, [(index, column, target) for index, column, target in rows])


_TABLES: Final = text("""
SELECT t.partrelid::regclass::text,
  (SELECT count(*) FROM pg_inherits i WHERE i.inhparent = t.partrelid)
FROM pg_partitioned_table t JOIN pg_class c ON c.oid = t.partrelid
WHERE t.partstrat = 'h' AND c.relnamespace = current_schema()::regnamespace
ORDER BY 1
""")
_PARTITIONS: Final = text("""
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)
ORDER BY inhrelid
""")
_OPTIONS: Final = text("""
SELECT coalesce(reloptions, '{}') FROM pg_class WHERE oid = to_regclass(:part)
""")
# Of indexes alone: columns of a table hand theirs down to its partitions.
_STATISTICS: Final = text("""
SELECT w.inhparent::regclass::text AS index, a.attnum AS column, a.attstattarget AS target
FROM pg_index i JOIN pg_inherits w ON w.inhrelid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = i.indexrelid
WHERE i.indrelid = to_regclass(:part) AND a.attstattarget >= 0
ORDER BY 1, 2
""")
