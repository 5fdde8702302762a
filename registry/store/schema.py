"""The metadata, names and types that all tables share."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    Column,
    Dialect,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from registry.domain.identifiers import Ebox

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

REVISION: Final = "0024"  # of the newest migration, without which this code does not work
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
