"""Proofs that messages were deleted, for whoever asks later."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from registry.store.retention import purge
from registry.store.retention.purge import DeletionProof
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class DeletionProofs:
    """Finds the proofs that the purge leaves (contract 4.5)."""

    transactions: Transactions

    def find(self, message_id: UUID) -> Sequence[DeletionProof]:
        """Find the proofs that a message was deleted, one for each e-Box that had it."""
        with self.transactions() as connection:
            return purge.find_proofs(connection, message_id)
