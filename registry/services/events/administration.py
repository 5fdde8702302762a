"""The operators' hand on the outbox: look, tell again, leave out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.store.events import administration, delivery
from registry.store.schema import AnyRow, Transactions

_BATCH: Final = 1000  # dead events told again in one transaction


@dataclass(frozen=True)
class EventAdministration:
    """What is on its way to the federation, and what did not get there.

    Events have `ebox`, `correlation_id`, `type`, `message_id`, `state`, `is_bulk`, `due_at`,
    `attempts`, `claimed_until`, `reason` and `settled_at`.
    """

    transactions: Transactions
    audit_log: AuditLog
    now: Callable[[], datetime]

    def due(self, limit: int) -> Sequence[AnyRow]:
        """Events that wait to be told and are due, the oldest first."""
        with self.transactions() as connection:
            return administration.due(connection, now=self.now(), limit=limit)

    def dead(self, limit: int) -> Sequence[AnyRow]:
        """Events that the event service refused, the oldest first."""
        with self.transactions() as connection:
            return administration.dead(connection, limit=limit)

    def find(self, wanted: UUID) -> Sequence[AnyRow]:
        """The event of this correlation id, or all events of the message of this id."""
        with self.transactions() as connection:
            return administration.find(connection, wanted)

    def replay(self, correlation_ids: Sequence[UUID]) -> Sequence[AnyRow]:
        """Have events told again, whatever became of them; those that there are."""
        with self.transactions() as connection:
            done = administration.replay(connection, correlation_ids, now=self.now())
            self._note(connection, "events/replay", done)
            return done

    def replay_dead(self) -> Iterator[int]:
        """Have all events told again that are dead now; of how many, batch by batch.

        Those that are refused anew meanwhile stay dead.
        """
        began = self.now()
        while True:
            with self.transactions() as connection:
                done = administration.replay_dead(
                    connection, dead_before=began, now=self.now(), limit=_BATCH
                )
                if done:
                    told = details.counted("events", done)
                    self.audit_log.note(connection, "events/replay-dead", told)
            if not done:
                return
            yield done

    def skip(self, correlation_ids: Sequence[UUID], why: str) -> Sequence[AnyRow]:
        """Leave events untold that wait or are dead, unless one is being told; those that were."""
        with self.transactions() as connection:
            done = administration.skip(connection, correlation_ids, why=why, now=self.now())
            self._note(connection, "events/skip", done)
            return done

    def backlog(self) -> AnyRow:
        """`waiting` and due, `oldest` due, `dead`: what a dashboard shows."""
        with self.transactions() as connection:
            return delivery.backlog(connection, self.now())

    def _note(self, connection: Connection, deed: str, events: Sequence[AnyRow]) -> None:
        for event in events:
            told = details.event(event.correlation_id, event.message_id)
            self.audit_log.note(connection, deed, told, ebox=event.ebox)
