"""Purge: expired messages are deleted, with a proof, unless a legal hold is on them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import BlobStore
from registry.domain.document_keys import find_record_key
from registry.domain.pseudonyms import Pseudonyms
from registry.store.retention import legal_holds, purge
from registry.store.retention.purge import DeletedMessage, DeletionProof, ExpiryBacklog
from registry.store.transactions import Transactions

EXPIRY: Final = "expired"  # the reason that a proof has
WITHDRAWAL: Final = "withdrawn"
_DOCUMENTS: Final = 50  # erased from storage between two looks at the database
_MOST_COUNTED: Final = 10_000  # of a backlog, which is looked at every few seconds
_LEASE: Final = timedelta(minutes=10)  # for these; then another worker tries
_RETENTION_PAUSE: Final = timedelta(days=1)  # until storage is asked again for a locked document


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """Numbers of documents whose message is gone, by outcome.

    `erasures` are gone from storage; `in_use` are documents of other messages too; `in_retention`
    are those that storage must still keep, under Object Lock.
    """

    erasures: int = 0
    in_use: int = 0
    in_retention: int = 0

    @property
    def total(self) -> int:
        """Number of all documents of the batch."""
        return self.erasures + self.in_use + self.in_retention


@dataclass(frozen=True)
class Purge:
    """Deletes expired messages, except those under a legal hold (contract 4.5).

    A message is deleted in one transaction with its proof. Its documents follow, since storage
    takes no part in transactions; they are noted, so that an interruption loses none of them.
    """

    transactions: Transactions
    blobs: BlobStore
    audit_log: AuditLog
    pseudonyms: Pseudonyms
    now: Callable[[], datetime]

    def purge(self, limit: int) -> int:
        """Delete a batch of expired messages; gives their number, 0 when none is left."""
        now = self.now()
        with self.transactions() as connection:
            legal_holds.wait_for_holds(connection)
            messages = purge.delete_expired(connection, now=now, limit=limit)
            if messages:
                purge.add_proofs(connection, [self._proof(message, now) for message in messages])
                entries = [
                    (message.ebox, details.describe_message_id(message.message_id))
                    for message in messages
                ]
                self.audit_log.note_all(connection, "purge", entries)
                # The e-Boxes of a broadcast share their documents: each key once.
                keys = dict.fromkeys(key for message in messages for key in message.blob_keys)
                purge.plan_erasures(connection, list(keys))
        return len(messages)

    def count_backlog(self) -> ExpiryBacklog:
        """Count the expired messages that are still to be deleted, for a dashboard."""
        with self.transactions() as connection:
            return purge.count_expired(connection, now=self.now(), most=_MOST_COUNTED)

    def purge_all(self, limit: int) -> Iterator[int]:
        """Delete batch after batch until none is left; gives the number of each."""
        while count := self.purge(limit):
            yield count

    def erase_all(self) -> Iterator[ErasureReport]:
        """Erase batch after batch until no document is left to look at."""
        while (report := self.erase()).total:
            yield report

    def erase(self) -> ErasureReport:
        """Erase a batch of documents whose messages are gone from storage.

        Raises `Unavailable` when storage does not answer. The documents after that one are due
        again at once, and the document itself later, so that it holds up no other.
        """
        with self.transactions() as connection:
            erasures = purge.claim_erasures(connection, limit=_DOCUMENTS, lease=_LEASE)
        queue = list(erasures)
        over: list[int] = []
        in_retention: list[int] = []
        try:
            while queue:
                erasure = queue.pop(0)
                is_over = erasure.is_claimed or self._erase(erasure.blob_key)
                (over if is_over else in_retention).append(erasure.erasure_id)
        finally:
            # Also after an error: it must not have the erasures before it tried again.
            with self.transactions() as connection:
                purge.end_erasures(connection, over)
                purge.postpone_erasures(connection, in_retention, pause=_RETENTION_PAUSE)
                rest = [erasure.erasure_id for erasure in queue]
                purge.postpone_erasures(connection, rest, pause=timedelta())
        in_use = sum(erasure.is_claimed for erasure in erasures)
        return ErasureReport(len(over) - in_use, in_use, len(in_retention))

    def _erase(self, blob_key: str) -> bool:
        """Erase a document, and before the first of a message the record of its publication."""
        record_key = find_record_key(blob_key)
        if record_key is not None and not self.blobs.erase(record_key):
            return False
        return self.blobs.erase(blob_key)

    def _proof(self, message: DeletedMessage, now: datetime) -> DeletionProof:
        return DeletionProof(
            ebox_hash=self.pseudonyms.hash_ebox(message.ebox),
            message_id=message.message_id,
            documents=message.documents,
            expired_at=message.expires_at,
            deleted_at=now,
            why=WITHDRAWAL if message.is_withdrawn else EXPIRY,
        )
