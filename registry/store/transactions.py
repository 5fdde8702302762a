"""Transactions that name the e-Box whose rows they may see."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import psycopg
from psycopg.pq import ExecStatus
from psycopg.sql import quote
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.domain.errors import Unavailable
from registry.domain.identifiers import Ebox
from registry.store.roles import find_application_fault

_OUTAGES: Final = (OperationalError, InterfaceError, PoolTimeout, psycopg.Error)
_NO_ANSWER: Final = "The database does not answer."
_CHECKED: Final = "role checked in round"  # among what the pool remembers of a connection

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Checks:
    """Number of the checks that connections must have passed; a new number doubts them all."""

    round: int = 1


@dataclass(frozen=True)
class Transactions:
    """Opens transactions; a service is the only caller.

    `transactions(ebox)` sees and writes that e-Box's rows, `transactions()` those of none.
    Leaving with an exception rolls back. Raises `Unavailable` when PostgreSQL does not answer.
    The engine is in autocommit mode: BEGIN travels with the naming of the e-Box, which saves every
    request a round trip. `find_fault` says why a role must not be used; each connection of the
    pool is checked before its first transaction, and later ones have no statement extra.
    """

    engine: Engine
    find_fault: Callable[[Connection], str | None] = find_application_fault
    _checks: _Checks = field(default_factory=_Checks, repr=False)

    @contextmanager
    def __call__(self, ebox: Ebox | None = None) -> Iterator[Connection]:
        """A transaction; without `ebox` only reference data is visible."""
        try:
            with closing(self._begun(ebox)) as connection:  # what is not committed is rolled back
                yield connection
                _command(connection, "COMMIT")
        except _OUTAGES as error:
            raise Unavailable(_NO_ANSWER) from error

    def check_role(self) -> None:
        """Raise `Unavailable` that says what is wrong with the role, if anything is.

        For readiness, which notices in time that somebody changed the role of a running service:
        then no connection counts as checked any longer.
        """
        try:
            with closing(self._begun(None, is_checked=False)) as connection:
                fault = self.find_fault(connection)
        except _OUTAGES as error:
            raise Unavailable(_NO_ANSWER) from error
        if fault:
            self._checks.round += 1
            raise Unavailable(fault)

    def _begun(self, ebox: Ebox | None, *, is_checked: bool = True) -> Connection:
        """A connection in a transaction; those that died in the pool are replaced on the way."""
        named = f"; SET LOCAL registry.ebox = {quote(ebox.key)}" if ebox else ""
        for _ in range(self.engine.pool.size() + 1):  # type: ignore[attr-defined] # a QueuePool's
            connection = self.engine.connect()
            try:
                if is_checked:  # before BEGIN, behind which SET TRANSACTION comes
                    self._check_once(connection)
                _command(connection, f"BEGIN{named}")
            except psycopg.OperationalError:
                connection.invalidate()
                connection.close()
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise Unavailable("The database does not keep its connections.")

    def _check_once(self, connection: Connection) -> None:
        """Check the role of a connection that was not checked yet; raises `Unavailable`.

        What is wrong goes into the log: it is for operators, and the error for clients.
        """
        checks_round = self._checks.round
        if connection.info.get(_CHECKED) == checks_round:
            return
        if fault := self.find_fault(connection):
            _log.error("nothing is served: %s", fault)
            raise Unavailable("The database is not fit for use.")
        connection.info[_CHECKED] = checks_round


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
