"""Details of each operation for the trail: those of contract 4.20, and nothing more.

Operations that the contract does not name keep the ids of the things they were about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from registry.domain.drafts import NewAttachment
from registry.domain.reference_set import ReferenceAction, ReferenceChange

Details = Mapping[str, Any]

NOTHING: Final[Details] = {}  # reference data, counts
_METHOD: Final = "sha_256"  # the one digest there is (contract 2.3)
_LONGEST_NAME: Final = 200  # characters kept of each name that an event has
_MOST_NAMES: Final = 200  # entries of reference data that are named of those added, and so on


class IdentifiedMessage(Protocol):
    """A message of which the id is known."""

    @property
    def message_id(self) -> UUID:
        """The id that its copies share."""
        ...


class ChangeableMessage(IdentifiedMessage, Protocol):
    """A message with what its owner may change."""

    @property
    def is_visible(self) -> bool:
        """Whether it is shown."""
        ...

    @property
    def partition(self) -> str | None:
        """The partition that it is in."""
        ...


class PayableMessage(IdentifiedMessage, Protocol):
    """A message with its payment data, if it has any."""

    @property
    def payment_data(self) -> Mapping[str, Any] | None:
        """The payment data in the shape of their column in the store."""
        ...


class StoredAttachment(Protocol):
    """A file of a message, as far as the trail keeps it."""

    @property
    def attachment_id(self) -> str:
        """The id within the message."""
        ...

    @property
    def media_type(self) -> str:
        """The type that the sender gave it."""
        ...

    @property
    def size(self) -> int:
        """The size in bytes."""
        ...

    @property
    def digest(self) -> str:
        """The SHA-256 in base64url."""
        ...

    @property
    def blob_key(self) -> str:
        """The key under which it is stored."""
        ...


def describe_list(messages: Iterable[IdentifiedMessage]) -> Details:
    """Describe the messages of a list."""
    return {"messageIds": [str(message.message_id) for message in messages]}


def describe_changes(
    before: Sequence[ChangeableMessage], after: Sequence[ChangeableMessage]
) -> Details:
    """Describe messages and what became another of each, from what to what."""
    changes = []
    for old, new in zip(before, after, strict=True):
        members = {
            "isVisible": (old.is_visible, new.is_visible),
            "partition": (old.partition, new.partition),
        }
        change = {
            name: _describe_change(*pair) for name, pair in members.items() if pair[0] != pair[1]
        }
        if change:
            changes.append({"messageId": str(new.message_id), **change})
    return {**describe_list(after), "changes": changes}


def describe_action(message_id: UUID, *, was_executed: bool) -> Details:
    """Describe the action of a message, which is executed once."""
    change = {"messageId": str(message_id), "isExecuted": _describe_change(False, True)}
    return {**describe_message_id(message_id), "changes": [] if was_executed else [change]}


def describe_message(message: PayableMessage) -> Details:
    """Describe a message, and the payment data that were shown with it."""
    details = describe_message_id(message.message_id)
    payment = message.payment_data
    return details if payment is None else {**details, "paymentData": _describe_payment(payment)}


def describe_message_id(message_id: UUID) -> Details:
    """Describe a part of a message that has no id of its own, or an operation on the message."""
    return {"messageId": str(message_id)}


def describe_attachments(message_id: UUID, attachments: Iterable[StoredAttachment]) -> Details:
    """Describe attachments, one or all, of which the metadata were shown."""
    return {
        "messageId": str(message_id),
        "attachments": [
            {
                "attachmentId": attachment.attachment_id,
                "mediaType": attachment.media_type,
                "size": attachment.size,
                "digest": _describe_digest(attachment.digest),
            }
            for attachment in attachments
        ],
    }


def describe_document(message_id: UUID, attachment: StoredAttachment) -> Details:
    """Describe a document that was handed out; its content id is the key of its bytes."""
    return {
        "messageId": str(message_id),
        "attachmentId": attachment.attachment_id,
        "contentId": attachment.blob_key,
    }


def describe_payment(message_id: UUID, payment: Mapping[str, Any]) -> Details:
    """Describe the payment data of a message."""
    return {**describe_message_id(message_id), **_describe_payment(payment)}


def describe_publication(
    message_id: UUID, original: UUID | None, files: Sequence[NewAttachment]
) -> Details:
    """Describe a publication or a reply, by the message that it made."""
    details: dict[str, Any] = {
        "messageId": str(message_id),
        "attachments": [_describe_new_attachment(file) for file in files],
    }
    return details if original is None else {**details, "originalMessageId": str(original)}


def _describe_new_attachment(file: NewAttachment) -> Details:
    details = {"size": file.size, "digest": _describe_digest(file.digest)}
    # The mark by which operators find what was accepted though malware was not looked for.
    return details if file.is_scanned else {**details, "malwareScan": "incomplete"}


def describe_broadcast(message_id: UUID, links: int, refusals: int) -> Details:
    """Describe a broadcast by the number of e-Boxes that got the message, not by their names."""
    return {"messageId": str(message_id), "nbSuccessLinks": links, "nbErrorCases": refusals}


def describe_resumption(message_id: UUID, links: int) -> Details:
    """Describe the part of a broadcast that the worker filed, by the number of its recipients."""
    return {"messageId": str(message_id), "nbSuccessLinks": links}


def describe_status_request(message_ids: Iterable[str]) -> Details:
    """Describe the messages of which a sender was told the status."""
    return {"messageIds": list(message_ids)}


def describe_notification(source: str, event_id: str, kind: str) -> Details:
    """Describe an event of the federation, which may name itself at any length."""
    details = {"eventSource": source, "eventId": event_id, "eventType": kind}
    return {name: value[:_LONGEST_NAME] for name, value in details.items()}


def describe_hold(hold_id: UUID, message_id: UUID | None) -> Details:
    """Describe a legal hold, on a message or on all of an e-Box."""
    details = {"holdId": str(hold_id)}
    return details if message_id is None else {**details, "messageId": str(message_id)}


def describe_withdrawal(message_id: UUID, hold_id: UUID, why: str) -> Details:
    """Describe the withdrawal of a message: the hold that keeps it, and the operator's reason.

    The reason has no numbers of persons any more.
    """
    return {**describe_hold(hold_id, message_id), "why": why}


def describe_suspension(
    suspension_id: UUID, number: str | None, application_id: str | None, why: str
) -> Details:
    """Describe the suspension of a sender, or its end: an enterprise, an application, or both."""
    members = {"enterpriseNumber": number, "senderApplicationId": application_id, "why": why}
    given = {name: value for name, value in members.items() if value is not None}
    return {"suspensionId": str(suspension_id), **given}


def describe_scan(key: str, message_id: UUID, verdict: str, *, is_withdrawn: bool) -> Details:
    """Describe a stored document with which the malware scanner was not content."""
    return {**describe_object(key, message_id), "verdict": verdict, "isWithdrawn": is_withdrawn}


def describe_object(key: str, message_id: UUID | None) -> Details:
    """Describe an object in storage that an operator had marked or moved."""
    details = {"key": key}
    return details if message_id is None else {**details, "messageId": str(message_id)}


def describe_event(correlation_id: UUID, message_id: UUID) -> Details:
    """Describe an event on which an operator decided."""
    return {"eventCorrelationId": str(correlation_id), "messageId": str(message_id)}


def describe_reference_changes(changes: Sequence[ReferenceChange]) -> Details:
    """Describe what became of entries of reference data: how many, and the first of them."""
    details = {}
    for action in ReferenceAction:
        names = [each.name for each in changes if each.action is action]
        if names:
            entries = [f"{name.kind} {name.identifier}" for name in names[:_MOST_NAMES]]
            details[action.value] = {"count": len(names), "entries": entries}
    return details


def describe_count(name: str, number: int) -> Details:
    """Describe many things at once by their number."""
    return {name: number}


def _describe_change(old: object, new: object) -> Details:
    return {"from": old, "to": new}


def _describe_payment(payment: Mapping[str, Any]) -> Details:
    return {"paymentDataId": payment["payment_data_id"]}


def _describe_digest(value: str) -> Details:
    return {"digestValue": value, "digestMethod": _METHOD}
