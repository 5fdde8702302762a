"""Whose turn it is: of several workers one does what the clock asks for, once in a period."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Column, Connection, Table, Text, text

from registry.store.schema import INSTANT, metadata

turns = Table(
    "turns",
    metadata,
    Column("duty", Text, primary_key=True),
    Column("taken_at", INSTANT, nullable=False),  # by the database's clock
)


def take(connection: Connection, duty: str, *, every: timedelta) -> bool:
    """Whether nobody took this duty's turn within the period; then it is ours.

    A turn that was taken in the future is of a clock that was set back since, and does not count.
    """
    return connection.execute(_TAKE, {"duty": duty, "every": every}).first() is not None


_TAKE: Final = text("""
INSERT INTO turns AS t (duty, taken_at) VALUES (:duty, clock_timestamp())
ON CONFLICT (duty) DO UPDATE SET taken_at = clock_timestamp()
  WHERE t.taken_at <= clock_timestamp() - :every OR t.taken_at > clock_timestamp()
RETURNING duty
""")
