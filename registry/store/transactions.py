"""Transactions that name the e-Box whose rows they may see."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.domain.errors import SenderSuspended, Unavailable
from registry.domain.identifiers import Ebox
from registry.store.bounded_connection import (
    BoundedConnection,
    PoolerMet,
    Silent,
    find_pooler_fault,
    get_driver,
)
from registry.store.roles import find_application_fault
from registry.telemetry.watch import Watch

_OUTAGES: Final = (OperationalError, InterfaceError, PoolTimeout, psycopg.Error)
_NAME: Final = "database"
_NO_ANSWER: Final = "The database does not answer."
_SUSPENDED: Final = "EB403"  # the state of the error that a trigger raises (ADR 036)
_ERA: Final = "era in which the role was checked"  # among what the pool remembers of a connection

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Doubts:
    """Number of an era; connections of an earlier one are not used again."""

    era: int = 1


def refuse_clients(fault: str) -> Unavailable:
    """Log what is wrong, and make the error that clients see."""
    _log.error("nothing is served: %s", fault)
    return Unavailable("The database is not fit for use.")


def refuse_operators(fault: str) -> Unavailable:
    """Make the error that operators see, who can do something about it."""
    return Unavailable(f"The database is not fit for use: {fault}")


@dataclass(frozen=True)
class Transactions:
    """Opens transactions; a service is the only caller.

    `transactions(ebox)` sees and writes that e-Box's rows, `transactions()` those of none.
    Leaving with an exception rolls back. Raises `Unavailable` when PostgreSQL does not answer, and
    `SenderSuspended` when it refuses what a suspended sender publishes.
    The engine is in autocommit mode: BEGIN travels with the naming of the e-Box, which saves every
    request a round trip. `find_fault` says why a role must not be used; each connection of the
    pool is checked before its first transaction, and later ones have no statement extra. `refuse`
    makes the error of what must not be used, for those who see it.
    """

    engine: Engine
    find_fault: Callable[[Connection], str | None] = find_application_fault
    refuse: Callable[[str], Unavailable] = refuse_clients
    _doubts: _Doubts = field(default_factory=_Doubts, repr=False)

    @contextmanager
    def __call__(
        self, ebox: Ebox | None = None, *, plans_once: bool = False
    ) -> Iterator[Connection]:
        """A transaction; without `ebox` only reference data is visible.

        `plans_once` is for queries whose plan is the same for all e-Boxes, small and large: to plan
        them for each took half of what PostgreSQL does for a page (ADR 048).
        """
        try:
            # What is not committed is rolled back.
            with (
                closing(self._begun(ebox, plans_once=plans_once)) as connection,
                self._drop_when_dead(connection),
                _watch_transaction(),
            ):
                yield connection
                get_driver(connection).command("COMMIT")
        except PoolerMet as error:
            raise self.refuse(str(error)) from None
        except _OUTAGES as error:
            raise Unavailable(_NO_ANSWER) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _SUSPENDED:
                raise SenderSuspended from None
            raise

    def renew(self, connection: Connection, ebox: Ebox) -> None:
        """Commit, and begin the next transaction of an e-Box, in one round trip.

        For what is done in many short transactions, one after the other.
        """
        driver = get_driver(connection)
        try:
            driver.begin_anew(ebox.key)
        except psycopg.OperationalError:
            if driver.closed:
                self._drop(connection)
            raise

    def execute_alone(self, statement: bytes, values: Sequence[object]) -> None:
        """Execute a statement that commits itself, in one round trip, and names its own e-Box.

        It has to bear being executed twice: a connection that dies may have brought it.
        """

        def execute(driver: BoundedConnection) -> None:
            try:
                driver.execute(statement, values)
            except psycopg.OperationalError as error:
                if driver.closed:  # another connection may be alive
                    raise
                raise Unavailable(_NO_ANSWER) from error

        try:
            self._open(execute).close()
        except PoolerMet as error:
            raise self.refuse(str(error)) from None
        except _OUTAGES as error:
            raise Unavailable(_NO_ANSWER) from error

    def check_role(self) -> None:
        """Raise `Unavailable` that says what is wrong with role or connection, if anything is.

        For readiness, which notices in time that somebody changed the role of a running service:
        then no connection counts as checked any longer.
        """
        try:
            with closing(self._begun(None, is_checked=False)) as connection:
                fault = self._find_fault(connection)
        except PoolerMet as error:
            raise Unavailable(str(error)) from None
        except _OUTAGES as error:
            raise Unavailable(_NO_ANSWER) from error
        if fault:
            self._doubts.era += 1
            raise Unavailable(fault)

    def _begun(
        self, ebox: Ebox | None, *, is_checked: bool = True, plans_once: bool = False
    ) -> Connection:
        """A connection in a transaction."""
        key = ebox.key if ebox else None
        return self._open(
            lambda driver: driver.begin(key, plans_once=plans_once), is_checked=is_checked
        )

    def _open(
        self, start: Callable[[BoundedConnection], None], *, is_checked: bool = True
    ) -> Connection:
        """A connection that has started; those that died in the pool are replaced on the way.

        Of a server that says nothing no second answer is awaited.
        """
        for _ in range(self.engine.pool.size() + 1):  # type: ignore[attr-defined] # a QueuePool's
            with Watch(_NAME, "connection"):  # which the pool has, or opens
                connection = self.engine.connect()
            try:
                if self._is_doubtful(connection):
                    self._drop(connection)
                    continue
                if is_checked:  # before BEGIN, behind which SET TRANSACTION comes
                    self._check_once(connection)
                start(get_driver(connection))
            except Silent:
                self._drop(connection)
                raise
            except psycopg.OperationalError:
                self._drop(connection)
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise Unavailable("The database does not keep its connections.")

    @contextmanager
    def _drop_when_dead(self, connection: Connection) -> Iterator[None]:
        """Drop the connection when it dies in a transaction."""
        try:
            yield
        except _OUTAGES:
            if not connection.invalidated and get_driver(connection).closed:
                self._drop(connection)
            raise

    def _is_doubtful(self, connection: Connection) -> bool:
        return bool(connection.info.get(_ERA, self._doubts.era) != self._doubts.era)

    def _drop(self, connection: Connection) -> None:
        """Give a dead connection up, and doubt those that are as old: they end at one server.

        Each would otherwise keep somebody waiting who finds it dead.
        """
        if not self._is_doubtful(connection):
            self._doubts.era += 1
        connection.invalidate()
        connection.close()

    def _check_once(self, connection: Connection) -> None:
        """Check the role of a connection that was not checked yet; raises `Unavailable`.

        What is wrong goes into the log: it is for operators, and the error for clients.
        """
        if _ERA in connection.info:
            return
        era = self._doubts.era
        if fault := self._find_fault(connection):
            raise self.refuse(fault)
        connection.info[_ERA] = era

    def _find_fault(self, connection: Connection) -> str | None:
        return find_pooler_fault(connection) or self.find_fault(connection)


@contextmanager
def _watch_transaction() -> Iterator[None]:
    """Watch a transaction; what the service refuses in it is no failure of the database."""
    with Watch(_NAME, "transaction") as watch:
        try:
            yield
        except _OUTAGES:
            watch.outcome = "unavailable"
            raise
        except BaseException:
            watch.outcome = "rolled back"
            raise


def name_ebox(connection: Connection, ebox: Ebox) -> None:
    """Let row-level security show this e-Box, until the transaction ends or another is named."""
    connection.exec_driver_sql("SELECT set_config('registry.ebox', %s, true)", (ebox.key,))


def lift_time_limit(connection: Connection) -> None:
    """Let this transaction take as long as it needs."""
    connection.exec_driver_sql(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
    )
    get_driver(connection).limit = None
