"""What all tables share: names, types, and transactions that name the e-Box they may see."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import psycopg
from psycopg.pq import ExecStatus
from psycopg.sql import quote
from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Engine,
    MetaData,
    Row,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.domain.errors import Unavailable
from registry.domain.identifiers import Ebox

AnyRow = Row[*tuple[Any, ...]]  # a row whose columns are known by name, not by type

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

PARTITIONS: Final = 16  # hash partitions of the tables that grow with the number of e-Boxes
BY_EBOX: Final = "HASH (ebox)"
INSTANT: Final = TIMESTAMP(timezone=True)
JSON: Final = JSONB(none_as_null=True)


class EboxKey(TypeDecorator[Ebox]):
    """An e-Box as row-level security knows it: `enterprise:0206731645`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Ebox | None, dialect: Dialect) -> str | None:
        """The key that is stored."""
        return None if value is None else value.key

    def process_result_value(self, value: str | None, dialect: Dialect) -> Ebox | None:
        """The e-Box that the key names."""
        return None if value is None else Ebox.from_key(value)


class Records(TypeDecorator[list[Any]]):
    """Rows of another table aggregated as a JSON array; none for SQL's NULL.

    With `make` each item is an array, read as `make(*item)`; without it the item is the value.
    """

    impl = JSONB
    cache_ok = True

    def __init__(self, make: Callable[..., Any] | None = None) -> None:
        super().__init__()
        self.make = make

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Any]:
        """One value a row."""
        return [self.make(*row) for row in value or ()] if self.make else value or []


def ebox_column() -> Column[Any]:
    """The first column of every primary key but the reference data's."""
    return Column("ebox", EboxKey, primary_key=True)


@dataclass(frozen=True)
class Transactions:
    """Opens transactions; a service is the only caller.

    `transactions(ebox)` sees and writes that e-Box's rows, `transactions()` those of none.
    Leaving with an exception rolls back. Raises `Unavailable` when PostgreSQL does not answer.
    The engine is in autocommit mode: BEGIN travels with the naming of the e-Box, which saves every
    request a round trip.
    """

    engine: Engine

    @contextmanager
    def __call__(self, ebox: Ebox | None = None) -> Iterator[Connection]:
        """A transaction; without `ebox` only reference data is visible."""
        try:
            with closing(self._begun(ebox)) as connection:  # what is not committed is rolled back
                yield connection
                _command(connection, "COMMIT")
        except (OperationalError, InterfaceError, PoolTimeout, psycopg.Error) as error:
            raise Unavailable("The database does not answer.") from error

    def _begun(self, ebox: Ebox | None) -> Connection:
        """A connection in a transaction; those that died in the pool are replaced on the way."""
        named = f"; SET LOCAL registry.ebox = {quote(ebox.key)}" if ebox else ""
        for _ in range(self.engine.pool.size() + 1):  # type: ignore[attr-defined] # a QueuePool's
            connection = self.engine.connect()
            try:
                _command(connection, f"BEGIN{named}")
            except psycopg.OperationalError:
                connection.invalidate()
                connection.close()
            else:
                return connection
        raise Unavailable("The database does not keep its connections.")


def name_ebox(connection: Connection, ebox: Ebox) -> None:
    """Let row-level security show this e-Box, until the transaction ends or another is named."""
    connection.exec_driver_sql("SELECT set_config('registry.ebox', %s, true)", (ebox.key,))


def unsafe_role(connection: Connection) -> str | None:
    """Why row-level security would not hold for the role that is connected, if so.

    The second lock counts only for a role that is no superuser, may not bypass row-level
    security, does not own the tables, and may not become a role of which this is untrue.
    """
    row = connection.exec_driver_sql(
        "SELECT bool_or(rolsuper OR rolbypassrls) AS mighty,"
        " bool_or(oid IN (SELECT relowner FROM pg_class WHERE relname = 'messages')) AS owner"
        " FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')"
    ).one()
    if row.mighty:
        return "The database role is a superuser or may bypass row-level security."
    return "The database role owns the tables." if row.owner else None


def sees_every_ebox(connection: Connection) -> bool:
    """Whether a policy shows the connected role the rows of all e-Boxes, as it does the worker."""
    return bool(
        connection.exec_driver_sql(
            "SELECT EXISTS (SELECT FROM pg_policy p, unnest(p.polroles) AS role"
            " WHERE p.polname = 'every_ebox' AND pg_has_role(role, 'MEMBER'))"
        ).scalar_one()
    )


def _command(connection: Connection, statement: str) -> None:
    """Run a statement without parameters or rows, past the machinery that those need.

    Half of what a transaction costs this process is its BEGIN and COMMIT.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    result = driver.pgconn.exec_(statement.encode())
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
