"""Connections to PostgreSQL that wait for no answer longer than they may.

The limits of the server end what it is busy with; they do not help against a server that says
nothing: its machine is gone, or it stands still behind a pooler that is well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection

from registry.domain.errors import Unavailable
from registry.http_client.breaker import Breaker

T = TypeVar("T")

_NO_ANSWER: Final = "The server does not answer in time."
_GLANCE: Final = 0.1  # seconds between two looks at signals, as psycopg has it


class Silent(psycopg.OperationalError):
    """The server has not answered in time, and the connection is closed."""


class BoundedConnection(psycopg.Connection[Any]):
    """Closes itself when an answer takes longer than `limit` seconds; None is no limit.

    `usual_limit` is that of every new transaction, `begin_limit` the one of its first answer, for
    which a server that is well needs no time. `opening` is how a transaction begins.
    """

    usual_limit: float | None = None
    begin_limit: float | None = None
    limit: float | None = None
    opening: str = "BEGIN"

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

    def begin(self, more: str = "") -> None:
        """Begin a transaction in one round trip with the statements that follow."""
        self.limit = self.usual_limit
        self.command(self.opening + more, self.begin_limit)

    def begin_anew(self, more: str = "") -> None:
        """Commit, and begin the next transaction as `begin` does, all in one round trip."""
        self.limit = self.usual_limit
        self.command(f"COMMIT; {self.opening}{more}")

    def command(self, statements: str, timeout: float | None = None) -> None:
        """Run statements without parameters or rows, past the machinery that those need.

        Half of what a transaction costs this process is its BEGIN and COMMIT. Raises `Silent`.
        """
        self.pgconn.send_query(statements.encode())
        for result in self.wait(generators.execute(self.pgconn), timeout=timeout):
            if result.status != ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError(result.get_error_message())


@dataclass(frozen=True)
class Connector:
    """Opens the connections of an engine, with these limits in seconds.

    A server that cannot be reached is left alone for a moment by the `breaker`: while each attempt
    takes its time, all threads would wait for one.
    """

    breaker: Breaker
    limit: float | None
    begin_limit: float | None
    opening: str

    def __call__(
        self, _dialect: object, _record: object, arguments: Any, parameters: Any
    ) -> BoundedConnection:
        """Connect, for SQLAlchemy's event `do_connect`."""
        connect: Callable[..., BoundedConnection] = BoundedConnection.connect
        try:
            with self.breaker.guard():
                try:
                    connection = connect(*arguments, **parameters)
                except psycopg.Error as error:
                    # The frames behind it hold a socket and each other, until somebody looks for
                    # garbage: what was given up would stay open.
                    raise error.with_traceback(None) from None
        except Unavailable as error:
            raise psycopg.OperationalError("The server could not be reached just now.") from error
        connection.limit = connection.usual_limit = self.limit
        connection.begin_limit, connection.opening = self.begin_limit, self.opening
        return connection


def get_driver(connection: Connection) -> BoundedConnection:
    """Get the connection below SQLAlchemy's."""
    return cast("BoundedConnection", connection.connection.driver_connection)
