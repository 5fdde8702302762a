"""The end of a message: deleted when its time is over, with a proof, unless the law holds it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import BlobStore
from registry.domain.identifiers import Ebox
from registry.store.retention import legal_holds, purge
from registry.store.schema import AnyRow, Transactions

EXPIRED: Final = "expired"
_DOCUMENTS: Final = 50  # deleted from storage between two looks at the database
_LEASE: Final = timedelta(minutes=10)  # for these; then somebody else tries
_KEPT: Final = timedelta(days=1)  # until storage, which must keep a document, is asked again


class Pseudonyms(Protocol):
    """Names e-Boxes so that nobody can tell which, but for whoever has the key."""

    def of(self, ebox: Ebox) -> str:
        """The same for the same e-Box under the same key."""
        ...


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of documents whose message is gone: erased, still had by others, or kept by
    storage, whose retention is not over.
    """

    erased: int = 0
    shared: int = 0
    kept: int = 0

    @property
    def looked_at(self) -> int:
        """All of them."""
        return self.erased + self.shared + self.kept


@dataclass(frozen=True)
class Purge:
    """Deletes expired messages, and lets nobody delete what is held (contract 4.5).

    A message is deleted in one transaction with its proof; its documents follow, since storage
    knows no transactions, and are not forgotten if that is interrupted.
    """

    transactions: Transactions
    blobs: BlobStore
    audit_log: AuditLog
    pseudonyms: Pseudonyms
    now: Callable[[], datetime]

    def purge(self, limit: int) -> int:
        """Delete a batch of expired messages; how many, 0 when none is left to delete."""
        now = self.now()
        with self.transactions() as connection:
            legal_holds.wait_for_holds(connection)
            gone = purge.delete_expired(connection, now=now, limit=limit)
            if gone:
                purge.prove(connection, [self._proof(row, now) for row in gone])
                done = [(row.ebox, details.part(row.message_id)) for row in gone]
                self.audit_log.note_all(connection, "purge", done)
                keys = dict.fromkeys(key for row in gone for key in row.blob_keys)
                purge.doom(connection, list(keys), due_at=now)
        return len(gone)

    def erase(self) -> Erased:
        """Delete a batch of documents whose messages are gone from storage.

        Raises `Unavailable` when storage does not answer; what was not asked for yet is due again
        at once, and the document that it failed on later, so that it holds up no other.
        """
        now = self.now()
        with self.transactions() as connection:
            doomed = purge.take_doomed(connection, now=now, limit=_DOCUMENTS, again_at=now + _LEASE)
        untried = list(doomed)
        done: list[int] = []
        kept: list[int] = []
        try:
            while untried:
                row = untried.pop(0)
                is_gone = row.is_claimed or self.blobs.erase(row.blob_key)
                (done if is_gone else kept).append(row.doom_id)
        finally:
            with self.transactions() as connection:
                purge.forget(connection, done)
                purge.postpone(connection, kept, until=now + _KEPT)
                purge.postpone(connection, [row.doom_id for row in untried], until=now)
        shared = sum(row.is_claimed for row in doomed)
        return Erased(len(done) - shared, shared, len(kept))

    def proofs(self, message_id: UUID) -> Sequence[AnyRow]:
        """The proofs that a message was deleted, one for each e-Box that had it."""
        with self.transactions() as connection:
            return purge.proofs(connection, message_id)

    def _proof(self, row: AnyRow, now: datetime) -> dict[str, Any]:
        return {
            "ebox_hash": self.pseudonyms.of(row.ebox),
            "message_id": row.message_id,
            "documents": row.documents,
            "expired_at": row.expires_at,
            "deleted_at": now,
            "why": EXPIRED,
        }
