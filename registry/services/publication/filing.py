"""Filing: one transaction that claims the idempotency key, and adds message, event and entry."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.document_keys import find_message_id
from registry.domain.errors import DuplicatePublication, ReplyNotAuthorized
from registry.domain.identifiers import Ebox
from registry.services.publication.message_rows import (
    NewMessage,
    PublicationRequest,
    RulesUnknown,
    add_message,
    make_sent_message,
)
from registry.services.publication.records import PublicationRecords
from registry.services.publication.routing import Routing
from registry.store.consultation import messages
from registry.store.publication import sent_messages
from registry.store.transactions import Transactions

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


@dataclass(frozen=True)
class Filing:
    """Puts messages into e-Boxes; the rules of a recipient are asked for once."""

    transactions: Transactions
    routing: Routing
    audit_log: AuditLog
    preferences: PreferenceService
    records: PublicationRecords
    now: Callable[[], datetime]

    def file(self, call: Call, request: PublicationRequest, key: str | None) -> Receipt:
        """File the owner's message, or nothing.

        Raises `Invalid` when what the message refers to does not fit, and `DuplicatePublication`.
        """
        recipient = request.require_recipient()
        # Asked before the transaction, which must not be open during a call; it decides nothing.
        code = NO_DIGITAL_USER if self.preferences.is_digital(recipient) is False else None
        key_of_first = next((file.blob_key for file in request.attachments), "")
        # The keys of its documents name the message already.
        message_id = find_message_id(key_of_first) or uuid4()
        message = NewMessage(
            message_id=message_id,
            received_at=self.now(),
            key=key,
            request=request,
            trace=call.trace_id,
        )
        if request.attachments:  # before the commit: who has a 201 has a record (ADR 030)
            self.records.store(message)
        try:
            expires_at = self._file(call, message, may_wait=False)
        except RulesUnknown:
            # Asked between two transactions: none is open while the federation is asked.
            self.routing.refresh(recipient)
            expires_at = self._file(call, message, may_wait=True)
            self._settle(recipient)
        return Receipt(message_id=message_id, expires_at=expires_at, code=code)

    def _settle(self, recipient: Ebox) -> None:
        """Route the message, if rules have come between our look and our commit.

        It is filed by now, so whatever fails is not the answer: the worker catches up.
        """
        try:
            self.routing.settle(recipient)
        except Exception:  # noqa: BLE001 - the log has it
            _log.exception("a message waits for the worker to be routed")

    def _file(self, call: Call, message: NewMessage, *, may_wait: bool) -> datetime:
        """Carry out the transaction: eight statements, BEGIN and COMMIT among them.

        Gives the time of expiry. `may_wait`: without rules the message waits for them.
        """
        request = message.request
        sent_message = make_sent_message(message, has_upload=bool(request.attachments))
        with self.transactions(request.owner) as connection:
            # First of all: whoever uses the same key at this moment waits here for our commit.
            if first_id := sent_messages.add(connection, request.owner, sent_message):
                raise DuplicatePublication(first_id)
            is_original_known = _check_original(connection, request, message.received_at)
            expires_at = add_message(
                connection, message, is_original_known=is_original_known, may_wait=may_wait
            )
            entry = details.describe_publication(
                message.message_id, request.draft.original_message_id, request.attachments
            )
            self.audit_log.record(connection, call, request.owner, entry)
        return expires_at


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
