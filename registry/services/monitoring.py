"""Whether the service can do its work."""

from dataclasses import dataclass

from registry.blobs import BlobStore
from registry.domain.errors import Unavailable
from registry.store.base import Transactions, unsafe_role


@dataclass(frozen=True)
class Monitoring:
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
        self.blobs.check()
