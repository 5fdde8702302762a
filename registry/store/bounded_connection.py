"""Connections to PostgreSQL that wait for no answer longer than they may.

The limits of the server end what it is busy with; they do not help against a server that says
nothing: its machine is gone, or it stands still behind a pooler that is well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection

from registry.domain.errors import Unavailable
from registry.http_client.breaker import Breaker

T = TypeVar("T")

_POOLERS_WORDS: Final = "unsupported startup parameter"  # of pgbouncer about `options`
_NO_ANSWER: Final = "The server does not answer in time."
_GLANCE: Final = 0.1  # seconds between two looks at signals, as psycopg has it
# Follows the naming of an e-Box where what is prepared has one plan for all of them. Such a plan
# expects each to be small, and might sort all of a large one.
_PLANNING_ONCE: Final = (
    ", set_config('plan_cache_mode', 'force_generic_plan', true)"
    ", set_config('enable_sort', 'off', true)"
)
_NO_FAULTS: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Silent(psycopg.OperationalError):
    """The server has not answered in time, and the connection is closed."""


class PoolerMet(Exception):
    """A pooler stands before the database: set REGISTRY_DATABASE_POOLER=true."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BoundedConnection(psycopg.Connection[Any]):
    """Closes itself when an answer takes longer than `limit` seconds; None is no limit.

    `usual_limit` is that of every new transaction, `begin_limit` the one of its first answer, for
    which a server that is well needs no time. `opening` is how a transaction begins, `naming` what
    follows when row-level security is to show an e-Box: its key is a parameter, never a part of
    the text, which PostgreSQL keeps in its statistics and its log. `is_pooled` is said of one that
    leads to a pooler, which gives each transaction another connection.
    """

    usual_limit: float | None = None
    begin_limit: float | None = None
    limit: float | None = None
    opening: str = "BEGIN"
    is_pooled: bool = False
    naming: str = "SELECT set_config('registry.ebox', $1, true)"

    def wait(self, gen: PQGen[T], interval: float = _GLANCE, timeout: float | None = None) -> T:
        """Wait for an answer; raises `Silent`."""
        try:
            return super().wait(gen, interval, self.limit if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # Whatever the server says ends what was under way; so it has said nothing.
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            raise Silent(_NO_ANSWER) from error

    def rollback(self) -> None:
        """Roll back, if there is anything: SQLAlchemy asks for it whenever a connection returns."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().rollback()

    def begin(self, ebox_key: str | None = None, *, plans_once: bool = False) -> None:
        """Begin a transaction in one round trip, which shows the e-Box of this key if there is one.

        With `plans_once` what it prepares is planned once for all e-Boxes. Raises `Silent`.
        """
        self.limit = self.usual_limit
        if ebox_key is None:
            self.command(self.opening, self.begin_limit)
        else:
            naming = self.naming
            # Behind a pooler nothing is prepared: such a plan would be made anew each time.
            if plans_once and not self.is_pooled:
                naming += _PLANNING_ONCE
            self._name(ebox_key, naming, "BEGIN", timeout=self.begin_limit)

    def begin_anew(self, ebox_key: str) -> None:
        """Commit, and begin the next transaction as `begin` does, all in one round trip."""
        self.limit = self.usual_limit
        self._name(ebox_key, self.naming, "COMMIT", "BEGIN")

    def command(self, statements: str, timeout: float | None = None) -> None:
        """Run statements without parameters or rows, past the machinery that those need.

        Half of what a transaction costs this process is its BEGIN and COMMIT. Raises `Silent`.
        """
        self.pgconn.send_query(statements.encode())
        _check(self.wait(generators.execute(self.pgconn), timeout=timeout))

    def _name(
        self, ebox_key: str, naming: str, *commands: str, timeout: float | None = None
    ) -> None:
        """Run commands and then `naming`, in one round trip; closes itself when that breaks off.

        By libpq's pipeline mode, since a message of several statements has no parameters.
        """
        pgconn = self.pgconn
        try:
            pgconn.enter_pipeline_mode()
            for each in commands:
                pgconn.send_query_params(each.encode(), None)
            pgconn.send_query_params(naming.encode(), [ebox_key.encode()])
            pgconn.pipeline_sync()
            results = self.wait(self._receive(len(commands) + 1), timeout=timeout)
            pgconn.exit_pipeline_mode()
        except BaseException:
            self.close()
            raise
        _check(results)

    def _receive(self, count: int) -> PQGen[list[PGresult]]:
        """Receive the results of a pipeline of `count` statements, and the word that it is over."""
        yield from generators.send(self.pgconn)
        results: list[PGresult] = []
        for _ in range(count):
            results += yield from generators.fetch_many(self.pgconn)
        yield from generators.fetch_many(self.pgconn)
        if len(results) < count:
            raise psycopg.OperationalError("The server broke off.")
        return results


def _check(results: list[PGresult]) -> None:
    """Raise the first error among the results."""
    for result in results:
        if result.status not in _NO_FAULTS:
            raise psycopg.OperationalError(result.get_error_message())


@dataclass(frozen=True, eq=False)  # hashable, as listeners are
class Connector:
    """Opens the connections of an engine, with these limits in seconds.

    `settings` are those of the server that each transaction brings along, in pairs of name and
    value, where a pooler stands before it, which `is_pooled` says. A server that cannot be reached
    is left alone for a moment by the `breaker`: while each attempt takes its time, all threads
    would wait for one.
    """

    breaker: Breaker
    limit: float | None
    begin_limit: float | None
    is_pooled: bool
    settings: Mapping[str, str]

    def __call__(
        self, _dialect: object, _record: object, arguments: Any, parameters: Any
    ) -> BoundedConnection:
        """Connect, for SQLAlchemy's event `do_connect`; raises `PoolerMet`."""
        try:
            with self.breaker.guard(answers=(PoolerMet,)):
                connection = _connect(arguments, parameters)
        except Unavailable as error:
            raise psycopg.OperationalError("The server could not be reached just now.") from error
        connection.limit = connection.usual_limit = self.limit
        connection.begin_limit, connection.is_pooled = self.begin_limit, self.is_pooled
        for name, value in self.settings.items():
            connection.opening += f"; SET LOCAL {name} = {value}"
            connection.naming += f", set_config('{name}', '{value}', true)"
        return connection


def find_pooler_fault(connection: Connection) -> str | None:
    """Say that a pooler was met where none was expected, if so.

    There the limits that are asked for at the start might not be in force, and prepared statements
    would be another connection's. It shows by whom it says is at the other end.
    """
    driver = get_driver(connection)
    if driver.is_pooled:
        return None
    backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    return None if backend == driver.info.backend_pid else str(PoolerMet())


def _connect(arguments: Any, parameters: Any) -> BoundedConnection:
    connect: Callable[..., BoundedConnection] = BoundedConnection.connect
    try:
        return connect(*arguments, **parameters)
    except psycopg.Error as error:
        if _POOLERS_WORDS in str(error):
            raise PoolerMet from None
        # The frames behind it hold a socket and each other, until somebody looks for garbage: what
        # was given up would stay open.
        raise error.with_traceback(None) from None


def get_driver(connection: Connection) -> BoundedConnection:
    """Get the connection below SQLAlchemy's."""
    return cast("BoundedConnection", connection.connection.driver_connection)
