"""Rows of a message: what a publication puts into its recipient's e-Box, by the rules of now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from registry.domain.drafts import Draft, NewAttachment
from registry.domain.errors import Invalid, Issue, IssueKind
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.partitions import GENERAL
from registry.domain.retention import compute_expiry
from registry.domain.routing import route
from registry.store.consultation import messages
from registry.store.events import outbox
from registry.store.publication.publication_facts import (
    PublicationFacts,
    References,
    ValidityPeriod,
    find_facts,
)
from registry.store.publication.sent_messages import SentMessage
from registry.store.transactions import name_ebox

NOT_CONFIGURED: Final = "Invalid message configuration"  # clients may match it (contract 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRequest:
    """A message that the owner of an e-Box files.

    A reply (`is_reply`) answers a message that the owner received and may answer. It needs no
    configuration of its own, and goes into `reply_partition`, the one that the other message was
    sent from, which no rule decides (contract 6.10). A message that only refers to another is none,
    but may refer only to one that the owner received and may answer (contract 6.40).
    """

    owner: Ebox
    draft: Draft
    attachments: Sequence[NewAttachment]
    is_reply: bool = False
    reply_partition: str | None = None

    def require_recipient(self) -> Ebox:
        """Give the recipient; raises `Invalid` when none is named."""
        if self.draft.recipient is None:
            raise Invalid([Issue("body", "recipient", "recipient is required")])
        return self.draft.recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A publication with the id that its message has, and the time at which it was received.

    `key` is the idempotency key. It is all that the rows are made of, with the rules and the
    reference data of the moment.
    """

    message_id: UUID
    received_at: datetime
    key: str | None
    request: PublicationRequest
    trace: str | None = None


class RulesUnknown(Exception):
    """Nobody has asked for the recipient's rules yet; the transaction is rolled back for that."""


def make_sent_message(message: NewMessage, *, has_upload: bool) -> SentMessage:
    """Make the row by which the sender finds the message again."""
    draft = message.request.draft
    return SentMessage(
        message_id=message.message_id,
        recipient=message.request.require_recipient(),
        partition=draft.sender_partition or GENERAL,
        application_id=draft.application_id,
        key=message.key,
        has_upload=has_upload,
    )


def add_message(
    connection: Connection,
    message: NewMessage,
    *,
    is_original_known: bool,
    may_wait: bool,
    is_announced: bool = True,
) -> datetime:
    """Put the message into its recipient's e-Box, which the transaction names from here on.

    Gives the time of expiry. `may_wait`: without rules the message waits for them, else
    `RulesUnknown` is raised. `is_announced`: the federation is told. Raises `Invalid`.
    """
    request, draft = message.request, message.request.draft
    recipient = request.require_recipient()
    # From here on the rows are the recipient's, and row-level security shows only his.
    name_ebox(connection, recipient)
    facts = _find_facts(connection, request, recipient)
    period = _check_references(facts, request, is_original_known=is_original_known)
    partition = _choose_partition(facts, request, recipient)
    if partition is None and not may_wait:
        raise RulesUnknown
    expires_at = compute_expiry(message.received_at, period.number, period.unit)
    columns = _columns(draft) | {
        "message_id": message.message_id,
        "sender": request.owner.number,
        "received_at": message.received_at,
        "expires_at": expires_at,
        "partition": None if recipient.kind is EboxKind.CITIZEN else partition or GENERAL,
        "is_routing_pending": partition is None,
    }
    # In the transaction of the message: an event is neither lost nor sent of nothing.
    event = Event(EventType.NEW_DOCUMENT, recipient, message.message_id)
    messages.add(
        connection,
        recipient,
        columns,
        [attachment.columns for attachment in request.attachments],
        outbox.build_insert(event, due_at=message.received_at, trace=message.trace)
        if is_announced
        else None,
    )
    return expires_at


def _find_facts(
    connection: Connection, request: PublicationRequest, recipient: Ebox
) -> PublicationFacts:
    draft = request.draft
    references = References(
        message_type_id=draft.message_type_id or "",
        organization_id=request.owner.number,
        application_id=draft.application_id,
        message_template_id=draft.message_template_id,
    )
    return find_facts(connection, references, recipient)


def _check_references(
    facts: PublicationFacts, request: PublicationRequest, *, is_original_known: bool
) -> ValidityPeriod:
    """Check that type, application and template are known, and configured for the sender.

    Gives the validity period of the type. Raises `Invalid`.
    """
    draft, period = request.draft, facts.validity_period
    unknown = [
        make_missing_reference(name, str(value))
        for name, value, is_known in (
            ("originalMessageId", draft.original_message_id, is_original_known),
            ("messageTemplateId", draft.message_template_id, facts.has_template),
        )
        if value is not None and not is_known
    ]
    if unknown:
        raise Invalid(unknown)
    if period is None:
        raise _make_refusal("messageTypeId")
    # The type of a reply was configured for the message that it answers; an application need not
    # be named, but whoever names one names his own (contract 6.40).
    needs_application = not request.is_reply or draft.application_id is not None
    is_allowed = facts.is_own_application if request.is_reply else facts.is_configured
    if needs_application and not is_allowed:
        raise _make_refusal("senderApplicationId")
    return period


def make_missing_reference(name: str, value: str) -> Issue:
    """Make the fault of a member that names what is not there."""
    text = f"Referenced resource {name} = '{value}' does not exist"
    return Issue("body", name, text, IssueKind.REFERENCED_RESOURCE_NOT_FOUND, value)


def _make_refusal(name: str) -> Invalid:
    """Make the one refusal for all that is not configured together, unknown or not (6.39)."""
    kind, code = IssueKind.INVALID_INPUT, "INVALID_SENDER"
    return Invalid([Issue("body", name, NOT_CONFIGURED, kind, code=code)])


def _choose_partition(
    facts: PublicationFacts, request: PublicationRequest, recipient: Ebox
) -> str | None:
    """Choose the partition of the message; None when the recipient's rules are not known."""
    if request.reply_partition is not None or recipient.kind is EboxKind.CITIZEN:
        return request.reply_partition or GENERAL
    if facts.rules is None:
        return None
    return route(
        facts.rules,
        message_type_id=request.draft.message_type_id or "",
        sender_application_id=request.draft.application_id,
        sender_organization_id=request.owner.number,
    )


def _columns(draft: Draft) -> dict[str, Any]:
    """Make the columns of the message's row that its draft decides."""
    return {
        "is_registered": draft.is_registered,
        "is_reply_authorized": draft.is_reply_authorized,
        "original_message_id": draft.original_message_id,
        "message_type_id": draft.message_type_id,
        "sender_partition": draft.sender_partition,
        "sender_application_id": draft.application_id,
        "subject": draft.subject,
        "body": draft.body,
        "is_body_main": draft.is_body_main,
        "attention": draft.attention,
        "business_data": draft.business_data,
        "payment_data": draft.payment_data,
        "structured_data": draft.structured_data,
        "action_id": draft.action_id,
        "action_label": draft.action_label,
        "message_template_id": draft.message_template_id,
    }
