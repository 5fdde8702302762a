"""Publishing: a message with its documents, at once and whole, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import Connection

from registry.domain.access import Caller, Operation, ScopeTable
from registry.domain.drafts import Draft, File, Staged, language_faults, pair
from registry.domain.errors import (
    DuplicatePublication,
    Invalid,
    Issue,
    IssueKind,
    RegistryError,
    ReplyNotAuthorized,
)
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.domain.messages import GENERAL
from registry.domain.retention import expiry
from registry.domain.routing import route
from registry.services.consulting import Consulting
from registry.services.routing import Routing
from registry.store import messages, outbox, reference, sent
from registry.store.base import AnyRow, Transactions, name_ebox
from registry.store.sent import Sent

# Clients may match these texts (contract 5).
_NOT_CONFIGURED: Final = "Invalid message configuration"
_NOT_THE_SENDER: Final = "Invalid sender: user credentials does not match payload"
NO_DIGITAL_USER: Final = "NO_DIGITAL_USER"
_NEVER_OPENED: Final = "The recipient never opened his e-Box; the message waits there for him."


class MandateService(Protocol):
    """The federation's word on who may act for whom."""

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Whether there is a mandate; raises `RegistryError` when nobody can say."""
        ...


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


@dataclass(frozen=True)
class Publishing:
    """First the decisions, then one transaction that claims the key and files the message.

    `single_language` restores the rule of contract 6.30.
    """

    transactions: Transactions
    consulting: Consulting
    routing: Routing
    mandates: MandateService
    preferences: PreferenceService
    scopes: ScopeTable
    now: Callable[[], datetime]
    single_language: bool = False

    def sender(self, caller: Caller, on_behalf_of: EnterpriseNumber | None) -> EnterpriseNumber:
        """Whose publication it is, decided before a byte of it is read.

        Raises `ScopeMissing`, and `Invalid` (INVALID_SENDER) for a token of no enterprise or a
        mandate that is not there for certain (contract 1.4, 6.16).
        """
        if on_behalf_of is None or on_behalf_of == caller.enterprise:
            self.scopes.check(caller, Operation.PUBLISH)
            if caller.enterprise is None:
                raise _refused(_NOT_THE_SENDER)
            return caller.enterprise
        self.scopes.check(caller, Operation.PUBLISH_FOR_ANOTHER)
        if caller.enterprise is None or not self._has_mandate(caller.enterprise, on_behalf_of):
            raise _refused(_NOT_THE_SENDER, where="header", name="On-Behalf-Of-Enterprise-Number")
        return on_behalf_of

    def publish(
        self,
        sender: EnterpriseNumber,
        draft: Draft,
        staged: Sequence[Staged],
        key: str | None,
    ) -> Receipt:
        """File the message for its recipient, or nothing.

        Raises `Invalid` with every fault, and `DuplicatePublication` when sender and application
        have used the key before.
        """
        files = self._paired(draft, staged)
        if draft.sender != sender:
            raise _refused(_NOT_THE_SENDER, name="sender.enterpriseNumber")
        return self._filed(Ebox(EboxKind.ENTERPRISE, sender.digits), draft, files, key)

    def reply(
        self,
        caller: Caller,
        ebox: Ebox,
        message_id: UUID,
        draft: Draft,
        staged: Sequence[Staged],
        key: str | None,
    ) -> Receipt:
        """File a reply in the e-Box of whoever sent the message (contract 6.10).

        Raises as `publish` and `Consulting.message` do, and `ReplyNotAuthorized`.
        """
        files = self._paired(draft, staged)
        original = self.replyable(caller, ebox, message_id)
        answer = replace(
            draft,
            recipient=Ebox(EboxKind.ENTERPRISE, original.sender),
            message_type_id=draft.message_type_id or original.message_type_id,
            original_message_id=message_id,
        )
        return self._filed(ebox, answer, files, key, into=original.sender_partition)

    def replyable(self, caller: Caller, ebox: Ebox, message_id: UUID) -> AnyRow:
        """The message, if it may be answered by its recipient; raises `ReplyNotAuthorized`.

        A citizen may not: who sends a message is an enterprise, for whoever reads it.
        """
        original = self.consulting.message(caller, ebox, message_id)
        is_own = original.ebox == ebox and ebox.kind is EboxKind.ENTERPRISE
        if not (original.is_reply_authorized and is_own):
            raise ReplyNotAuthorized
        return original

    def _paired(self, draft: Draft, staged: Sequence[Staged]) -> tuple[File, ...]:
        files, faults = pair(draft, staged)
        if self.single_language:
            faults += language_faults(draft)
        if faults:
            raise Invalid(faults)
        return files

    def _has_mandate(self, enterprise: EnterpriseNumber, other: EnterpriseNumber) -> bool:
        """Denied on any doubt (contract 6.16)."""
        try:
            return self.mandates.has_mandate(enterprise, other)
        except RegistryError:
            return False

    def _filed(
        self,
        owner: Ebox,
        draft: Draft,
        files: Sequence[File],
        key: str | None,
        *,
        into: str | None = None,
    ) -> Receipt:
        recipient = _required(draft.recipient)
        self.routing.known(recipient)
        code = NO_DIGITAL_USER if self.preferences.is_digital(recipient) is False else None
        message_id, received = uuid4(), self.now()
        claim = Sent(
            message_id=message_id,
            recipient=recipient,
            partition=draft.sender_partition or GENERAL,
            application_id=draft.application_id,
            key=key,
        )
        with self.transactions(owner) as connection:
            if first := sent.add(connection, owner, claim):
                raise DuplicatePublication(first)
            name_ebox(connection, recipient)
            columns = self._columns(connection, owner, draft, received, into)
            columns["message_id"] = message_id
            messages.add(connection, recipient, columns, [asdict(file) for file in files])
            event = Event(EventType.NEW_DOCUMENT, recipient, message_id)
            outbox.add(connection, event, due_at=received)
        return Receipt(message_id=message_id, expires_at=columns["expires_at"], code=code)

    def _columns(
        self,
        connection: Connection,
        owner: Ebox,
        draft: Draft,
        received: datetime,
        into: str | None,
    ) -> dict[str, Any]:
        """The row of the message, by what reference data and rules say of it."""
        recipient = _required(draft.recipient)
        facts = reference.facts_of(
            connection,
            message_type_id=draft.message_type_id or "",
            organization_id=owner.number,
            application_id=draft.application_id,
            message_template_id=draft.message_template_id,
        )
        _check(facts, draft, is_reply=draft.original_message_id is not None)
        partition, is_pending = self._partition(connection, owner, draft, into)
        return {
            "received_at": received,
            "expires_at": expiry(received, facts.validity_number, facts.validity_unit),
            "is_registered": draft.is_registered,
            "is_reply_authorized": draft.is_reply_authorized,
            "partition": None if recipient.kind is EboxKind.CITIZEN else partition,
            "is_routing_pending": is_pending,
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

    def _partition(
        self, connection: Connection, owner: Ebox, draft: Draft, into: str | None
    ) -> tuple[str, bool]:
        """Where the message goes, and whether that is only until rules arrive."""
        recipient = _required(draft.recipient)
        if into is not None or recipient.kind is EboxKind.CITIZEN:
            return into or GENERAL, False
        rules = self.routing.rules_of(connection, [recipient]).get(recipient)
        if rules is None:
            return GENERAL, True
        partition = route(
            rules,
            message_type_id=draft.message_type_id or "",
            sender_application_id=draft.application_id,
            sender_organization_id=owner.number,
        )
        return partition, False


def _check(facts: AnyRow, draft: Draft, *, is_reply: bool) -> None:
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
    if not is_reply and not facts.is_configured:
        raise _refused(_NOT_CONFIGURED, name="senderApplicationId")


def _required(recipient: Ebox | None) -> Ebox:
    if recipient is None:
        raise Invalid([Issue("body", "recipient", "recipient is required")])
    return recipient


def _refused(text: str, *, where: str = "body", name: str = "sender") -> Invalid:
    issue = Issue(where, name, text, IssueKind.INVALID_INPUT, code="INVALID_SENDER")
    return Invalid([issue])
