"""Broadcast: one message for many e-Boxes, and its state in each of them."""

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
from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule, route
from registry.services.publication.routing import Routing
from registry.store.consultation import messages
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import Link, SentStatus
from registry.store.transactions import Transactions, name_ebox

_BATCH: Final = 1000  # recipients in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastReceipt:
    """Result of a broadcast: the number of `links`, and the e-Boxes that cannot be, as `refusals`.

    A recipient who has the message already counts as linked.
    """

    message_id: UUID
    expires_at: datetime
    links: int
    refusals: tuple[Ebox, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Original:
    """The message that is broadcast, as far as its copies depend on it."""

    message_id: UUID
    sender: Ebox
    expires_at: datetime
    message_type_id: str
    sender_application_id: str | None


@dataclass(frozen=True)
class Broadcast:
    """Copies the row of a message and shares its documents (contract 6.34).

    `checks_digits`: recipients whose check digits are wrong are refused.
    """

    transactions: Transactions
    routing: Routing
    audit_log: AuditLog
    now: Callable[[], datetime]
    checks_digits: bool

    def link(
        self, call: Call, sender: Ebox, message_id: UUID, recipients: Sequence[Ebox]
    ) -> BroadcastReceipt:
        """Put the sender's own message into more e-Boxes.

        A recipient whose number cannot be is refused, and does not stop the others. Raises
        `NotFound` for any message but the sender's own.
        """
        possible: list[Ebox] = []
        refusals: list[Ebox] = []
        for ebox in dict.fromkeys(recipients):
            is_possible = _is_possible(ebox, checks_digits=self.checks_digits)
            (possible if is_possible else refusals).append(ebox)
        now = self.now()
        with self.transactions(sender) as connection:
            original = self._find_original(connection, sender, message_id, now)
            for start in range(0, len(possible), _BATCH):
                links = self._links(connection, original, possible[start : start + _BATCH])
                sent_messages.link(connection, message_id, links, now)
            # Numbers alone: a list of ten thousand owners does not belong in the audit trail.
            facts = details.describe_broadcast(message_id, len(possible), len(refusals))
            self.audit_log.record(connection, call, sender, facts)
        return BroadcastReceipt(
            message_id=message_id,
            expires_at=original.expires_at,
            links=len(possible),
            refusals=tuple(refusals),
        )

    def find_statuses(
        self, call: Call, sender: Ebox, copies: Sequence[tuple[UUID, Ebox]]
    ) -> Sequence[SentStatus]:
        """Find the states of messages that the sender sent; others are left out (contract 6.34)."""
        with self.transactions(sender) as connection:
            statuses = sent_messages.find_statuses(connection, copies, self.now())
            ids = sorted({str(status.message_id) for status in statuses})
            self.audit_log.record(connection, call, sender, details.describe_status_request(ids))
            return statuses

    def _find_original(
        self, connection: Connection, sender: Ebox, message_id: UUID, now: datetime
    ) -> _Original:
        """Find the message where its first recipient has it; names the sender's e-Box again."""
        sent_message = sent_messages.find(connection, sender, message_id)
        if sent_message is None:
            raise NotFound("message_id", str(message_id))
        # Row-level security shows the message where it is, and that is the recipient's e-Box.
        name_ebox(connection, sent_message.recipient)
        content = messages.find(connection, sent_message.recipient, message_id, now)
        name_ebox(connection, sender)
        if content is None:
            raise NotFound("message_id", str(message_id))
        return _Original(
            message_id=message_id,
            sender=sender,
            expires_at=content.message.expires_at,
            message_type_id=content.message.message_type_id,
            sender_application_id=content.message.sender_application_id,
        )

    def _links(
        self, connection: Connection, original: _Original, recipients: Sequence[Ebox]
    ) -> list[Link]:
        """Decide the partition in each e-Box; without rules the message waits in GENERAL (6.18)."""
        rules = self.routing.find_rules(connection, recipients)
        return [
            Link(
                recipient=ebox,
                partition=_partition(ebox, original, rules.get(ebox)),
                is_pending=ebox.kind is EboxKind.ENTERPRISE and ebox not in rules,
                event_id=Event(EventType.NEW_DOCUMENT, ebox, original.message_id).correlation_id,
            )
            for ebox in recipients
        ]


def _is_possible(ebox: Ebox, *, checks_digits: bool) -> bool:
    kind = EnterpriseNumber if ebox.kind is EboxKind.ENTERPRISE else Ssin
    try:
        kind.parse(ebox.number, check_digits=checks_digits)
    except Malformed:
        return False
    return True


def _partition(ebox: Ebox, original: _Original, rules: tuple[Rule, ...] | None) -> str | None:
    if ebox.kind is EboxKind.CITIZEN:  # who has no partitions (contract 4.15)
        return None
    if rules is None:
        return GENERAL
    return route(
        rules,
        message_type_id=original.message_type_id,
        sender_application_id=original.sender_application_id,
        sender_organization_id=original.sender.number,
    )
