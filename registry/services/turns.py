"""Whose turn it is to do what the clock asks for."""

from dataclasses import dataclass
from datetime import timedelta

from registry.store import turns
from registry.store.base import Transactions


@dataclass(frozen=True)
class Turns:
    """Shared by all workers: each duty is done once in a period, by whoever comes first."""

    transactions: Transactions

    def take(self, duty: str, every: timedelta) -> bool:
        """Whether it is our turn; it is then nobody else's before the period is over."""
        with self.transactions() as connection:
            return turns.take(connection, duty, every=every)
