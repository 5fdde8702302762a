"""Readiness: checks that the service can do its work."""

from dataclasses import dataclass

from registry.audit.store.seal_bucket import SealStore
from registry.blobs import BlobStore
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class Readiness:
    """Checks the database and the document store, without which nothing works."""

    transactions: Transactions
    blobs: BlobStore

    def check(self) -> None:
        """Raise `Unavailable` unless database and document store answer.

        A database role for which row-level security does not hold counts as no answer.
        """
        self.transactions.check_role()
        self.blobs.check()


@dataclass(frozen=True)
class WorkerReadiness:
    """Checks the stores of the worker, and its database role, which must see every e-Box."""

    transactions: Transactions
    blobs: BlobStore
    seals: SealStore

    def check(self) -> None:
        """Raise `Unavailable` unless all stores answer, and the database role is the worker's."""
        self.transactions.check_role()
        self.blobs.check()
        self.seals.check()
