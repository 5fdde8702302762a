"""Large e-Boxes are counted, so that a listing costs the same in each (ADR 038)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from registry.domain.identifiers import Ebox
from registry.store.consultation import size_keeping
from registry.store.transactions import Transactions

_CHANGES: Final = 5_000  # summed up in one transaction
_ROWS: Final = 200  # messages marked in one transaction: each text brings hundreds of index entries


@dataclass(frozen=True)
class EboxSizes:
    """Marks e-Boxes that have grown large, and sums up how many messages they have."""

    transactions: Transactions
    now: Callable[[], datetime]

    def sum_up(self) -> Iterator[int]:
        """Sum up what was added and removed; gives the number of changes of each batch."""
        while count := self._sum_batch():
            yield count
            if count < _CHANGES:
                return

    def mark_all(self) -> Iterator[int]:
        """Mark each e-Box that somebody asked counts for; gives the number of each batch.

        One that breaks off begins anew: what is marked is left as it is.
        """
        with self.transactions() as connection:
            eboxes = size_keeping.find_uncounted(connection)
        for ebox in eboxes:
            yield from self._mark(ebox)

    def _sum_batch(self) -> int:
        with self.transactions() as connection:
            return size_keeping.sum_changes(connection, limit=_CHANGES)

    def _mark(self, ebox: Ebox) -> Iterator[int]:
        last: UUID | None = None
        while True:
            with self.transactions(ebox) as connection:
                count, last = size_keeping.mark_rows(connection, ebox, last, limit=_ROWS)
                if not count:
                    size_keeping.note_counted(connection, ebox, self.now())
                    return
            yield count
