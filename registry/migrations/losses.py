"""Losses of a way back, found by a rehearsal that is taken back."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

# What tables hold that nobody wants to lose by accident; others are called by their names alone.
_MEANINGS: Final = {
    "audit_entries": "the audit trail",
    "audit_seals": "the seals over the audit trail",
    "deletions": "the proofs of deletion",
    "legal_holds": "the legal holds",
    "messages": "the messages",
    "outbox": "the events",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """A table or column (`table.column`) that would be dropped, or a table that would lose rows."""

    name: str
    rows: int

    def __str__(self) -> str:
        """Say what it is to people, and how much of it there is."""
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'}"
        meaning = _MEANINGS.get(self.name)
        return f"{meaning} ({self.name}, {rows})" if meaning else f"{self.name} ({rows})"


class DowngradeRefused(Exception):
    """Something would be dropped that was not named, or was named and would stay."""

    def __init__(self, revision: str, losses: Sequence[Loss], drops: Collection[str]) -> None:
        self.losses = losses
        names = {loss.name for loss in losses}
        if strange := sorted(set(drops) - names):
            super().__init__(f"Going back to {revision} would not drop {', '.join(strange)}.")
            return
        whole_list = ", ".join(map(str, losses))
        options = " ".join(f"--drop {loss.name}" for loss in losses)
        super().__init__(f"Going back to {revision} would drop {whole_list}: say so with {options}")


def find_losses(connection: Connection, go_back: Callable[[], None]) -> Sequence[Loss]:
    """Find what `go_back` takes away that has something in it; it is done and taken back."""
    with connection.begin() as transaction:
        before = _list_columns(connection)
        go_back()
        after = _list_columns(connection)
        deletions: dict[str, int] = {row.name: row.rows for row in connection.execute(_DELETIONS)}
        transaction.rollback()
    gone = before - after
    tables = {table for table, _ in before} - {table for table, _ in after}
    names = {table: table for table in tables}
    names |= {f"{table}.{column}": table for table, column in gone if table not in tables}
    with connection.begin():
        counts = {table: _count(connection, table) for table in set(names.values())}
    rows = {name: counts[table] for name, table in names.items()}
    rows |= {table: count for table, count in deletions.items() if table not in tables}
    return [Loss(name, count) for name, count in sorted(rows.items()) if count]


def _list_columns(connection: Connection) -> set[tuple[str, str]]:
    return {(table, column) for table, column in connection.execute(_COLUMNS)}


def _count(connection: Connection, table: str) -> int:
    # The name is one that PostgreSQL quoted itself.
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608


_COLUMNS: Final = text("""
SELECT c.oid::regclass::text, quote_ident(a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
  AND c.relnamespace = current_schema()::regnamespace
""")
# Of this transaction alone; rows of a partition count for the table it is a part of.
_DELETIONS: Final = text("""
SELECT coalesce(pg_partition_root(relid), relid)::regclass::text AS name,
  sum(n_tup_del)::bigint AS rows
FROM pg_stat_xact_user_tables
WHERE n_tup_del > 0 AND relname <> 'alembic_version'
  AND schemaname = current_schema()
GROUP BY 1
""")
