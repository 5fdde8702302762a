"""Queries that are compiled once, and asked of the driver without SQLAlchemy in between."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Select
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.exc import DBAPIError

from registry.store.bounded_connection import get_driver

_DIALECT: Final = psycopg_dialect.dialect()  # type: ignore[no-untyped-call]


class DirectQuery:
    """A query whose rows are what the driver makes of them: tuples, with no type of SQLAlchemy's.

    For what is asked all day: executing a listing through SQLAlchemy and converting its rows took
    this process twice as long as the driver does (ADR 047). Whoever listens to statements hears
    this one too. `prepare` is psycopg's: True at once, False never, so that it is planned each
    time for the values that it has, None when it has come often. Behind a pooler none is.
    """

    def __init__(self, query: Select[Any], *, prepare: bool | None = None) -> None:
        self._prepare = prepare
        compiled = query.compile(dialect=_DIALECT)
        self._text = str(compiled)
        self._constants = {
            name: bound.effective_value
            for bound, name in compiled.bind_names.items()
            if not bound.required
        }

    def read(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Read all rows for these values, by the names under which they are bound.

        Values are such as the driver knows: the key of an e-Box. Raises what SQLAlchemy would.
        """
        bound_values = {**self._constants, **values}
        with get_driver(connection).cursor() as cursor:
            for note in connection.dispatch.before_cursor_execute:
                note(connection, cursor, self._text, bound_values, None, False)
            try:
                return cursor.execute(self._text, bound_values, prepare=self._prepare).fetchall()
            except psycopg.Error as error:
                raise DBAPIError.instance(
                    None, None, error, psycopg.Error, hide_parameters=True, dialect=_DIALECT
                ) from error
