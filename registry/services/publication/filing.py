"""Filing: one transaction that claims the key, files the message and tells the federation."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.drafts import Draft, File
from registry.domain.errors import DuplicatePublication, Invalid, Issue, IssueKind
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.messages import GENERAL
from registry.domain.retention import expiry
from registry.domain.routing import route
from registry.services.publication.routing import Routing
from registry.store import reference
from registry.store.consultation import messages
from registry.store.events import outbox
from registry.store.publication import routing_rules, sent_messages
from registry.store.publication.sent_messages import Sent
from registry.store.schema import AnyRow, Transactions, name_ebox

NOT_CONFIGURED: Final = "Invalid message configuration"  # clients may match it (contract 5)
NO_DIGITAL_USER: Final = "NO_DIGITAL_USER"
_NEVER_OPENED: Final = "The recipient never opened his e-Box; the message waits there for him."


class PreferenceService(Protocol):
    """The federation's word on who ever opened his e-Box."""

    def is_digital(self, ebox: Ebox) -> bool | None:
        """Whether he did; None when nobody can say. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a publication gave; `code` is NO_DIGITAL_USER when nobody ever opened that e-Box."""

    message_id: UUID
    expires_at: datetime
    code: str | None = None

    @property
    def message(self) -> str | None:
        """What the code means, for people."""
        return _NEVER_OPENED if self.code else None


@dataclass(frozen=True, slots=True)
class Reply:
    """That a message answers one which its owner received, and may say so.

    It needs no configuration of its own, and goes `into` the partition that the other one was sent
    from, which no rule decides (contract 6.10). A message that only refers to another is none.
    """

    into: str | None


@dataclass(frozen=True, slots=True)
class PublicationRequest:
    """What the owner of an e-Box files, by which call; `reply` tells that it is one."""

    call: Call
    owner: Ebox
    draft: Draft
    files: Sequence[File]
    reply: Reply | None = None


class _RulesUnknown(Exception):
    """Nobody has asked for the recipient's rules yet; the transaction is taken back for that."""


@dataclass(frozen=True)
class Filing:
    """Puts messages into e-Boxes; the rules of a recipient are asked for once."""

    transactions: Transactions
    routing: Routing
    audit_log: AuditLog
    preferences: PreferenceService
    now: Callable[[], datetime]

    def file(self, publication: PublicationRequest, key: str | None) -> Receipt:
        """File the owner's message, or nothing.

        Raises `Invalid` when what the message refers to does not fit, and `DuplicatePublication`.
        """
        draft = publication.draft
        recipient = _required(draft.recipient)
        code = NO_DIGITAL_USER if self.preferences.is_digital(recipient) is False else None
        claim = Sent(
            message_id=uuid4(),
            recipient=recipient,
            partition=draft.sender_partition or GENERAL,
            application_id=draft.application_id,
            key=key,
        )
        try:
            expires = self._file(publication, claim, may_wait=False)
        except _RulesUnknown:
            self.routing.refresh(recipient)
            expires = self._file(publication, claim, may_wait=True)
            self.routing.settle(recipient)  # rules may have come between our look and our commit
        return Receipt(message_id=claim.message_id, expires_at=expires, code=code)

    def _file(self, publication: PublicationRequest, claim: Sent, *, may_wait: bool) -> datetime:
        """The transaction: eight statements, BEGIN and COMMIT among them."""
        owner, draft = publication.owner, publication.draft
        received, recipient = self.now(), claim.recipient
        with self.transactions(owner) as connection:
            if first := sent_messages.add(connection, owner, claim):
                raise DuplicatePublication(first)
            name_ebox(connection, recipient)
            facts = _facts(connection, owner, recipient, draft)
            _check(facts, draft, publication.reply)
            partition = _partition(facts, publication, recipient)
            if partition is None and not may_wait:
                raise _RulesUnknown
            columns = _columns(draft, owner, received, facts)
            columns |= {
                "message_id": claim.message_id,
                "partition": None if recipient.kind is EboxKind.CITIZEN else partition or GENERAL,
                "is_routing_pending": partition is None,
            }
            event = Event(EventType.NEW_DOCUMENT, recipient, claim.message_id)
            told = outbox.adding(event, due_at=received)
            messages.add(
                connection, recipient, columns, [asdict(file) for file in publication.files], told
            )
            noted = details.published(
                claim.message_id, draft.original_message_id, publication.files
            )
            self.audit_log.record(connection, publication.call, owner, noted)
        expires: datetime = columns["expires_at"]
        return expires


def _facts(connection: Connection, owner: Ebox, recipient: Ebox, draft: Draft) -> AnyRow:
    return reference.facts_of(
        connection,
        reference.Asked(
            message_type_id=draft.message_type_id or "",
            organization_id=owner.number,
            application_id=draft.application_id,
            message_template_id=draft.message_template_id,
        ),
        routing_rules.rules_column(recipient),
    )


def _partition(facts: AnyRow, publication: PublicationRequest, recipient: Ebox) -> str | None:
    """Where the message goes; None when the recipient's rules are not known."""
    owner, draft = publication.owner, publication.draft
    into = publication.reply.into if publication.reply else None
    if into is not None or recipient.kind is EboxKind.CITIZEN:
        return into or GENERAL
    if facts.rules is None:
        return None
    return route(
        routing_rules.read(facts.rules),
        message_type_id=draft.message_type_id or "",
        sender_application_id=draft.application_id,
        sender_organization_id=owner.number,
    )


def _columns(draft: Draft, owner: Ebox, received: datetime, facts: AnyRow) -> dict[str, Any]:
    """What the row of the message has of its draft."""
    return {
        "received_at": received,
        "expires_at": expiry(received, facts.validity_number, facts.validity_unit),
        "is_registered": draft.is_registered,
        "is_reply_authorized": draft.is_reply_authorized,
        "original_message_id": draft.original_message_id,
        "message_type_id": draft.message_type_id,
        "sender": owner.number,
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


def _check(facts: AnyRow, draft: Draft, reply: Reply | None) -> None:
    """Type, application, organization and template known, and meant for each other."""
    unknown = [
        Issue(
            "body",
            name,
            f"Referenced resource {name} = '{value}' does not exist",
            IssueKind.REFERENCED_RESOURCE_NOT_FOUND,
            value,
        )
        for name, value, is_known in (
            ("messageTypeId", draft.message_type_id, facts.validity_number is not None),
            ("senderApplicationId", draft.application_id, facts.has_application),
            ("messageTemplateId", draft.message_template_id, facts.has_template),
        )
        if value is not None and not is_known
    ]
    if unknown:
        raise Invalid(unknown)
    if reply is None and not facts.is_configured:
        kind, code = IssueKind.INVALID_INPUT, "INVALID_SENDER"
        raise Invalid([Issue("body", "senderApplicationId", NOT_CONFIGURED, kind, code=code)])


def _required(recipient: Ebox | None) -> Ebox:
    if recipient is None:
        raise Invalid([Issue("body", "recipient", "recipient is required")])
    return recipient
