"""Locks of migrations: one migration at a time, and none that readers queue up behind."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import SystemRandom
from typing import Final

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

PATIENCE: Final = 600.0  # seconds that a revision is tried again, while somebody has its tables
_LOCK_TIMEOUT: Final = 500  # ms: whoever comes after us waits behind us as long
_PAUSE: Final = (1.0, 2.0)  # seconds between two attempts, in which all of them are let through
_GLANCE: Final = 0.5  # seconds between two looks at another migration
_REMINDER: Final = 60.0  # seconds between two reports of it
_KEY: Final = (0x65626F78, 0x6D696772)  # of the advisory lock: "eboxmigr"

_random: Final = SystemRandom()
_LOCK_ERRORS: Final = (LockNotAvailable, DeadlockDetected)


class MigrationBlocked(Exception):
    """A revision could not be reached; nothing of it was done."""


@contextmanager
def hold_lock(connection: Connection, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of all migrations of this database, and wait for locks of tables only briefly.

    While another process has it, wait, and say whose it is. Belongs to the connection, which must
    be in no transaction: the lock ends with the process, however that ends.
    """
    _require_direct(connection)
    _wait_for_turn(connection, report)
    connection.exec_driver_sql(f"SET lock_timeout = {_LOCK_TIMEOUT}")
    connection.commit()
    try:
        yield
    finally:
        if not connection.invalidated and not connection.closed:
            connection.rollback()
            connection.exec_driver_sql("RESET lock_timeout")
            connection.execute(_UNLOCK, _LOCK_VALUES)
            connection.commit()


def retry_locked(
    connection: Connection,
    revision: str,
    work: Callable[[], None],
    report: Callable[[str], None],
    patience: float,
) -> None:
    """Do the work, again and again while its locks are not to be had, for `patience` seconds.

    Raises `MigrationBlocked`. The work leaves the connection in no transaction.
    """
    ends = time.monotonic() + patience
    attempt = 1
    while True:
        try:
            work()
        except DBAPIError as error:
            connection.rollback()
            if not isinstance(error.orig, _LOCK_ERRORS):
                raise
            if time.monotonic() > ends:
                raise MigrationBlocked(
                    f"Somebody had tables of revision {revision} in use all the time, in a"
                    " transaction that does not end. Nothing of it was done; run it again."
                ) from error
        else:
            return
        attempt += 1
        report(f"Revision {revision} waits for tables that somebody uses; attempt {attempt}.")
        time.sleep(_random.uniform(*_PAUSE))


def _require_direct(connection: Connection) -> None:
    """Raise `MigrationBlocked` behind a pooler, which gives each transaction another connection."""
    driver = connection.connection.driver_connection
    backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    connection.rollback()
    if driver is not None and driver.info.backend_pid != backend:
        raise MigrationBlocked(
            "A pooler stands before the database: REGISTRY_DATABASE_OWNER_URL must lead past it."
        )


def _wait_for_turn(connection: Connection, report: Callable[[str], None]) -> None:
    said_at = -_REMINDER
    while not connection.execute(_LOCK, _LOCK_VALUES).scalar_one():
        holder = connection.execute(_HOLDER, _LOCK_VALUES).scalar()
        connection.rollback()
        if holder and time.monotonic() - said_at >= _REMINDER:
            said_at = time.monotonic()
            report(f"Waits for another migration of this database: {holder}.")
        time.sleep(_GLANCE)
    connection.commit()


_LOCK_VALUES: Final = {"high": _KEY[0], "low": _KEY[1]}
_LOCK: Final = text("SELECT pg_try_advisory_lock(:high, :low)")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(:high, :low)")
_HOLDER: Final = text("""
SELECT format('process %s of %s on %s, since %s UTC', a.pid, a.usename,
  coalesce(host(a.client_addr), 'the server itself'),
  to_char(a.backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS'))
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :high AND l.objid = :low
  AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
