"""Reading an e-Box: listing, message, documents, body, payment and structured data, statistics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from registry.blobs import Blob, BlobStore
from registry.domain.access import Caller, Rights
from registry.domain.errors import NotFound, PermissionMissing
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox
from registry.domain.messages import counts_as_reading, soon_expiring_until
from registry.domain.queries import MessageQuery
from registry.services.permitting import Permitting
from registry.store import messages, outbox, sent, statistics
from registry.store.base import AnyRow, Transactions, name_ebox
from registry.store.messages import Attachment


@dataclass(frozen=True, slots=True)
class Document:
    """A file that may be read, and the e-Box that reading it marks, if it marks any."""

    attachment: Attachment
    marks: Ebox | None


@dataclass(frozen=True)
class Consulting:
    """What the owner of an e-Box, or whoever reads it for him, gets to see.

    Every method raises `NotFound` alike for what never existed, has expired or belongs to
    another e-Box, and `PermissionMissing` for a partition that the caller may not read
    (contract 6.6).
    """

    transactions: Transactions
    permitting: Permitting
    blobs: BlobStore
    now: Callable[[], datetime]
    soon_expiring_days: int

    def list_messages(
        self, caller: Caller, ebox: Ebox, query: MessageQuery
    ) -> tuple[Sequence[AnyRow], int]:
        """A page of the e-Box, newest first, and how many messages match in all."""
        with self.permitting.opened(caller, ebox) as (connection, rights):
            partitions = rights.narrow(query.partitions)
            return messages.page_of(connection, ebox, query, partitions=partitions, now=self.now())

    def message(self, caller: Caller, ebox: Ebox, message_id: UUID) -> AnyRow:
        """One message, received or sent (contract 6.27)."""
        with self.permitting.opened(caller, ebox) as (connection, rights):
            return self._found(connection, rights, ebox, message_id)

    def document(
        self, caller: Caller, ebox: Ebox, message_id: UUID, attachment_id: str
    ) -> Document:
        """One attachment of a message; nothing is read or marked yet."""
        message = self.message(caller, ebox, message_id)
        for attachment in message.attachments:
            if attachment.attachment_id == attachment_id:
                is_own = message.ebox == ebox
                marks = counts_as_reading(is_main=attachment.is_main, is_own=is_own)
                return Document(attachment, ebox if marks else None)
        raise NotFound("attachment_id", attachment_id)

    def open(self, document: Document, first: int, last: int) -> Blob:
        """Start reading bytes `first` to `last` of a document, and mark its message read.

        The document is opened before it is marked and marked before a byte is handed out, so
        that a message is never read by a failure, nor a document seen without its mark. Raises
        `DocumentUnavailable` or `Unavailable`, and marks nothing then.
        """
        blob = self.blobs.open(document.attachment.blob_key, first, last)
        try:
            if document.marks is not None:
                with self.transactions(document.marks) as connection:
                    message_id = UUID(str(document.attachment.message_id))
                    self._mark(connection, document.marks, message_id)
        except BaseException:
            blob.close()
            raise
        return blob

    def body(self, caller: Caller, ebox: Ebox, message_id: UUID, *, is_shown: bool) -> Any:
        """The body's text by language; showing it reads the message when it is main content."""
        with self.permitting.opened(caller, ebox) as (connection, rights):
            message = self._found(connection, rights, ebox, message_id)
            if message.body is None:
                raise NotFound("message_id", str(message_id), "The message has no body.")
            is_own = message.ebox == ebox
            if is_shown and counts_as_reading(is_main=message.is_body_main, is_own=is_own):
                self._mark(connection, ebox, message_id)
            return message.body

    def payment_data(self, caller: Caller, ebox: Ebox, message_id: UUID) -> Any:
        """How the message is to be paid."""
        return _present(self.message(caller, ebox, message_id), "payment_data")

    def structured_data(self, caller: Caller, ebox: Ebox, message_id: UUID) -> Any:
        """The sender's own object, as it was published (contract 6.12)."""
        return _present(self.message(caller, ebox, message_id), "structured_data")

    def statistics(self, caller: Caller, ebox: Ebox, partitions: frozenset[str]) -> AnyRow:
        """Counts over the partitions asked for, or all that the caller may read (contract 6.9)."""
        with self.permitting.opened(caller, ebox) as (connection, rights):
            now = self.now()
            return statistics.counts(
                connection,
                ebox,
                partitions=rights.narrow(partitions),
                now=now,
                soon=soon_expiring_until(now, self.soon_expiring_days),
            )

    def _found(
        self, connection: Connection, rights: Rights, ebox: Ebox, message_id: UUID
    ) -> AnyRow:
        message = messages.find(connection, ebox, message_id, self.now())
        partition = message.partition if message else None
        if message is None:
            own = sent.find(connection, ebox, message_id)
            if own is not None:
                partition = own.partition
                name_ebox(connection, own.recipient)
                message = messages.find(connection, own.recipient, message_id, self.now())
        if message is None:
            raise NotFound("message_id", str(message_id))
        if not rights.allow(partition):
            raise PermissionMissing("The caller has no right on the partition of this message.")
        return message

    def _mark(self, connection: Connection, ebox: Ebox, message_id: UUID) -> None:
        now = self.now()
        if messages.mark_read(connection, ebox, message_id, now):
            outbox.add(connection, Event(EventType.READ_DOCUMENT, ebox, message_id), due_at=now)


def _present(message: AnyRow, member: str) -> Any:
    """An optional part of a message, which is a resource of its own."""
    value = getattr(message, member)
    if value is None:
        raise NotFound("message_id", str(message.message_id), "The message has no such part.")
    return value
