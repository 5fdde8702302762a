"""Memory of what the federation was told: it is kept for some days, then forgotten (ADR 041)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from registry.store.events import event_memory
from registry.store.transactions import Transactions

_BATCH: Final = 1000  # events forgotten in one transaction
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class EventMemory:
    """Forgets events that were told more than `period` ago; all others stay until the purge."""

    transactions: Transactions
    period: timedelta
    now: Callable[[], datetime]
    size: int = _BATCH

    def find_horizon(self) -> datetime:
        """Give the instant before which what was told is forgotten, or about to be."""
        return self.now() - self.period

    def forget_all(self) -> Iterator[int]:
        """Forget batch after batch, the oldest first; gives the number of each."""
        told_from, told_before = _BEGINNING, self.find_horizon()
        while True:
            with self.transactions() as connection:
                batch = event_memory.forget(
                    connection, told_from=told_from, told_before=told_before, limit=self.size
                )
            if batch is None:
                return
            yield batch.events
            # An index still has what is deleted: each batch would walk past all batches before.
            told_from = batch.newest
