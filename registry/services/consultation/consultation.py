"""Reading an e-Box: listing, message, documents, body, payment and structured data, statistics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import Blob, BlobStore
from registry.domain.access import Caller
from registry.domain.calls import Call
from registry.domain.errors import NotFound, PermissionMissing
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox
from registry.domain.messages import counts_as_reading, find_soon_limit
from registry.domain.partitions import Rights
from registry.domain.queries import MessageQuery
from registry.services.consultation.partition_rights import PartitionRights
from registry.store.consultation import message_list, messages, statistics
from registry.store.consultation.messages import Attachment
from registry.store.events import outbox
from registry.store.publication import sent_messages
from registry.store.schema import AnyRow
from registry.store.transactions import Transactions, name_ebox


@dataclass(frozen=True, slots=True)
class Document:
    """A file that may be read by the owner of an e-Box; `is_read`: reading it reads the message."""

    attachment: Attachment
    ebox: Ebox
    message_id: UUID
    is_read: bool


@dataclass(frozen=True)
class Consultation:
    """What the owner of an e-Box, or whoever reads it for him, gets to see.

    Every method raises `NotFound` alike for what never existed, has expired or belongs to
    another e-Box, and `PermissionMissing` for a partition that the caller may not read
    (contract 6.6).
    """

    transactions: Transactions
    partition_rights: PartitionRights
    audit_log: AuditLog
    blobs: BlobStore
    now: Callable[[], datetime]
    soon_expiring_days: int

    def list_messages(
        self, call: Call, ebox: Ebox, query: MessageQuery
    ) -> tuple[Sequence[AnyRow], int]:
        """A page of the e-Box, newest first, and how many messages match in all."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            partitions = rights.narrow(query.partitions)
            page, total = message_list.page_of(
                connection, ebox, query, partitions=partitions, now=self.now()
            )
            self.audit_log.record(connection, call, ebox, details.describe_list(page))
            return page, total

    def message(self, call: Call, ebox: Ebox, message_id: UUID) -> AnyRow:
        """One message, received or sent (contract 6.27)."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            message = self._found(connection, rights, ebox, message_id)
            self.audit_log.record(connection, call, ebox, details.describe_message(message))
            return message

    def found(self, caller: Caller, ebox: Ebox, message_id: UUID) -> AnyRow:
        """The same for a decision, which shows the message to nobody and is not recorded."""
        with self.partition_rights.opened(caller, ebox) as (connection, rights):
            return self._found(connection, rights, ebox, message_id)

    def attachments(self, call: Call, ebox: Ebox, message_id: UUID) -> Sequence[Attachment]:
        """What is known of all documents of a message."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            found = self._found(connection, rights, ebox, message_id).attachments
            self.audit_log.record(
                connection, call, ebox, details.describe_attachments(message_id, found)
            )
            return list(found)

    def attachment(
        self, call: Call, ebox: Ebox, message_id: UUID, attachment_id: str
    ) -> Attachment:
        """What is known of one of them."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            message = self._found(connection, rights, ebox, message_id)
            found = _attachment(message, attachment_id)
            self.audit_log.record(
                connection, call, ebox, details.describe_attachments(message_id, [found])
            )
            return found

    def document(
        self, caller: Caller, ebox: Ebox, message_id: UUID, attachment_id: str
    ) -> Document:
        """One attachment of a message, to be handed out; nothing is marked or recorded yet."""
        message = self.found(caller, ebox, message_id)
        attachment = _attachment(message, attachment_id)
        marks = counts_as_reading(is_main=attachment.is_main, is_own=message.ebox == ebox)
        return Document(attachment, ebox, message_id, is_read=marks)

    def open(self, call: Call, document: Document, first: int, last: int) -> Blob:
        """Start reading bytes `first` to `last` of a document, and mark its message read.

        The document is opened before it is marked and marked before a byte is handed out, so
        that a message is never read by a failure, nor a document seen without its mark. Raises
        `DocumentUnavailable` or `Unavailable`, and marks nothing then.
        """
        blob = self.blobs.open(document.attachment.blob_key, first, last)
        try:
            self._handed_out(call, document, marks=document.is_read)
        except BaseException:
            blob.close()
            raise
        return blob

    def told(self, call: Call, document: Document) -> None:
        """Record that somebody was told of a document without getting a byte of it."""
        self._handed_out(call, document, marks=False)

    def body(self, call: Call, ebox: Ebox, message_id: UUID, *, is_shown: bool) -> Any:
        """The body's text by language; showing it reads the message when it is main content."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            message = self._found(connection, rights, ebox, message_id)
            if message.body is None:
                raise NotFound("message_id", str(message_id), "The message has no body.")
            is_own = message.ebox == ebox
            if is_shown and counts_as_reading(is_main=message.is_body_main, is_own=is_own):
                self._mark(connection, ebox, message_id)
            self.audit_log.record(connection, call, ebox, details.describe_message_id(message_id))
            return message.body

    def payment_data(self, call: Call, ebox: Ebox, message_id: UUID) -> Any:
        """How the message is to be paid."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            message = self._found(connection, rights, ebox, message_id)
            payment = _present(message, "payment_data")
            self.audit_log.record(
                connection, call, ebox, details.describe_payment(message_id, payment)
            )
            return payment

    def structured_data(self, call: Call, ebox: Ebox, message_id: UUID) -> Any:
        """The sender's own object, as it was published (contract 6.12)."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            message = self._found(connection, rights, ebox, message_id)
            data = _present(message, "structured_data")
            self.audit_log.record(connection, call, ebox, details.describe_message_id(message_id))
            return data

    def statistics(self, call: Call, ebox: Ebox, partitions: frozenset[str]) -> AnyRow:
        """Counts over the partitions asked for, or all that the caller may read (contract 6.9)."""
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            now = self.now()
            counts = statistics.counts(
                connection,
                ebox,
                partitions=rights.narrow(partitions),
                now=now,
                soon=find_soon_limit(now, self.soon_expiring_days),
            )
            self.audit_log.record(connection, call, ebox, details.NOTHING)
            return counts

    def _found(
        self, connection: Connection, rights: Rights, ebox: Ebox, message_id: UUID
    ) -> AnyRow:
        message = messages.find(connection, ebox, message_id, self.now())
        partition = message.partition if message else None
        if message is None:
            own = sent_messages.find(connection, ebox, message_id)
            if own is not None:
                partition = own.partition
                name_ebox(connection, own.recipient)
                message = messages.find(connection, own.recipient, message_id, self.now())
        if message is None:
            raise NotFound("message_id", str(message_id))
        if not rights.allow(partition):
            raise PermissionMissing("The caller has no right on the partition of this message.")
        return message

    def _handed_out(self, call: Call, document: Document, *, marks: bool) -> None:
        ebox, message_id = document.ebox, document.message_id
        with self.transactions(ebox) as connection:
            if marks:
                self._mark(connection, ebox, message_id)
            told = details.describe_document(message_id, document.attachment)
            self.audit_log.record(connection, call, ebox, told)

    def _mark(self, connection: Connection, ebox: Ebox, message_id: UUID) -> None:
        now = self.now()
        if messages.mark_read(connection, ebox, message_id, now):
            outbox.add(connection, Event(EventType.READ_DOCUMENT, ebox, message_id), due_at=now)


def _attachment(message: AnyRow, attachment_id: str) -> Attachment:
    found: Attachment | None = next(
        (one for one in message.attachments if one.attachment_id == attachment_id), None
    )
    if found is None:
        raise NotFound("attachment_id", attachment_id)
    return found


def _present(message: AnyRow, member: str) -> Any:
    """An optional part of a message, which is a resource of its own."""
    value = getattr(message, member)
    if value is None:
        raise NotFound("message_id", str(message.message_id), "The message has no such part.")
    return value
