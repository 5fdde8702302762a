"""Adoption: publications that the database lost are filed again, by their records (ADR 030)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs.checked import verify_document
from registry.blobs.objects import StoredObjects
from registry.domain.document_keys import RECORDS, find_recorded_id, make_record_key
from registry.domain.drafts import NewAttachment
from registry.domain.errors import (
    DocumentAltered,
    DocumentUnavailable,
    Invalid,
    Issue,
    SenderSuspended,
)
from registry.domain.identifiers import Ebox
from registry.domain.storage_findings import StoredObject
from registry.services.publication.message_rows import NewMessage, add_message, make_sent_message
from registry.services.publication.records import PublicationRecords, RecordUnusable
from registry.store.documents import lost_publications
from registry.store.publication import sent_messages, upload_notes
from registry.store.publication.upload_notes import UploadNote
from registry.store.transactions import Transactions

_NOT_THERE: Final = "is not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionScope:
    """Which lost publications an operator means: all, unless one of these narrows it.

    `ebox` is the recipient's. `message_ids` names them one by one. They were received from `begin`
    on and before `end`; those whose record is younger than `older_than` are left alone.
    """

    ebox: Ebox | None = None
    message_ids: Sequence[UUID] = ()
    begin: datetime | None = None
    end: datetime | None = None
    older_than: timedelta = timedelta()

    def has_time(self, instant: datetime) -> bool:
        """Tell if a publication received at an instant is meant."""
        is_late_enough = self.begin is None or self.begin <= instant
        return is_late_enough and (self.end is None or instant < self.end)


@dataclass(frozen=True, slots=True)
class LostPublication:
    """A publication that storage has a record of; `message` is None when that cannot be used.

    `received_at` is the time of its record then, or None without one. `outcome` says what became of
    it, or would, or why nothing can; `is_settled`: nothing is left to do.
    """

    message_id: UUID
    received_at: datetime | None
    message: NewMessage | None
    outcome: str = ""
    is_settled: bool = False

    @property
    def attachments(self) -> Sequence[NewAttachment]:
        """Its documents, as far as they are known."""
        return self.message.request.attachments if self.message else ()


class _Rejection(Exception):
    """The transaction is rolled back; the text says why."""


class _Presence(Exception):
    """The message is there: another adoption was faster."""


class _Rehearsal(Exception):
    """All would have gone well."""


@dataclass(frozen=True)
class Adoption:
    """Files lost publications again, each in a transaction of its own, whole or not at all.

    What purge, sweep or a refusal has deleted, or is about to, is not lost: their traces are here,
    or its record is gone.
    """

    transactions: Transactions
    objects: StoredObjects
    records: PublicationRecords
    audit_log: AuditLog
    now: Callable[[], datetime]

    def find(
        self, scope: AdoptionScope, show: Callable[[int], None] = lambda _: None
    ) -> Iterator[LostPublication]:
        """Find the lost publications that are meant; raises `Unavailable`.

        `show` gets the number of records that were looked at so far.
        """
        count = 0
        for page in self._list_pages(scope):
            # After the list: what was filed meanwhile has its row by now.
            with self.transactions() as connection:
                lost_ids = lost_publications.find_lost(connection, list(page))
            for message_id in sorted(lost_ids):
                publication = self._read(message_id, page[message_id], scope)
                if self._is_meant(scope, publication):
                    yield publication
            count += len(page)
            show(count)

    def rehearse(self, publication: LostPublication) -> LostPublication:
        """Say what would become of it; of its documents only the sizes are looked at."""
        message = publication.message
        if publication.outcome or message is None:
            return publication
        fault = self._find_fault(publication.attachments, self._find_wrong_size)
        if fault:
            return replace(publication, outcome=fault)
        return self._settle(
            publication, lambda: self._file(message, is_announced=True, is_rehearsal=True)
        )

    def adopt(self, publication: LostPublication, *, is_announced: bool) -> LostPublication:
        """File it again, if every document has its bytes; `is_announced`: the federation is told.

        Raises `Unavailable`: then nothing of it is filed, or all.
        """
        message = publication.message
        if publication.outcome or message is None:
            return publication
        # The sizes of all first: nobody reads a gigabyte for a document that is not complete.
        fault = self._find_fault(publication.attachments, self._find_wrong_size)
        fault = fault or self._find_fault(publication.attachments, self._find_wrong_bytes)
        if fault:
            return replace(publication, outcome=fault)
        return self._settle(publication, lambda: self._file(message, is_announced=is_announced))

    def _list_pages(self, scope: AdoptionScope) -> Iterator[dict[UUID, StoredObject | None]]:
        """List the records that there are, or look for those that are named."""
        if scope.message_ids:
            yield {
                message_id: self.objects.describe(make_record_key(message_id))
                for message_id in scope.message_ids
            }
            return
        for page in self.objects.list_pages(RECORDS, ""):
            ids = ((find_recorded_id(record.key), record) for record in page)
            yield {message_id: record for message_id, record in ids if message_id is not None}

    def _read(
        self, message_id: UUID, record: StoredObject | None, scope: AdoptionScope
    ) -> LostPublication:
        if record is None:
            return LostPublication(message_id, None, None, "left: storage has no record of it")
        try:
            message = self.records.read(message_id, record.size)
        except RecordUnusable as error:
            return LostPublication(message_id, record.stored_at, None, f"left: {error}")
        is_young = record.stored_at >= self.now() - scope.older_than
        outcome = "left: younger than --older-than" if is_young else ""
        return LostPublication(message_id, message.received_at, message, outcome)

    def _is_meant(self, scope: AdoptionScope, publication: LostPublication) -> bool:
        """Tell if the scope has it; who asks for one e-Box is told of no record that names none."""
        if publication.received_at is not None and not scope.has_time(publication.received_at):
            return False
        if scope.ebox is None:
            return True
        return (
            publication.message is not None
            and publication.message.request.draft.recipient == scope.ebox
        )

    def _find_fault(
        self, attachments: Sequence[NewAttachment], look: Callable[[NewAttachment], str | None]
    ) -> str | None:
        """Find why the documents are not all there, by their number in the message."""
        for number, attachment in enumerate(attachments, 1):
            if fault := look(attachment):
                return f"left: document {number} of {len(attachments)} {fault}"
        return None

    def _find_wrong_size(self, attachment: NewAttachment) -> str | None:
        stored_object = self.objects.describe(attachment.blob_key)
        if stored_object is None:
            return _NOT_THERE
        return None if stored_object.size == attachment.size else "has another size"

    def _find_wrong_bytes(self, attachment: NewAttachment) -> str | None:
        blobs = self.objects.blobs
        try:
            verify_document(blobs, attachment.blob_key, attachment.digest, attachment.size)
        except DocumentAltered:
            return "has other bytes"
        except DocumentUnavailable:
            return _NOT_THERE
        return None

    def _settle(self, publication: LostPublication, file: Callable[[], None]) -> LostPublication:
        """File it, and say what became of it."""
        try:
            file()
        except _Rehearsal:
            return replace(publication, outcome="can be adopted")
        except _Presence:
            return replace(publication, outcome="there meanwhile", is_settled=True)
        except _Rejection as rejection:
            return replace(publication, outcome=f"left: {rejection}")
        except Invalid as error:
            return replace(publication, outcome=f"left: {_describe(error.issues)}")
        except SenderSuspended:
            return replace(publication, outcome="left: its sender is suspended")
        return replace(publication, outcome="adopted", is_settled=True)

    def _file(self, message: NewMessage, *, is_announced: bool, is_rehearsal: bool = False) -> None:
        """Carry out the transaction, or all of it but the commit."""
        with self.transactions(message.request.owner) as connection:
            self._add_rows(connection, message, is_announced=is_announced)
            if is_rehearsal:
                raise _Rehearsal

    def _add_rows(self, connection: Connection, message: NewMessage, *, is_announced: bool) -> None:
        request, message_id = message.request, message.message_id
        lost_publications.wait_for_adoptions(connection)
        if not lost_publications.find_lost(connection, [message_id]):
            raise _Presence
        if sent_messages.find(connection, request.owner, message_id) is None:
            # Without its note, which is of another life of the database if there is one.
            sent_message = make_sent_message(message, has_upload=False)
            if first_id := sent_messages.add(connection, request.owner, sent_message):
                raise _Rejection(f"its sender published it again as {first_id}")
        # A message that it refers to was looked for when it was published, and may be lost too.
        expires_at = add_message(
            connection, message, is_original_known=True, may_wait=True, is_announced=is_announced
        )
        if expires_at <= self.now():
            raise _Rejection("it has expired")
        upload_notes.remove(connection, UploadNote(request.owner, message_id))
        facts = details.describe_publication(
            message_id, request.draft.original_message_id, request.attachments
        )
        self.audit_log.note(connection, "fsck/adopt", facts, ebox=request.draft.recipient)


def _describe(issues: Iterable[Issue]) -> str:
    return "; ".join(f"{issue.name}: {issue.detail}" for issue in issues)
