"""Indexes of new revisions, built while everybody reads and writes."""

from typing import Final

from alembic import op
from sqlalchemy import text

_PARTITIONS: Final = text("""
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)
ORDER BY inhrelid
""")
_IS_BROKEN: Final = text(
    "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)"
)
_IS_ATTACHED: Final = text(
    "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(:name))"
)


def create_index(name: str, table: str, of: str, *, is_unique: bool = False) -> None:
    """Create the index `name` of a table, partitioned or not, without holding anybody up.

    `of` is what follows the name of the table: columns in brackets, and perhaps WHERE. What the
    revision did before is committed; the revision may break off here and be run again. Its way
    back drops the index plainly, so that it can be rehearsed.
    """
    kind = "UNIQUE INDEX" if is_unique else "INDEX"
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        partitions = connection.execute(_PARTITIONS, {"table": table}).scalars().all()
        if not partitions:
            _build(kind, name, table, of)
            return
        op.execute(f"CREATE {kind} IF NOT EXISTS {name} ON ONLY {table} {of}")
        for partition in partitions:
            part = f"{name}_{partition.removeprefix(f'{table}_')}"
            _build(kind, part, partition, of)
            if not connection.execute(_IS_ATTACHED, {"name": part}).scalar_one():
                op.execute(f"ALTER INDEX {name} ATTACH PARTITION {part}")


def _build(kind: str, name: str, table: str, of: str) -> None:
    """Build an index of one table; one that an earlier attempt left unfinished is built anew.

    It waits for whoever reads old rows, as long as that takes, and nobody waits for it.
    """
    patience = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar_one()
    op.execute("SET lock_timeout = 0")
    try:
        if op.get_bind().execute(_IS_BROKEN, {"name": name}).scalar_one():
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        op.execute(f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {name} ON {table} {of}")
    finally:
        op.execute(f"SET lock_timeout = '{patience}'")
