"""Administration of the outbox by operators: list events, send them again, leave them out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.store.events import administration, delivery
from registry.store.events.administration import OutboxEvent
from registry.store.events.delivery import Backlog
from registry.store.transactions import Transactions

_BATCH: Final = 1000  # dead events replayed in one transaction


@dataclass(frozen=True)
class EventAdministration:
    """Shows the events on their way to the federation, and lets operators decide about them."""

    transactions: Transactions
    audit_log: AuditLog
    now: Callable[[], datetime]

    def list_due(self, limit: int) -> Sequence[OutboxEvent]:
        """List events that wait and are due, the oldest first."""
        with self.transactions() as connection:
            return administration.find_due_events(connection, now=self.now(), limit=limit)

    def list_dead(self, limit: int) -> Sequence[OutboxEvent]:
        """List events that the event service refused, the oldest first."""
        with self.transactions() as connection:
            return administration.find_dead_events(connection, limit=limit)

    def find(self, any_id: UUID) -> Sequence[OutboxEvent]:
        """Find the event of this correlation id, or all events of the message of this id."""
        with self.transactions() as connection:
            return administration.find_events(connection, any_id)

    def has_message(self, message_id: UUID) -> bool:
        """Tell if an e-Box has such a message, of which every event may be forgotten."""
        with self.transactions() as connection:
            return administration.has_message(connection, message_id)

    def replay(self, correlation_ids: Sequence[UUID]) -> Sequence[OutboxEvent]:
        """Have events sent again, in whatever state they are; gives those that exist."""
        with self.transactions() as connection:
            events = administration.replay(connection, correlation_ids, now=self.now())
            self._note(connection, "events/replay", events)
            return events

    def replay_dead(self) -> Iterator[int]:
        """Have all events sent again that are dead now; gives their number, batch by batch.

        Those that are refused anew meanwhile stay dead.
        """
        start = self.now()  # or an event that is refused again and again would never let it end
        while True:
            with self.transactions() as connection:
                count = administration.replay_dead(
                    connection, dead_before=start, now=self.now(), limit=_BATCH
                )
                if count:
                    self.audit_log.note(
                        connection, "events/replay-dead", details.describe_count("events", count)
                    )
            if not count:
                return
            yield count

    def skip(self, correlation_ids: Sequence[UUID], why: str) -> Sequence[OutboxEvent]:
        """Leave events out that wait or are dead; gives those that are left out now.

        An event that is being sent this moment is not among them.
        """
        with self.transactions() as connection:
            events = administration.skip(connection, correlation_ids, why=why, now=self.now())
            self._note(connection, "events/skip", events)
            return events

    def count_backlog(self) -> Backlog:
        """Count the events that wait and are due, and the dead ones, for a dashboard."""
        with self.transactions() as connection:
            return delivery.count_backlog(connection, self.now())

    def _note(self, connection: Connection, action: str, events: Sequence[OutboxEvent]) -> None:
        for event in events:
            facts = details.describe_event(event.correlation_id, event.message_id)
            self.audit_log.note(connection, action, facts, ebox=event.ebox)
