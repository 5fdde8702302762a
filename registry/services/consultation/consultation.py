"""Consultation of an e-Box: list, message, documents, body, payment and structured data, counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import Blob, BlobStore
from registry.blobs.begun import begin
from registry.blobs.checked import check_digest
from registry.domain.access import Caller
from registry.domain.calls import Call
from registry.domain.errors import DocumentUnavailable, NotFound, PermissionMissing
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox
from registry.domain.messages import counts_as_reading, find_soon_limit
from registry.domain.partitions import Rights
from registry.domain.queries import MessageQuery
from registry.services.consultation.partition_rights import PartitionRights
from registry.store.consultation import message_list, messages, statistics
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.consultation.message_list import MessagePage
from registry.store.consultation.message_records import Attachment, Message, MessageContent
from registry.store.consultation.statistics import EboxCounts
from registry.store.events import outbox
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from registry.store.transactions import Transactions, name_ebox


@dataclass(frozen=True, slots=True)
class Document:
    """A file of a message in `ebox`; `marks_read` tells if handing it out reads the message."""

    attachment: Attachment
    ebox: Ebox
    message_id: UUID
    marks_read: bool


@dataclass(frozen=True)
class Consultation:
    """Reads an e-Box for its owner, or for whoever may read it in his place.

    Every method raises `NotFound` alike for a message that never existed, has expired or belongs to
    another e-Box, and `PermissionMissing` for a partition that the caller may not read
    (contract 6.6).
    """

    transactions: Transactions
    partition_rights: PartitionRights
    audit_log: AuditLog
    blobs: BlobStore
    now: Callable[[], datetime]
    soon_expiring_days: int
    known_sizes: KnownSizes

    def list_messages(self, call: Call, ebox: Ebox, query: MessageQuery) -> MessagePage:
        """Read a page of the e-Box, newest first; count the messages that match in all."""
        plans_once = message_list.is_planned_once(query)
        with self.partition_rights.open_ebox(call.caller, ebox, plans_once=plans_once) as (
            connection,
            rights,
        ):
            partitions = rights.narrow(query.partitions)
            page = message_list.read_page(
                connection,
                ebox,
                query,
                partitions=partitions,
                now=self.now(),
                known_sizes=self.known_sizes,
            )
            self.audit_log.record(connection, call, ebox, details.describe_list(page.messages))
            return page

    def get_message(self, call: Call, ebox: Ebox, message_id: UUID) -> Message:
        """Read one message, received or sent (contract 6.27)."""
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            message = self._find(connection, rights, ebox, message_id).message
            self.audit_log.record(connection, call, ebox, details.describe_message(message))
            return message

    def find_message(self, caller: Caller, ebox: Ebox, message_id: UUID) -> Message:
        """Read one message for a decision; nobody sees it, so no entry is written."""
        with self.partition_rights.open_ebox(caller, ebox) as (connection, rights):
            return self._find(connection, rights, ebox, message_id).message

    def list_attachments(self, call: Call, ebox: Ebox, message_id: UUID) -> Sequence[Attachment]:
        """Describe all documents of a message."""
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            attachments = self._find(connection, rights, ebox, message_id).message.attachments
            self.audit_log.record(
                connection, call, ebox, details.describe_attachments(message_id, attachments)
            )
            return attachments

    def get_attachment(
        self, call: Call, ebox: Ebox, message_id: UUID, attachment_id: str
    ) -> Attachment:
        """Describe one document of a message."""
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            message = self._find(connection, rights, ebox, message_id).message
            attachment = _find_attachment(message, attachment_id)
            self.audit_log.record(
                connection, call, ebox, details.describe_attachments(message_id, [attachment])
            )
            return attachment

    def find_document(
        self, caller: Caller, ebox: Ebox, message_id: UUID, attachment_id: str
    ) -> Document:
        """Find a document that is to be handed out; nothing is marked or recorded yet."""
        message = self.find_message(caller, ebox, message_id)
        attachment = _find_attachment(message, attachment_id)
        marks_read = counts_as_reading(is_main=attachment.is_main, is_own=message.ebox == ebox)
        return Document(attachment, ebox, message_id, marks_read)

    def open_document(self, call: Call, document: Document, first: int, last: int) -> Blob:
        """Start reading bytes `first` to `last` of a document, and mark its message read.

        Its first bytes are read before it is marked, and it is marked before a byte is handed out,
        so that a message is never read by a failure, nor a document seen without its mark. Raises
        `DocumentUnavailable` or `Unavailable`, and marks nothing then. A whole document is held
        against its digest as it is read; of a range the sizes of the piece and of the whole are
        looked at.
        """
        attachment = document.attachment
        _require_sound(attachment)
        blob = self.blobs.open(attachment.blob_key, first, last, size=attachment.size)
        if first == 0 and last == attachment.size - 1:
            blob = check_digest(blob, attachment.digest, attachment.size)
        blob = begin(blob)
        try:
            self._hand_out(call, document, marks_read=document.marks_read)
        except BaseException:
            blob.close()
            raise
        return blob

    def sign_document(self, call: Call, document: Document) -> str:
        """Sign a path by which the proxy in front hands the document out; mark its message read.

        The document is seen to be there before it is marked. Raises as `open_document` does. Its
        digest is not looked at: the bytes do not come by here.
        """
        _require_sound(document.attachment)
        path = self.blobs.sign(document.attachment.blob_key, document.attachment.size)
        self._hand_out(call, document, marks_read=document.marks_read)
        return path

    def record_head(self, call: Call, document: Document) -> None:
        """Record that a document was described, and no byte of it handed out."""
        self._hand_out(call, document, marks_read=False)

    def get_body(
        self, call: Call, ebox: Ebox, message_id: UUID, *, is_shown: bool
    ) -> Mapping[str, str]:
        """Read the body by language; showing it reads the message when it is main content."""
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            content = self._find(connection, rights, ebox, message_id)
            if content.body is None:
                raise NotFound("message_id", str(message_id), "The message has no body.")
            is_own = content.message.ebox == ebox
            is_main = bool(content.message.is_body_main)
            if is_shown and counts_as_reading(is_main=is_main, is_own=is_own):
                self._mark_read(connection, call, ebox, message_id)
            self.audit_log.record(connection, call, ebox, details.describe_message_id(message_id))
            return content.body

    def get_payment_data(self, call: Call, ebox: Ebox, message_id: UUID) -> Mapping[str, Any]:
        """Read how the message is to be paid."""
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            content = self._find(connection, rights, ebox, message_id)
            payment = _require_part(content.message.payment_data, message_id)
            self.audit_log.record(
                connection, call, ebox, details.describe_payment(message_id, payment)
            )
            return payment

    def get_structured_data(self, call: Call, ebox: Ebox, message_id: UUID) -> Mapping[str, Any]:
        """Read the sender's own object, as it was published (contract 6.12)."""
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            content = self._find(connection, rights, ebox, message_id)
            data = _require_part(content.structured_data, message_id)
            self.audit_log.record(connection, call, ebox, details.describe_message_id(message_id))
            return data

    def count_messages(self, call: Call, ebox: Ebox, partitions: frozenset[str]) -> EboxCounts:
        """Count over these partitions; none means all that the caller may read (contract 6.9)."""
        with self.partition_rights.open_ebox(call.caller, ebox, plans_once=True) as (
            connection,
            rights,
        ):
            now = self.now()
            counts = statistics.count_messages(
                connection,
                ebox,
                partitions=rights.narrow(partitions),
                now=now,
                soon=find_soon_limit(now, self.soon_expiring_days),
                known_sizes=self.known_sizes,
            )
            self.audit_log.record(connection, call, ebox, details.NOTHING)
            return counts

    def _find(
        self, connection: Connection, rights: Rights, ebox: Ebox, message_id: UUID
    ) -> MessageContent:
        content = messages.find(connection, ebox, message_id, self.now())
        partition = content.message.partition if content else None
        if content is None:
            sent_message = sent_messages.find(connection, ebox, message_id)
            if sent_message is not None:
                # His right on the sender partition counts, as it is now: what he could read when
                # he sent the message gives him nothing (contract 6.27).
                partition = sent_message.partition
                name_ebox(connection, sent_message.recipient)
                content = messages.find(connection, sent_message.recipient, message_id, self.now())
                content = content and _restore_sent_state(content)
                if content is None and rights.allow(partition):
                    raise _make_absence(connection, ebox, sent_message, self.now())
        if content is None:
            raise NotFound("message_id", str(message_id))
        if not rights.allow(partition):
            raise PermissionMissing("The caller has no right on the partition of this message.")
        return content

    def _hand_out(self, call: Call, document: Document, *, marks_read: bool) -> None:
        ebox, message_id = document.ebox, document.message_id
        with self.transactions(ebox) as connection:
            if marks_read:
                self._mark_read(connection, call, ebox, message_id)
            description = details.describe_document(message_id, document.attachment)
            self.audit_log.record(connection, call, ebox, description)

    def _mark_read(self, connection: Connection, call: Call, ebox: Ebox, message_id: UUID) -> None:
        now = self.now()
        # The event goes out once, at the first reading (contract 4.4).
        if messages.mark_read(connection, ebox, message_id, now):
            event = Event(EventType.READ_DOCUMENT, ebox, message_id)
            outbox.add(connection, event, due_at=now, trace=call.trace_id)


