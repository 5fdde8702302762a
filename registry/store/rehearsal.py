"""A rehearsal: what a call needs of the database is done, looked at and taken back."""

from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.domain.errors import StoreUnfit, Unavailable
from registry.store.driver_words import read_driver_words
from registry.store.schema import REVISION
from registry.store.shape import read_shape
from registry.store.transactions import Transactions


class _TakenBack(Exception):
    """Ends a transaction that changes nothing."""


def rehearse(transactions: Transactions, work: Callable[[Connection], None]) -> None:
    """Check the role, and do the work in a transaction that is taken back.

    Raises `StoreUnfit` for a database of another shape or one that only reads, and `Unavailable`
    with what PostgreSQL says when the work cannot be done. That calls use all connections is no
    fault: what they do shows itself whether the database is well.
    """
    try:
        transactions.check_role()
        with suppress(_TakenBack), transactions() as connection:
            _require_shape(connection)
            work(connection)
            _take_back()
    except Unavailable as error:
        if isinstance(error.__cause__, PoolTimeout):
            return
        if error.__cause__ is None:
            raise
        words = read_driver_words(error.__cause__)
        raise Unavailable(f"The database cannot be used: {words}") from error


def _take_back() -> NoReturn:
    raise _TakenBack


def _require_shape(connection: Connection) -> None:
    """Raise `StoreUnfit` unless the database is as new as this code, and can be written to.

    One that is newer is migrated already for the code that comes next.
    """
    shape = read_shape(connection)
    if shape.only_reads:
        raise StoreUnfit("The database can only be read: it is a replica, or set so.")
    if not shape.has_revision:
        raise StoreUnfit("The database was never migrated.")
    if not shape.is_open:
        raise StoreUnfit("The database was migrated last by an older version of this program.")
    if shape.revision is None or shape.revision < REVISION:
        raise StoreUnfit(f"The database is at revision {shape.revision}, not at {REVISION}.")
