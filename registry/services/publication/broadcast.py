"""Broadcast: one message for many e-Boxes, and its state in each of them."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.errors import DuplicatePublication, NotFound
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed, Ssin
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.store.publication import broadcasts, sent_messages
from registry.store.publication.broadcast_traces import note_trace
from registry.store.publication.broadcasts import BroadcastOrder
from registry.store.publication.sent_messages import SentStatus
from registry.store.transactions import Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastReceipt:
    """Result of a broadcast: the number of `links`, and the e-Boxes that cannot be, as `refusals`.

    A recipient who has the message already counts as linked.
    """

    message_id: UUID
    expires_at: datetime
    links: int
    refusals: tuple[Ebox, ...]


@dataclass(frozen=True)
class Broadcast:
    """Decides who gets a message, and records it; `filing` puts it there (contract 6.34).

    `checks_digits`: recipients whose check digits are wrong are refused.
    """

    transactions: Transactions
    filing: BroadcastFiling
    audit_log: AuditLog
    now: Callable[[], datetime]
    checks_digits: bool

    def link(
        self,
        call: Call,
        sender: Ebox,
        message_id: UUID,
        recipients: Sequence[Ebox],
        key: str | None,
    ) -> BroadcastReceipt:
        """Put the sender's own message into more e-Boxes.

        A recipient whose number cannot be is refused, and does not stop the others. The same
        request with the same key goes on with what the first has left unfinished, and gets its
        answer. Raises `NotFound` for any message but the sender's own, and `DuplicatePublication`
        when another request had the key.
        """
        order = self._make_order(message_id, recipients, key)
        with self.transactions(sender) as connection:
            broadcast = broadcasts.record(connection, order, self.now())
            if broadcast is None:
                raise NotFound("message_id", str(message_id))
            if (broadcast.message_id, broadcast.digest) != (message_id, order.digest):
                raise DuplicatePublication(broadcast.message_id)
            if call.trace_id:
                note_trace(connection, sender, broadcast.broadcast_id, call.trace_id)
            links, refusals = broadcast.links, broadcast.refusals
            # Here, where it is decided: from the next commit on the message gets to all of them.
            # Numbers alone: a list of ten thousand owners does not belong in the audit trail.
            facts = details.describe_broadcast(message_id, links, len(refusals))
            self.audit_log.record(connection, call, sender, facts)
            self.filing.finish(connection, sender, broadcast.broadcast_id)
        return BroadcastReceipt(
            message_id=message_id,
            expires_at=broadcast.expires_at,
            links=links,
            refusals=refusals,
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

    def _make_order(
        self, message_id: UUID, recipients: Sequence[Ebox], key: str | None
    ) -> BroadcastOrder:
        possible: list[Ebox] = []
        refusals: list[Ebox] = []
        for ebox in dict.fromkeys(recipients):
            is_possible = _is_possible(ebox, checks_digits=self.checks_digits)
            (possible if is_possible else refusals).append(ebox)
        return BroadcastOrder(
            message_id=message_id,
            # In one order for all, so that no two broadcasts of a message wait for each other.
            recipients=sorted(possible, key=lambda ebox: ebox.key),
            refusals=refusals,
            digest=_compute_digest(recipients),
            key=key,
        )


def _compute_digest(recipients: Iterable[Ebox]) -> bytes:
    """Compute what two requests have in common that name the same e-Boxes, in whatever order."""
    keys = sorted({ebox.key for ebox in recipients})
    # NUL is in no number: no body has one.
    return hashlib.sha256("\0".join(keys).encode()).digest()


def _is_possible(ebox: Ebox, *, checks_digits: bool) -> bool:
    kind = EnterpriseNumber if ebox.kind is EboxKind.ENTERPRISE else Ssin
    try:
        kind.parse(ebox.number, check_digits=checks_digits)
    except Malformed:
        return False
    return True