def _restore_sent_state(content: MessageContent) -> MessageContent:
    """Give a message the state in which it was sent, for its sender.

    What became of it since is the recipient's life: whether he read or hid it, executed its action,
    and which partition his rules or his people chose. A sender asks for the status, where the
    contract lets him (contract 6.27, 6.34).
    """
    message = content.message._replace(
        read_at=None,
        is_visible=True,
        partition=None,
        is_routing_pending=False,
        action_executed_at=None,
    )
    return content._replace(message=message)


def _make_absence(
    connection: Connection, sender: Ebox, sent_message: SentMessage, now: datetime
) -> NotFound:
    """Make the refusal of a message that is there no longer; its sender is told of a withdrawal."""
    message_id = sent_message.message_id
    name_ebox(connection, sender)
    copies = [(message_id, sent_message.recipient)]
    statuses = sent_messages.find_statuses(connection, copies, now)
    is_withdrawn = any(status.withdrawn_at is not None for status in statuses)
    detail = "The message was withdrawn from its recipient's e-Box." if is_withdrawn else None
    return NotFound("message_id", str(message_id), detail)


def _find_attachment(message: Message, attachment_id: str) -> Attachment:
    for attachment in message.attachments:
        if attachment.attachment_id == attachment_id:
            return attachment
    raise NotFound("attachment_id", attachment_id)


def _require_sound(attachment: Attachment) -> None:
    """Raise `DocumentUnavailable` for a document that is marked as lost or altered."""
    if attachment.fault is not None:
        raise DocumentUnavailable


def _require_part(part: Mapping[str, Any] | None, message_id: UUID) -> Mapping[str, Any]:
    """Give an optional part of a message, which is a resource of its own."""
    if part is None:
        raise NotFound("message_id", str(message_id), "The message has no such part.")
    return part
