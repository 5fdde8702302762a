"""Readiness: checks that the service can do its work."""

from dataclasses import dataclass

from registry.audit.store.seal_bucket import SealStore
from registry.blobs import BlobStore
from registry.domain.errors import Unavailable
from registry.store.roles import sees_every_ebox, unsafe_role
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class Readiness:
    """Checks the database and the document store, without which nothing works."""

    transactions: Transactions
    blobs: BlobStore

    def check(self) -> None:
        """Raise `Unavailable` unless database and document store answer.

        A database role for which row-level security does not hold counts as no answer: it is the
        second lock on every e-Box, and must be on before anyone is let in.
        """
        with self.transactions() as connection:
            if fault := unsafe_role(connection):
                raise Unavailable(fault)
            if sees_every_ebox(connection):
                raise Unavailable("The database role sees every e-Box, as only the worker may.")
        self.blobs.check()


@dataclass(frozen=True)
class WorkerReadiness:
    """Checks the stores of the worker, and its database role, which must see every e-Box."""

    transactions: Transactions
    blobs: BlobStore
    seals: SealStore

    def check(self) -> None:
        """Raise `Unavailable` unless all stores answer, and the database role is the worker's."""
        with self.transactions() as connection:
            if fault := unsafe_role(connection):
                raise Unavailable(fault)
            # With the application's role it would find nothing to do, and look healthy.
            if not sees_every_ebox(connection):
                raise Unavailable("The database role is not the worker's: it sees one e-Box.")
        self.blobs.check()
        self.seals.check()
