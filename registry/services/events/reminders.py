"""What the clock asks for: reminders of unread messages, alerts before they expire."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.domain.events import Event, EventType
from registry.domain.queries import BELGIUM
from registry.store.events import outbox, reminders
from registry.store.schema import AnyRow, Transactions

_BATCH = 1000


@dataclass(frozen=True)
class Reminders:
    """Finds messages that nobody has read, and puts the event about it into the outbox.

    A message is marked in the transaction of its event, so that each comes once, whatever the clock
    and however many workers (contract 4.6). `reminder_after` publication, `alert_before` expiry.
    """

    transactions: Transactions
    now: Callable[[], datetime]
    reminder_after: timedelta
    alert_before: timedelta

    def remind(self) -> int:
        """Remind of a batch of messages; of how many, 0 when none is due."""
        now = self.now()
        with self.transactions() as connection:
            found = reminders.due_for_reminder(
                connection, received_before=now - self.reminder_after, now=now, limit=_BATCH
            )
            events = _events(EventType.NEW_DOCUMENT_REMINDER, found)
            outbox.add_bulk(connection, events, due_at=now)
        return len(found)

    def alert(self) -> int:
        """Alert before a batch of messages expires; of how many, 0 when none is due."""
        now = self.now()
        with self.transactions() as connection:
            found = reminders.due_for_alert(
                connection, expiring_before=now + self.alert_before, now=now, limit=_BATCH
            )
            events = _events(EventType.DOCUMENT_EXPIRATION_ALERT, found)
            outbox.add_bulk(connection, events, due_at=now)
        return len(found)

    def preview(self, ahead: timedelta) -> Sequence[AnyRow]:
        """What would go out in the time ahead if nobody read anything: `type`, `day`, `messages`,
        `eboxes`. `day` is the Belgian one on which it becomes due, today for what already is.
        """
        now = self.now()
        with self.transactions() as connection:
            return reminders.foreseen(
                connection,
                now=now,
                until=now + ahead,
                reminder_after=self.reminder_after,
                alert_before=self.alert_before,
                zone=BELGIUM.key,
            )


def _events(kind: EventType, found: Sequence[AnyRow]) -> list[Event]:
    return [Event(kind, row.ebox, row.message_id) for row in found]
