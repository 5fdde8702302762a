"""Withdrawal: a letter to the wrong person is gone from there at once, and kept for auditors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.errors import NotFound, RegistryError
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind
from registry.services.retention.legal_holds import LegalHolds
from registry.store.events import outbox, withdrawal_news
from registry.store.publication import broadcasts
from registry.store.retention import legal_holds, withdrawals
from registry.store.retention.withdrawals import CopyCounts, LockedCopy
from registry.store.transactions import Transactions


class BroadcastUnderway(RegistryError):
    """A broadcast of the message is under way. Withdraw it from all e-Boxes, or wait a minute."""


class WithdrawnBatch(NamedTuple):
    """Numbers of one step: copies that are withdrawn now, and those that the federation is told of.

    `broadcasts` were cut short.
    """

    copies: int
    announcements: int
    broadcasts: int


@dataclass(frozen=True)
class Withdrawal:
    """Withdraws a message from all e-Boxes that have it, or from one (ADR 037).

    `holds` keep the evidence: rows and documents stay until an operator lifts them. `size` copies
    are withdrawn in one transaction, with their holds, their news and an entry for each.
    """

    transactions: Transactions
    holds: LegalHolds
    audit_log: AuditLog
    now: Callable[[], datetime]
    size: int = 1000

    def rehearse(self, message_id: UUID, ebox: Ebox | None) -> CopyCounts:
        """Count what would be withdrawn. Raises `NotFound` when no e-Box has such a message."""
        with self.transactions() as connection:
            counts = withdrawals.count_copies(connection, message_id, ebox)
        if not counts.copies:
            where = "No e-Box has" if ebox is None else "The e-Box does not have"
            raise NotFound("message_id", str(message_id), f"{where} a message {message_id}.")
        return counts

    def withdraw(self, message_id: UUID, ebox: Ebox | None, why: str) -> Iterator[WithdrawnBatch]:
        """Withdraw the message, batch by batch, the first recipient's first; nothing is done twice.

        `why` is kept with the holds and in the trail: it must have no numbers of persons. Raises
        `BroadcastUnderway` when one e-Box is named and others are still to get the message.
        """
        while True:
            with self.transactions() as connection:
                batch = self._withdraw_some(connection, message_id, ebox, why)
            if batch is None:
                return
            yield batch

    def hold_documents(self, message_id: UUID, ebox: Ebox | None) -> Iterator[str]:
        """Hold the documents in storage too; gives the storage key of each, one by one."""
        with self.transactions() as connection:
            holder = withdrawals.find_holder(connection, message_id, ebox)
        if holder is not None:
            yield from self.holds.hold_documents(holder, message_id)

    def _withdraw_some(
        self, connection: Connection, message_id: UUID, ebox: Ebox | None, why: str
    ) -> WithdrawnBatch | None:
        legal_holds.wait_for_purge(connection)
        copies = withdrawals.lock_copies(connection, message_id, ebox, limit=self.size)
        if not copies:
            return None
        now, sender = self.now(), Ebox(EboxKind.ENTERPRISE, copies[0].sender)
        stops = 0
        if ebox is None:
            stops = broadcasts.stop(connection, sender, message_id, now)
        # The others would get copies of a message that has expired.
        elif broadcasts.is_underway(connection, sender, message_id):
            raise BroadcastUnderway
        withdrawals.mark_copies(connection, message_id, [copy.ebox for copy in copies], now)
        hold_ids = [(copy.ebox, uuid4()) for copy in copies]
        legal_holds.add_message_holds(connection, hold_ids, message_id, why=why, now=now)
        announcements = self._announce(connection, message_id, copies, now)
        self.audit_log.note_all(
            connection,
            "message/withdraw",
            [(each, details.describe_withdrawal(message_id, hold, why)) for each, hold in hold_ids],
        )
        return WithdrawnBatch(len(copies), announcements, stops)

    def _announce(
        self,
        connection: Connection,
        message_id: UUID,
        copies: Sequence[LockedCopy],
        now: datetime,
    ) -> int:
        """Have the federation told that these copies have expired, where it knows of them."""
        eboxes = [copy.ebox for copy in copies]
        heard_of = set(withdrawal_news.retract(connection, message_id, eboxes, now))
        events = [
            Event(EventType.DOCUMENT_EXPIRATION_ALERT, copy.ebox, message_id, is_withdrawal=True)
            for copy in copies
            # Of what had expired before there is no news.
            if copy.ebox in heard_of and copy.expires_at > now
        ]
        if len(events) == 1:
            outbox.add(connection, events[0], due_at=now)
        elif events:
            outbox.add_bulk(connection, events, due_at=now)
        return len(events)
