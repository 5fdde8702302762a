"""Rescan: documents that were published are shown to the malware scanner again."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import BlobStore
from registry.blobs.clamd import Clamd
from registry.domain.errors import DocumentUnavailable, MalwareFound, NotScanned
from registry.services.retention.withdrawal import Withdrawal
from registry.store.documents import publications
from registry.store.documents.publications import PublishedDocument
from registry.store.transactions import Transactions

_WINDOW: Final = timedelta(days=1)  # of arrivals that are listed in the order of their keys
_BATCH: Final = 100  # documents between two looks at the database


class ScanVerdict(StrEnum):
    """Outcome of a look at a document; all but `CLEAN` is worth telling."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNED = "unscanned"  # not looked at whole
    UNREADABLE = "unreadable"  # storage does not have what was published


class ScannedDocument(NamedTuple):
    """A document with the verdict on it; `is_settled`: its message is withdrawn."""

    blob_key: str
    message_id: UUID
    size: int
    verdict: ScanVerdict
    is_settled: bool = False


class ScanPlace(NamedTuple):
    """Place that a rescan came to: behind the key `after`, of messages received from `begin` on."""

    begin: datetime
    after: str


class ScannedBatch(NamedTuple):
    """Documents that were scanned, and where to go on."""

    documents: Sequence[ScannedDocument]
    place: ScanPlace


@dataclass(frozen=True)
class Rescan:
    """Shows stored documents to clamd, `at_once` at a time, in the order of their arrival.

    It has the time, the slots and the breaker that publications have, but of its own process.
    """

    transactions: Transactions
    blobs: BlobStore
    scanner: Clamd
    withdrawal: Withdrawal
    audit_log: AuditLog
    now: Callable[[], datetime]

    def scan(self, place: ScanPlace, *, at_once: int) -> Iterator[ScannedBatch]:
        """Scan what was published from a place on, until now, batch by batch.

        Raises `Unavailable` when storage or scanner does not answer; what was given before stands.
        """
        until = self.now()
        with ThreadPoolExecutor(at_once) as threads:
            while batch := self._list(place, until):
                documents, place = batch
                yield ScannedBatch(list(threads.map(self._scan, documents)), place)

    def quarantine(self, document: ScannedDocument, why: str) -> ScannedDocument:
        """Withdraw the message of a document from all e-Boxes that have it, and keep it."""
        for _ in self.withdrawal.withdraw(document.message_id, None, why):
            pass
        for _ in self.withdrawal.hold_documents(document.message_id, None):
            pass
        return document._replace(is_settled=True)

    def note(self, document: ScannedDocument) -> None:
        """Note in the trail what is wrong with a document."""
        facts = details.describe_scan(
            document.blob_key,
            document.message_id,
            document.verdict.value,
            is_withdrawn=document.is_settled,
        )
        with self.transactions() as connection:
            self.audit_log.note(connection, "rescan/finding", facts)

    def note_end(self, since: datetime, counts: dict[str, int]) -> None:
        """Note in the trail that all since then was scanned, and the numbers of verdicts."""
        with self.transactions() as connection:
            facts = {"since": since.isoformat(), **counts}
            self.audit_log.note(connection, "rescan/end", facts)

    def _list(
        self, place: ScanPlace, until: datetime
    ) -> tuple[Sequence[PublishedDocument], ScanPlace] | None:
        """List the next documents, and where to go on behind them; None at the end."""
        while place.begin < until:
            end = min(place.begin + _WINDOW, until)
            with self.transactions() as connection:
                documents = publications.list_published(
                    connection, begin=place.begin, end=end, after=place.after, limit=_BATCH
                )
                if documents:
                    return documents, ScanPlace(place.begin, documents[-1].blob_key)
                next_arrival = publications.find_next_arrival(connection, end)
            if next_arrival is None:
                return None
            place = ScanPlace(next_arrival, "")
        return None

    def _scan(self, document: PublishedDocument) -> ScannedDocument:
        verdict = self._judge(document)
        return ScannedDocument(document.blob_key, document.message_id, document.size, verdict)

    def _judge(self, document: PublishedDocument) -> ScanVerdict:
        marks: list[ScanVerdict] = []
        try:
            blob = self.blobs.open(document.blob_key, 0, document.size - 1, size=document.size)
            try:
                for _ in self.scanner.scan(blob, lambda: marks.append(ScanVerdict.UNSCANNED)):
                    pass
            finally:
                blob.close()
        except MalwareFound:
            return ScanVerdict.INFECTED
        except NotScanned:
            return ScanVerdict.UNSCANNED
        except DocumentUnavailable:
            return ScanVerdict.UNREADABLE
        return marks[0] if marks else ScanVerdict.CLEAN
