"""Transactions that name the e-Box whose rows they may see."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.pq import ExecStatus
from psycopg.sql import quote
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.domain.errors import Unavailable
from registry.domain.identifiers import Ebox


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


def _command(connection: Connection, statement: str) -> None:
    """Run a statement without parameters or rows, past the machinery that those need.

    Half of what a transaction costs this process is its BEGIN and COMMIT.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    result = driver.pgconn.exec_(statement.encode())
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
