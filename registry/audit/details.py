"""What the trail keeps of each operation: the details of contract 4.20, and nothing more.

Operations that the contract does not name keep the ids of what they were about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from registry.domain.drafts import File

Details = Mapping[str, Any]

NOTHING: Final[Details] = {}  # reference data, counts
_METHOD: Final = "sha_256"  # the one digest there is (contract 2.3)
_NAMED: Final = 200  # characters kept of each name that an event has


def listed(messages: Iterable[Any]) -> Details:
    """The messages of a list."""
    return {"messageIds": [str(message.message_id) for message in messages]}


def shown(message: Any) -> Details:
    """A message, and the payment data that was shown with it."""
    told = part(message.message_id)
    payment = message.payment_data
    return told if payment is None else {**told, "paymentData": _payment(payment)}


def attachments(message_id: UUID, found: Iterable[Any]) -> Details:
    """What was shown of documents, one or all."""
    return {
        "messageId": str(message_id),
        "attachments": [
            {
                "attachmentId": attachment.attachment_id,
                "mediaType": attachment.media_type,
                "size": attachment.size,
                "digest": _digest(attachment.digest),
            }
            for attachment in found
        ],
    }


def content(message_id: UUID, attachment: Any) -> Details:
    """A document that was handed out; its content id is where it is stored."""
    return {
        "messageId": str(message_id),
        "attachmentId": attachment.attachment_id,
        "contentId": attachment.blob_key,
    }


def part(message_id: UUID) -> Details:
    """A part of a message that has no id of its own, or what was done to the message."""
    return {"messageId": str(message_id)}


def payment(message: Any) -> Details:
    """How a message is to be paid."""
    return {**part(message.message_id), **_payment(message.payment_data)}


def published(message_id: UUID, original: UUID | None, files: Sequence[File]) -> Details:
    """A publication or a reply, and the message it gave."""
    told: dict[str, Any] = {
        "messageId": str(message_id),
        "attachments": [{"size": file.size, "digest": _digest(file.digest)} for file in files],
    }
    return told if original is None else {**told, "originalMessageId": str(original)}


def linked(message_id: UUID, links: int, refused: int) -> Details:
    """A broadcast: how many e-Boxes got the message, not which."""
    return {"messageId": str(message_id), "nbSuccessLinks": links, "nbErrorCases": refused}


def asked(message_ids: Iterable[str]) -> Details:
    """Messages whose fate a sender asked for and was told."""
    return {"messageIds": list(message_ids)}


def notified(source: str, event_id: str, kind: str) -> Details:
    """An event of the federation, which may name itself at any length."""
    told = {"eventSource": source, "eventId": event_id, "eventType": kind}
    return {name: value[:_NAMED] for name, value in told.items()}


def held(hold_id: UUID, message_id: UUID | None) -> Details:
    """A legal hold, on a message or on all of an e-Box."""
    told = {"holdId": str(hold_id)}
    return told if message_id is None else {**told, "messageId": str(message_id)}


def event(correlation_id: UUID, message_id: UUID) -> Details:
    """An event on which an operator decided."""
    return {"eventCorrelationId": str(correlation_id), "messageId": str(message_id)}


def counted(what: str, number: int) -> Details:
    """Many things at once."""
    return {what: number}


def _payment(payment: Mapping[str, Any]) -> Details:
    return {"paymentDataId": payment["payment_data_id"]}


def _digest(value: str) -> Details:
    return {"digestValue": value, "digestMethod": _METHOD}
