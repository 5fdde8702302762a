"""Publication: a message with its documents, at once and whole, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from registry.domain.access import Caller, Operation, ScopeTable
from registry.domain.calls import Call
from registry.domain.drafts import (
    Draft,
    NewAttachment,
    StagedFile,
    find_language_faults,
    pair_files,
)
from registry.domain.errors import Invalid, Issue, IssueKind, NotFound, ReplyNotAuthorized
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.services.consultation.consultation import Consultation
from registry.services.mandates import Mandates
from registry.services.publication.filing import Filing, Receipt
from registry.services.publication.message_rows import (
    PublicationRequest,
    make_missing_reference,
)

# Clients may match this text (contract 5).
_NOT_THE_SENDER: Final = "Invalid sender: user credentials does not match payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerableMessage:
    """A message that its recipient may answer, as far as the reply depends on it."""

    sender: str  # an enterprise number
    sender_partition: str | None
    message_type_id: str
    partition: str | None  # where its recipient has it


@dataclass(frozen=True)
class Publication:
    """Decides whether a message may be published; `filing` is the transaction.

    `single_language` restores the rule of contract 6.30.
    """

    consultation: Consultation
    filing: Filing
    mandates: Mandates
    scopes: ScopeTable
    single_language: bool = False

    def decide_sender(
        self, caller: Caller, on_behalf_of: EnterpriseNumber | None
    ) -> EnterpriseNumber:
        """Decide whose publication it is, before a byte of it is read.

        Raises `ScopeMissing`, and `Invalid` (INVALID_SENDER) for a token of no enterprise or a
        mandate that is not there for certain (contract 1.4, 6.16).
        """
        if on_behalf_of is None or on_behalf_of == caller.enterprise:
            self.scopes.check(caller, Operation.PUBLISH)
            if caller.enterprise is None:
                raise _invalid_sender()
            return caller.enterprise
        self.scopes.check(caller, Operation.PUBLISH_FOR_ANOTHER)
        if caller.enterprise is None or not self.mandates.may_publish(
            caller.enterprise, on_behalf_of
        ):
            raise _invalid_sender(where="header", name="On-Behalf-Of-Enterprise-Number")
        return on_behalf_of

    def may_send(self, caller: Caller, on_behalf_of: EnterpriseNumber | None) -> bool:
        """Tell if he comes as a sender; else he may reply at most. Another's name is a sender's."""
        sending = (Operation.PUBLISH, Operation.PUBLISH_FOR_ANOTHER)
        return on_behalf_of is not None or self.scopes.allows(caller, *sending)

    def publish(
        self,
        call: Call,
        sender: EnterpriseNumber,
        draft: Draft,
        files: Sequence[StagedFile],
        key: str | None,
    ) -> Receipt:
        """File the message for its recipient, or nothing; a draft may leave its sender out.

        Raises `Invalid` with every fault, and `DuplicatePublication` when sender and application
        have used the key before.
        """
        attachments = self._make_attachments(draft, files)
        if draft.sender not in (None, sender):
            raise _invalid_sender(name="sender.enterpriseNumber")
        owner = Ebox(EboxKind.ENTERPRISE, sender.digits)
        request = PublicationRequest(owner=owner, draft=draft, attachments=attachments)
        return self.filing.file(call, request, key)

    def reply(
        self,
        call: Call,
        ebox: Ebox,
        message_id: UUID,
        draft: Draft,
        files: Sequence[StagedFile],
        key: str | None,
    ) -> Receipt:
        """File a reply in the e-Box of the enterprise that sent the message (contract 6.10).

        Raises as `publish` and `find_answerable` do.
        """
        attachments = self._make_attachments(draft, files)
        if draft.sender is not None and draft.sender.digits != ebox.number:
            raise _invalid_sender(name="sender.enterpriseNumber")
        _check_wishes(draft)
        original = self.find_answerable(call.caller, ebox, message_id)
        sender_partition = self.consultation.partition_rights.check_sender_partition(
            call.caller, ebox, draft.sender_partition, otherwise=original.partition
        )
        recipient = Ebox(EboxKind.ENTERPRISE, original.sender)
        if draft.recipient not in (None, recipient):
            raise _make_recipient_fault()
        answer = replace(
            draft,
            sender_partition=sender_partition,
            # Never from the request: a reply could else be sent to anyone as if he had written.
            recipient=recipient,
            message_type_id=draft.message_type_id or original.message_type_id,
            original_message_id=message_id,
        )
        request = PublicationRequest(
            owner=ebox,
            draft=answer,
            attachments=attachments,
            is_reply=True,
            reply_partition=self.filing.routing.confirm_partition(
                recipient, original.sender_partition
            ),
        )
        return self.filing.file(call, request, key)

    def answer(
        self, call: Call, ebox: Ebox, draft: Draft, files: Sequence[StagedFile], key: str | None
    ) -> Receipt:
        """File a reply that names the message it answers, and the e-Box that this came from.

        Raises `ScopeMissing` when it names none, for he who replies may not publish, and as
        `reply` does.
        """
        message_id = draft.original_message_id
        if message_id is None:
            raise self.scopes.make_refusal(Operation.PUBLISH)
        try:
            return self.reply(call, ebox, message_id, draft, files, key)
        except NotFound:  # here a member of the body names it
            issue = make_missing_reference("originalMessageId", str(message_id))
            raise Invalid([issue]) from None

    def find_answerable(self, caller: Caller, ebox: Ebox, message_id: UUID) -> AnswerableMessage:
        """Find a message that its recipient may answer.

        Raises as `Consultation.find_message` does, and `ReplyNotAuthorized`.
        """
        original = self.consultation.find_message(caller, ebox, message_id)
        # A message that the owner of the e-Box sent is found too, and is not his to answer.
        if original.ebox != ebox or not original.can_be_answered:
            raise ReplyNotAuthorized
        return AnswerableMessage(
            sender=original.sender,
            sender_partition=original.sender_partition,
            message_type_id=original.message_type_id,
            partition=original.partition,
        )

    def _make_attachments(
        self, draft: Draft, files: Sequence[StagedFile]
    ) -> tuple[NewAttachment, ...]:
        attachments, faults = pair_files(draft, files)
        if self.single_language:
            faults += find_language_faults(draft)
        if faults:
            raise Invalid(faults)
        return attachments


def _check_wishes(draft: Draft) -> None:
    """Refuse what is not for replies to wish.

    Registered mail has a legal meaning, which the one who answers cannot give his reply. To ignore
    the wish would leave him believing that he had it (contract 6.40).
    """
    if draft.is_registered:
        name = "isRegisteredMail"
        raise Invalid([Issue("body", name, f"{name} is not for replies", value=True)])


def _make_recipient_fault() -> Invalid:
    fault = "recipient is not the sender of the message that is answered"
    return Invalid([Issue("body", "recipient", fault, IssueKind.INVALID_INPUT)])


def _invalid_sender(*, where: str = "body", name: str = "sender") -> Invalid:
    issue = Issue(where, name, _NOT_THE_SENDER, IssueKind.INVALID_INPUT, code="INVALID_SENDER")
    return Invalid([issue])
