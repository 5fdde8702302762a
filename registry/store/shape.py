"""The shape of a database: which revision it is at, and whether it can be written to."""

from typing import Final, NamedTuple

from sqlalchemy import Connection

OLDEST_SERVER: Final = 150_000  # as the server counts: PostgreSQL 15


class Shape(NamedTuple):
    """`has_revision` says that it was migrated at all, `is_open` that we may read how far."""

    only_reads: bool
    has_revision: bool
    is_open: bool
    revision: str | None
    server_version: int


def read_shape(connection: Connection) -> Shape:
    """Read the shape, as far as the role may."""
    row = connection.exec_driver_sql(
        "SELECT current_setting('transaction_read_only') = 'on' AS only_reads,"
        " to_regclass('alembic_version') IS NOT NULL AS has_revision,"
        " coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false)"
        " AS is_open,"
        " current_setting('server_version_num')::int AS server_version"
    ).one()
    revision = None
    if row.is_open:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return Shape(row.only_reads, row.has_revision, row.is_open, revision, row.server_version)
