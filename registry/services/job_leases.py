"""Whose turn it is to do what the clock asks for."""

from dataclasses import dataclass
from datetime import timedelta

from registry.store import job_leases
from registry.store.schema import Transactions


@dataclass(frozen=True)
class JobLease:
    """Shared by all workers: each duty is done once in a period, by whoever comes first."""

    transactions: Transactions

    def take(self, duty: str, every: timedelta) -> bool:
        """Whether it is our turn; it is then nobody else's before the period is over."""
        with self.transactions() as connection:
            return job_leases.take(connection, duty, every=every)
