"""Overview of a message: what an operator may know without reading it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.domain.errors import NotFound
from registry.store.events import administration
from registry.store.events.administration import OutboxEvent
from registry.store.retention import message_overview, purge, withdrawals
from registry.store.retention.message_overview import CopyOverview, DocumentOverview
from registry.store.retention.purge import DeletionProof
from registry.store.retention.withdrawals import CopyCounts
from registry.store.transactions import Transactions


@dataclass(frozen=True, slots=True)
class MessageOverview:
    """A message with its copies, documents, events, and proofs of copies that are deleted.

    `counts` are of all copies; `copies` and `events` are the first of them.
    """

    message_id: UUID
    at: datetime
    counts: CopyCounts
    copies: Sequence[CopyOverview]
    documents: Sequence[DocumentOverview]
    events: Sequence[OutboxEvent]
    proofs: Sequence[DeletionProof]


@dataclass(frozen=True)
class MessageInspection:
    """Looks at a message in all e-Boxes that have it; nothing that its sender wrote is read."""

    transactions: Transactions
    now: Callable[[], datetime]

    def find(self, message_id: UUID, limit: int) -> MessageOverview:
        """Find a message, with up to `limit` of its copies, events and proofs.

        Raises `NotFound` when there is no such message, and no proof that there was.
        """
        with self.transactions() as connection:
            counts = withdrawals.count_copies(connection, message_id, None)
            copies = message_overview.list_copies(connection, message_id, limit=limit)
            proofs = purge.find_proofs(connection, message_id)[:limit]
            if not copies and not proofs:
                raise NotFound("message_id", str(message_id), f"There is no message {message_id}.")
            documents = (
                message_overview.list_documents(connection, copies[0].ebox, message_id)
                if copies
                else ()
            )
            events = administration.find_events(connection, message_id)[:limit]
        return MessageOverview(message_id, self.now(), counts, copies, documents, events, proofs)
