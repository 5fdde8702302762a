"""One message for many: linking it to more e-Boxes, and how it fares with those who have it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.errors import NotFound
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed, Ssin
from registry.domain.messages import GENERAL
from registry.domain.routing import Rule, route
from registry.services.publication.routing import Routing
from registry.store.consultation import messages
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import Link
from registry.store.schema import AnyRow, Transactions, name_ebox

_AT_ONCE: Final = 1000  # recipients in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a broadcast gave: who has the message now that did not, and who could not get it."""

    message_id: UUID
    expires_at: datetime
    links: int
    refused: tuple[Ebox, ...]


@dataclass(frozen=True)
class Broadcast:
    """Copies the row and shares the documents (contract 6.34); `checked` looks at check digits."""

    transactions: Transactions
    routing: Routing
    audit_log: AuditLog
    now: Callable[[], datetime]
    checked: bool

    def link(
        self, call: Call, sender: Ebox, message_id: UUID, recipients: Sequence[Ebox]
    ) -> Linked:
        """Put the sender's own message into more e-Boxes.

        A recipient who has it already counts as linked; one whose number cannot be is refused, and
        does not stop the others. Raises `NotFound` for any message but the sender's own.
        """
        wanted = {ebox: None for ebox in recipients if _is_possible(ebox, checked=self.checked)}
        now = self.now()
        with self.transactions(sender) as connection:
            original = self._original(connection, sender, message_id, now)
            links = list(wanted)
            for first in range(0, len(links), _AT_ONCE):
                batch = links[first : first + _AT_ONCE]
                routed = self._routed(connection, sender, original, message_id, batch)
                sent_messages.link(connection, message_id, routed, now)
            refused = tuple(ebox for ebox in dict.fromkeys(recipients) if ebox not in wanted)
            told = details.linked(message_id, len(wanted), len(refused))
            self.audit_log.record(connection, call, sender, told)
        return Linked(
            message_id=message_id,
            expires_at=original.expires_at,
            links=len(wanted),
            refused=refused,
        )

    def statuses(
        self, call: Call, sender: Ebox, asked: Sequence[tuple[UUID, Ebox]]
    ) -> Sequence[AnyRow]:
        """How messages that the sender sent fare; others are left out (contract 6.34)."""
        with self.transactions(sender) as connection:
            found = sent_messages.statuses(connection, asked, self.now())
            ids = sorted({str(row.message) for row in found})
            self.audit_log.record(connection, call, sender, details.asked(ids))
            return found

    def _original(
        self, connection: Connection, sender: Ebox, message_id: UUID, now: datetime
    ) -> AnyRow:
        """The message as its first recipient has it; the sender's e-Box is named again after."""
        own = sent_messages.find(connection, sender, message_id)
        original = None
        if own is not None:
            name_ebox(connection, own.recipient)
            original = messages.find(connection, own.recipient, message_id, now)
            name_ebox(connection, sender)
        if original is None:
            raise NotFound("message_id", str(message_id))
        return original

    def _routed(
        self,
        connection: Connection,
        sender: Ebox,
        original: AnyRow,
        message_id: UUID,
        recipients: Sequence[Ebox],
    ) -> list[Link]:
        """Where each recipient's own rules want it; without rules it waits in GENERAL (6.18)."""
        rules = self.routing.rules_of(connection, recipients)
        return [
            Link(
                recipient=ebox,
                partition=_partition(ebox, sender, original, rules.get(ebox)),
                is_pending=ebox.kind is EboxKind.ENTERPRISE and ebox not in rules,
                event_id=Event(EventType.NEW_DOCUMENT, ebox, message_id).correlation_id,
            )
            for ebox in recipients
        ]


def _is_possible(ebox: Ebox, *, checked: bool) -> bool:
    kind = EnterpriseNumber if ebox.kind is EboxKind.ENTERPRISE else Ssin
    try:
        kind.parse(ebox.number, checked=checked)
    except Malformed:
        return False
    return True


def _partition(
    ebox: Ebox, sender: Ebox, original: AnyRow, rules: tuple[Rule, ...] | None
) -> str | None:
    if ebox.kind is EboxKind.CITIZEN:
        return None
    if rules is None:
        return GENERAL
    return route(
        rules,
        message_type_id=original.message_type_id,
        sender_application_id=original.sender_application_id,
        sender_organization_id=sender.number,
    )
