"""Reminders of unread messages, and alerts before they expire, as the clock asks for them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.domain.belgian_time import BELGIUM
from registry.domain.events import Event, EventType
from registry.store.events import outbox, reminders
from registry.store.events.reminders import Forecast, UnreadMessage
from registry.store.transactions import Transactions

_BATCH = 1000  # messages marked in one transaction, and locked as long


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
        """Remind of a batch of messages; gives their number, 0 when none is due."""
        now = self.now()
        with self.transactions() as connection:
            messages = reminders.mark_reminded(
                connection, received_before=now - self.reminder_after, now=now, limit=_BATCH
            )
            events = _events(EventType.NEW_DOCUMENT_REMINDER, messages)
            outbox.add_bulk(connection, events, due_at=now)
        return len(messages)

    def alert(self) -> int:
        """Alert before a batch of messages expires; gives their number, 0 when none is due."""
        now = self.now()
        with self.transactions() as connection:
            messages = reminders.mark_alerted(
                connection, expiring_before=now + self.alert_before, now=now, limit=_BATCH
            )
            events = _events(EventType.DOCUMENT_EXPIRATION_ALERT, messages)
            outbox.add_bulk(connection, events, due_at=now)
        return len(messages)

    def remind_all(self) -> Iterator[int]:
        """Remind batch after batch until none is due; gives the number of each."""
        while count := self.remind():
            yield count

    def alert_all(self) -> Iterator[int]:
        """Alert batch after batch until none is due; gives the number of each."""
        while count := self.alert():
            yield count

    def preview(self, ahead: timedelta) -> Sequence[Forecast]:
        """Forecast the events of the time ahead, if nobody read anything, by Belgian day.

        An event counts for the day on which it becomes due, for today when it already is.
        """
        now = self.now()
        with self.transactions() as connection:
            return reminders.forecast(
                connection,
                now=now,
                until=now + ahead,
                reminder_after=self.reminder_after,
                alert_before=self.alert_before,
                zone=BELGIUM.key,
            )


def _events(kind: EventType, messages: Sequence[UnreadMessage]) -> list[Event]:
    return [Event(kind, message.ebox, message.message_id) for message in messages]
