"""What all tables share: names, types, and transactions that name the e-Box they may see."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

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
    """

    engine: Engine

    @contextmanager
    def __call__(self, ebox: Ebox | None = None) -> Iterator[Connection]:
        """A transaction; without `ebox` only reference data is visible."""
        try:
            with self.engine.begin() as connection:
                if ebox is not None:
                    name_ebox(connection, ebox)
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unavailable("The database does not answer.") from error


def name_ebox(connection: Connection, ebox: Ebox) -> None:
    """Let row-level security show this e-Box, until the transaction ends or another is named."""
    connection.exec_driver_sql("SELECT set_config('registry.ebox', %s, true)", (ebox.key,))


def unsafe_role(connection: Connection) -> str | None:
    """Why row-level security would not hold for the role that is connected, if so.

    The second lock counts only for a role that is no superuser, may not bypass row-level
    security and owns none of the tables.
    """
    row = connection.exec_driver_sql(
        "SELECT rolsuper OR rolbypassrls AS mighty,"
        " EXISTS (SELECT FROM pg_tables WHERE tableowner = current_user"
        "  AND tablename = 'messages') AS owner"
        " FROM pg_roles WHERE rolname = current_user"
    ).one()
    if row.mighty:
        return "The database role is a superuser or may bypass row-level security."
    return "The database role owns the tables." if row.owner else None
