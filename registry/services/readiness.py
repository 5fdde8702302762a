"""Whether the service can do its work."""

from dataclasses import dataclass

from registry.blobs import BlobStore, SealStore
from registry.domain.errors import Unavailable
from registry.store.schema import Transactions, sees_every_ebox, unsafe_role


@dataclass(frozen=True)
class Readiness:
    """Asks the stores that everything rests on."""

    transactions: Transactions
    blobs: BlobStore

    def check(self) -> None:
        """Raise `Unavailable` unless database and document store answer.

        A database role for which row-level security does not hold counts as no answer: the
        second lock must be on before anyone is let in.
        """
        with self.transactions() as connection:
            if fault := unsafe_role(connection):
                raise Unavailable(fault)
            if sees_every_ebox(connection):
                raise Unavailable("The database role sees every e-Box, as only the worker may.")
        self.blobs.check()


@dataclass(frozen=True)
class WorkerReadiness:
    """The same for the worker, who must see every e-Box, and still may not do anything."""

    transactions: Transactions
    blobs: BlobStore
    seals: SealStore

    def check(self) -> None:
        """Raise `Unavailable` unless all answer, the role is the worker's, and seals are kept."""
        with self.transactions() as connection:
            if fault := unsafe_role(connection):
                raise Unavailable(fault)
            if not sees_every_ebox(connection):
                raise Unavailable("The database role is not the worker's: it sees one e-Box.")
        self.blobs.check()
        self.seals.check()
