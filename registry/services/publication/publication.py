"""Publishing: a message with its documents, at once and whole, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import UUID

from registry.domain.access import Caller, Operation, ScopeTable
from registry.domain.calls import Call
from registry.domain.drafts import Draft, File, Staged, language_faults, pair
from registry.domain.errors import Invalid, Issue, IssueKind, RegistryError, ReplyNotAuthorized
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.services.consultation.consultation import Consultation
from registry.services.publication.filing import Filing, PublicationRequest, Receipt, Reply
from registry.store.schema import AnyRow

# Clients may match these texts (contract 5).
_NOT_THE_SENDER: Final = "Invalid sender: user credentials does not match payload"


class MandateService(Protocol):
    """The federation's word on who may act for whom."""

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Whether there is a mandate; raises `RegistryError` when nobody can say."""
        ...


@dataclass(frozen=True)
class Publication:
    """The decisions; filing is the transaction.

    `single_language` restores the rule of contract 6.30.
    """

    consultation: Consultation
    filing: Filing
    mandates: MandateService
    scopes: ScopeTable
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
        call: Call,
        sender: EnterpriseNumber,
        draft: Draft,
        staged: Sequence[Staged],
        key: str | None,
    ) -> Receipt:
        """File the message for its recipient, or nothing; a draft may leave its sender out.

        Raises `Invalid` with every fault, and `DuplicatePublication` when sender and application
        have used the key before.
        """
        files = self._paired(draft, staged)
        if draft.sender not in (None, sender):
            raise _refused(_NOT_THE_SENDER, name="sender.enterpriseNumber")
        return self.filing.file(PublicationRequest(call, _ebox(sender), draft, files), key)

    def reply(
        self,
        call: Call,
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
        if draft.sender is not None and draft.sender.digits != ebox.number:
            raise _refused(_NOT_THE_SENDER, name="sender.enterpriseNumber")
        original = self.replyable(call.caller, ebox, message_id)
        answer = replace(
            draft,
            recipient=Ebox(EboxKind.ENTERPRISE, original.sender),
            message_type_id=draft.message_type_id or original.message_type_id,
            original_message_id=message_id,
        )
        reply = Reply(original.sender_partition)
        return self.filing.file(PublicationRequest(call, ebox, answer, files, reply), key)

    def replyable(self, caller: Caller, ebox: Ebox, message_id: UUID) -> AnyRow:
        """The message, if it may be answered by its recipient; raises `ReplyNotAuthorized`.

        A citizen may not: who sends a message is an enterprise, for whoever reads it.
        """
        original = self.consultation.found(caller, ebox, message_id)
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


def _refused(text: str, *, where: str = "body", name: str = "sender") -> Invalid:
    issue = Issue(where, name, text, IssueKind.INVALID_INPUT, code="INVALID_SENDER")
    return Invalid([issue])


def _ebox(enterprise: EnterpriseNumber) -> Ebox:
    return Ebox(EboxKind.ENTERPRISE, enterprise.digits)
