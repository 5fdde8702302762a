"""Leases of the jobs that the clock asks for, so that one worker at a time does each."""

from dataclasses import dataclass
from datetime import timedelta

from registry.store import job_leases
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class JobLease:
    """Shared by all workers: the first to ask does a job, and no other in the same period."""

    transactions: Transactions

    def take(self, job: str, period: timedelta) -> bool:
        """Take the lease of a job, unless it was taken within the period; tell if it is ours."""
        with self.transactions() as connection:
            return job_leases.take(connection, job, period=period)
