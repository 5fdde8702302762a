"""Purge: expired messages are deleted, with a proof, unless a legal hold is on them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import BlobStore
from registry.domain.document_keys import find_record_key
from registry.domain.identifiers import Ebox
from registry.domain.pseudonyms import Pseudonyms
from registry.store.consultation.size_keeping import forget_counts
from registry.store.publication.routing_rules import forget_rights, forget_rules
from registry.store.retention import document_erasures, legal_holds, purge
from registry.store.retention.purge import (
    DeletedMessage,
    DeletionProof,
    ExpiryBacklog,
    LeftMessages,
)
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
            self._follow(connection, messages, now, EXPIRY, "purge")
        return len(messages)

    def count_backlog(self) -> ExpiryBacklog:
        """Count the expired messages that are still to be deleted, for a dashboard."""
        with self.transactions() as connection:
            return purge.count_expired(connection, now=self.now(), most=_MOST_COUNTED)

    def purge_ebox(self, ebox: Ebox, why: str, limit: int) -> int:
        """Delete a batch of all that an e-Box has; gives their number, 0 when none may be deleted.

        `why` is kept with the proofs. Holds keep what they are on (contract 4.5).
        """
        with self.transactions(ebox) as connection:
            legal_holds.wait_for_holds(connection)
            messages = purge.delete_of_ebox(connection, ebox, limit=limit)
            self._follow(connection, messages, self.now(), why, "ebox/erase")
        return len(messages)

    def forget_ebox(self, ebox: Ebox) -> LeftMessages:
        """Forget what was learnt of an e-Box from others, and count the messages that are left."""
        with self.transactions(ebox) as connection:
            forget_counts(connection, ebox)
            forget_rights(connection, ebox)
            forget_rules(connection, ebox)
            return purge.count_left(connection, ebox)

    def count_left(self, ebox: Ebox) -> LeftMessages:
        """Count the messages of an e-Box: those that nothing may delete, and the others."""
        with self.transactions(ebox) as connection:
            return purge.count_left(connection, ebox)

    def _follow(
        self,
        connection: Connection,
        messages: Sequence[DeletedMessage],
        now: datetime,
        why: str,
        operation: str,
    ) -> None:
        """Add proofs and entries of deleted messages, and plan the erasure of their documents."""
        if not messages:
            return
        purge.add_proofs(connection, [self._proof(message, now, why) for message in messages])
        entries = [
            (message.ebox, details.describe_message_id(message.message_id)) for message in messages
        ]
        self.audit_log.note_all(connection, operation, entries)
        # The e-Boxes of a broadcast share their documents: each key once.
        keys = dict.fromkeys(key for message in messages for key in message.blob_keys)
        document_erasures.plan_erasures(connection, list(keys))

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
            erasures = document_erasures.claim_erasures(connection, limit=_DOCUMENTS, lease=_LEASE)
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
                document_erasures.end_erasures(connection, over)
                document_erasures.postpone_erasures(
                    connection, in_retention, pause=_RETENTION_PAUSE
                )
                rest = [erasure.erasure_id for erasure in queue]
                document_erasures.postpone_erasures(connection, rest, pause=timedelta())
        in_use = sum(erasure.is_claimed for erasure in erasures)
        return ErasureReport(len(over) - in_use, in_use, len(in_retention))

    def _erase(self, blob_key: str) -> bool:
        """Erase a document, and before the first of a message the record of its publication."""
        record_key = find_record_key(blob_key)
        if record_key is not None and not self.blobs.erase(record_key):
            return False
        return self.blobs.erase(blob_key)

    def _proof(self, message: DeletedMessage, now: datetime, why: str) -> DeletionProof:
        return DeletionProof(
            ebox_hash=self.pseudonyms.hash_ebox(message.ebox),
            message_id=message.message_id,
            documents=message.documents,
            expired_at=message.expires_at,
            deleted_at=now,
            why=WITHDRAWAL if message.is_withdrawn else why,
        )
