"""Filing: one transaction that claims the idempotency key, and adds message, event and entry."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.document_keys import find_message_id
from registry.domain.drafts import Draft, NewAttachment
from registry.domain.errors import (
    DuplicatePublication,
    Invalid,
    Issue,
    IssueKind,
    ReplyNotAuthorized,
)
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.partitions import GENERAL
from registry.domain.retention import compute_expiry
from registry.domain.routing import route
from registry.services.publication.routing import Routing
from registry.store.consultation import messages
from registry.store.events import outbox
from registry.store.publication import sent_messages
from registry.store.publication.publication_facts import (
    PublicationFacts,
    References,
    ValidityPeriod,
    find_facts,
)
from registry.store.publication.sent_messages import SentMessage
from registry.store.transactions import Transactions, name_ebox

NOT_CONFIGURED: Final = "Invalid message configuration"  # clients may match it (contract 5)
NO_DIGITAL_USER: Final = "NO_DIGITAL_USER"
_NEVER_OPENED: Final = "The recipient never opened his e-Box; the message waits there for him."
_log: Final = logging.getLogger(__name__)


class PreferenceService(Protocol):
    """The federation's knowledge of the owners who ever opened their e-Box."""

    def is_digital(self, ebox: Ebox) -> bool | None:
        """Tell whether the owner ever did; None when nobody can say. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Result of a publication; `code` is NO_DIGITAL_USER when nobody ever opened that e-Box."""

    message_id: UUID
    expires_at: datetime
    code: str | None = None

    @property
    def message(self) -> str | None:
        """Explanation of the code, for people."""
        return _NEVER_OPENED if self.code else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRequest:
    """A message that the owner of an e-Box files, and the call by which he does.

    A reply (`is_reply`) answers a message that the owner received and may answer. It needs no
    configuration of its own, and goes into `reply_partition`, the one that the other message was
    sent from, which no rule decides (contract 6.10). A message that only refers to another is none,
    but may refer only to one that the owner received and may answer (contract 6.40).
    """

    call: Call
    owner: Ebox
    draft: Draft
    attachments: Sequence[NewAttachment]
    is_reply: bool = False
    reply_partition: str | None = None


class _RulesUnknown(Exception):
    """Nobody has asked for the recipient's rules yet; the transaction is rolled back for that."""


@dataclass(frozen=True)
class Filing:
    """Puts messages into e-Boxes; the rules of a recipient are asked for once."""

    transactions: Transactions
    routing: Routing
    audit_log: AuditLog
    preferences: PreferenceService
    now: Callable[[], datetime]

    def file(self, request: PublicationRequest, key: str | None) -> Receipt:
        """File the owner's message, or nothing.

        Raises `Invalid` when what the message refers to does not fit, and `DuplicatePublication`.
        """
        draft = request.draft
        recipient = _require_recipient(draft)
        # Asked before the transaction, which must not be open during a call; it decides nothing.
        code = NO_DIGITAL_USER if self.preferences.is_digital(recipient) is False else None
        key_of_first = next((file.blob_key for file in request.attachments), "")
        message = SentMessage(
            # The keys of its documents name the message already.
            message_id=find_message_id(key_of_first) or uuid4(),
            recipient=recipient,
            partition=draft.sender_partition or GENERAL,
            application_id=draft.application_id,
            key=key,
            has_upload=bool(request.attachments),
        )
        try:
            expires_at = self._file(request, message, may_wait=False)
        except _RulesUnknown:
            # Asked between two transactions: none is open while the federation is asked.
            self.routing.refresh(recipient)
            expires_at = self._file(request, message, may_wait=True)
            self._settle(recipient)
        return Receipt(message_id=message.message_id, expires_at=expires_at, code=code)

    def _settle(self, recipient: Ebox) -> None:
        """Route the message, if rules have come between our look and our commit.

        It is filed by now, so whatever fails is not the answer: the worker catches up.
        """
        try:
            self.routing.settle(recipient)
        except Exception:  # noqa: BLE001 - the log has it
            _log.exception("a message waits for the worker to be routed")

    def _file(
        self, request: PublicationRequest, message: SentMessage, *, may_wait: bool
    ) -> datetime:
        """Carry out the transaction: eight statements, BEGIN and COMMIT among them.

        Gives the time of expiry. `may_wait`: without rules the message waits for them.
        """
        owner, draft = request.owner, request.draft
        message_id, recipient = message.message_id, message.recipient
        received_at = self.now()
        with self.transactions(owner) as connection:
            # First of all: whoever uses the same key at this moment waits here for our commit.
            if first_id := sent_messages.add(connection, owner, message):
                raise DuplicatePublication(first_id)
            is_original_known = _check_original(connection, request, received_at)
            # From here on the rows are the recipient's, and row-level security shows only his.
            name_ebox(connection, recipient)
            facts = _find_facts(connection, request, recipient)
            period = _check_references(facts, request, is_original_known=is_original_known)
            partition = _choose_partition(facts, request, recipient)
            if partition is None and not may_wait:
                raise _RulesUnknown
            expires_at = compute_expiry(received_at, period.number, period.unit)
            columns = _columns(draft) | {
                "message_id": message_id,
                "sender": owner.number,
                "received_at": received_at,
                "expires_at": expires_at,
                "partition": None if recipient.kind is EboxKind.CITIZEN else partition or GENERAL,
                "is_routing_pending": partition is None,
            }
            # In the transaction of the message: an event is neither lost nor sent of nothing.
            event = Event(EventType.NEW_DOCUMENT, recipient, message_id)
            messages.add(
                connection,
                recipient,
                columns,
                [attachment.columns for attachment in request.attachments],
                outbox.build_insert(event, due_at=received_at),
            )
            entry = details.describe_publication(
                message_id, draft.original_message_id, request.attachments
            )
            self.audit_log.record(connection, request.call, owner, entry)
        return expires_at


def _require_recipient(draft: Draft) -> Ebox:
    if draft.recipient is None:
        raise Invalid([Issue("body", "recipient", "recipient is required")])
    return draft.recipient


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


def _check_original(connection: Connection, request: PublicationRequest, now: datetime) -> bool:
    """Tell if the owner received the message that his own refers to; the named e-Box is his.

    Raises `ReplyNotAuthorized` when he did and it takes no replies. A reply was checked before a
    byte of it was read.
    """
    original_id = request.draft.original_message_id
    if original_id is None or request.is_reply:
        return True
    original = messages.find(connection, request.owner, original_id, now)
    if original is not None and not original.message.can_be_answered:
        raise ReplyNotAuthorized
    return original is not None


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
