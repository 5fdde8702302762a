"""Leases of jobs: of several workers one does a job of the clock, once in a period."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Column, Connection, Table, Text, text

from registry.store.schema import INSTANT, metadata

job_leases = Table(
    "turns",
    metadata,
    Column("duty", Text, primary_key=True),  # the job's name
    # By the database's clock, one for all workers: their machines need not agree.
    Column("taken_at", INSTANT, nullable=False),
)


def take(connection: Connection, job: str, *, period: timedelta) -> bool:
    """Take the lease of a job, unless it was taken within the period; tell if it is ours.

    A lease of the future is from a clock that was set back since, and does not count.
    """
    values = {"job": job, "period": period}
    return connection.execute(_TAKE, values).first() is not None


_TAKE: Final = text("""
INSERT INTO turns AS t (duty, taken_at) VALUES (:job, clock_timestamp())
ON CONFLICT (duty) DO UPDATE SET taken_at = clock_timestamp()
  WHERE t.taken_at <= clock_timestamp() - :period OR t.taken_at > clock_timestamp()
RETURNING duty
""")
