"""Document check: every stored document is read once in a while, and held against its digest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from registry.blobs import BlobStore
from registry.blobs.checked import verify_document
from registry.domain.errors import (
    DocumentAltered,
    DocumentUnavailable,
    RegistryError,
    Unavailable,
)
from registry.services.retention.reading_pace import ReadingPace, Stopped
from registry.store.retention import document_rounds
from registry.store.retention.document_rounds import ClaimedRound, RoundSums, StoredDocument
from registry.store.transactions import Transactions

_BATCH: Final = 50  # documents between two looks at the database
_BATCH_SIZE: Final = 64 << 20  # bytes after which a batch ends, too
_LEAST: Final = 64 << 10  # bytes as which a smaller document counts: a request has its price
_PATIENCE: Final = timedelta(minutes=2)  # for a batch, beside the time that its bytes take
_ATTEMPTS: Final = 5  # at a document that the store does not give, before others have their turn


class DocumentFault(NamedTuple):
    """A document that storage has lost or altered, and one message of those that have it."""

    key: str
    message_id: UUID
    is_altered: bool  # else it is not to be had


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A batch that was read: documents, their bytes, and those that are not as they should be."""

    documents: int
    size: int
    faults: Sequence[DocumentFault]


@dataclass
class _Tally:
    """How far a batch has come, and what ended it early."""

    last_key: str
    documents: int = 0
    size: int = 0
    faults: list[DocumentFault] = field(default_factory=list)
    end: Unavailable | Stopped | None = None

    def count(self, document: StoredDocument, fault: DocumentFault | None) -> None:
        self.last_key = document.blob_key
        self.documents += 1
        self.size += document.size
        self.faults += [fault] if fault else []

    def sum_up(self) -> RoundSums:
        failures = int(isinstance(self.end, Unavailable))
        return RoundSums(self.documents, self.size, len(self.faults), failures)


@dataclass(frozen=True)
class DocumentCheck:
    """Reads the documents in rounds, in the order of their keys, `days` from one to the next.

    With 0 days none is ever due; `rate` is in bytes a second. It sees what no reader does: bytes
    that the proxy hands out are not looked at on their way, and some are asked for by nobody. Of
    several processes one at a time reads.
    """

    transactions: Transactions
    blobs: BlobStore
    days: int
    rate: int

    def check_due(self, is_stopping: Callable[[], bool]) -> Iterator[CheckReport]:
        """Read on in the round that is under way or due, unless none ever is."""
        if self.days:
            pace = ReadingPace(self.rate, is_stopping)
            yield from self.check_all(pace, timedelta(days=self.days))

    def check_all(
        self, pace: ReadingPace, period: timedelta = timedelta()
    ) -> Iterator[CheckReport]:
        """Read batch after batch until the round is over, or the pace says stop.

        A new round begins when the last began longer than `period` ago. Raises `Unavailable` when
        storage does not answer; all goes on at that document then, and after some attempts behind
        it.
        """
        while batch := self._claim(period, pace):
            document_round, documents = batch
            tally = _Tally(document_round.last_key)
            try:
                self._read(documents, pace, tally, document_round.attempts)
            except BaseException:  # nobody will be told: it is all read again
                self._note(document_round, _Tally(document_round.last_key))
                raise
            self._note(document_round, tally)
            yield CheckReport(tally.documents, tally.size, tally.faults)
            if isinstance(tally.end, Unavailable):
                raise tally.end
            if tally.end:
                return

    def is_under_way(self) -> bool:
        """Tell if a process is reading."""
        with self.transactions() as connection:
            return document_rounds.is_claimed(connection)

    def find_last_start(self) -> datetime | None:
        """Find when the last whole round began: every document was read since."""
        with self.transactions() as connection:
            return document_rounds.find_last_start(connection)

    def _claim(
        self, period: timedelta, pace: ReadingPace
    ) -> tuple[ClaimedRound, Sequence[StoredDocument]] | None:
        """Claim the next documents of a round; None when none is due, and when this one is over."""
        with self.transactions() as connection:
            document_round = document_rounds.claim(connection, period=period)
            if document_round is None:
                return None
            documents = _cut(document_rounds.list_next(connection, document_round.last_key, _BATCH))
            if not documents:
                document_rounds.finish(connection, document_round)
                return None
            seconds = sum(max(document.size, _LEAST) for document in documents) / pace.rate
            lease = _PATIENCE + timedelta(seconds=2 * seconds)
            document_rounds.extend(connection, document_round, lease)
            return document_round, documents

    def _read(
        self, documents: Sequence[StoredDocument], pace: ReadingPace, tally: _Tally, attempts: int
    ) -> None:
        """Read these documents, the first of which failed so often before."""
        for document in documents:
            try:
                fault = self._verify(document, pace)
            except Stopped as end:
                tally.end = end
                return
            except Unavailable as error:
                if attempts + 1 < _ATTEMPTS or not self._is_store_well():
                    tally.end = error
                    return
                fault = _describe(document, error)
            tally.count(document, fault)
            attempts = 0

    def _verify(self, document: StoredDocument, pace: ReadingPace) -> DocumentFault | None:
        pace.keep(max(0, _LEAST - document.size))
        try:
            verify_document(
                self.blobs, document.blob_key, document.digest, document.size, pace.keep
            )
        except DocumentUnavailable as error:
            with self.transactions() as connection:
                is_promised = document_rounds.is_promised(connection, document.blob_key)
            # Else the purge was here meanwhile.
            return _describe(document, error) if is_promised else None
        return None

    def _is_store_well(self) -> bool:
        """Tell if storage answers, so that it is the one document that it does not give."""
        try:
            self.blobs.check()
        except Unavailable:
            return False
        return True

    def _note(self, document_round: ClaimedRound, tally: _Tally) -> None:
        with self.transactions() as connection:
            document_rounds.note_progress(
                connection, document_round, tally.last_key, tally.sum_up()
            )


def _describe(document: StoredDocument, error: RegistryError) -> DocumentFault:
    is_altered = isinstance(error, DocumentAltered)
    return DocumentFault(document.blob_key, document.message_id, is_altered)


def _cut(documents: Sequence[StoredDocument]) -> Sequence[StoredDocument]:
    """Cut a batch behind the document with which it is large enough."""
    size = 0
    for number, document in enumerate(documents, start=1):
        size += document.size
        if size >= _BATCH_SIZE:
            return documents[:number]
    return documents
