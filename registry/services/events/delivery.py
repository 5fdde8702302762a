"""Telling the federation what happened, for certain: at least once, in order for each message."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from registry.domain.events import Announcement, EventType, Response, Verdict
from registry.domain.identifiers import EboxKind
from registry.store.events import delivery
from registry.store.schema import AnyRow, Transactions

LEASE: Final = timedelta(seconds=60)
_SPLITTING: Final = 20.0  # seconds of the lease, for the parts of a batch that was refused
_SUSPICIOUS: Final = 10  # refusals in a row, after which the service itself is suspected
_BY_THE_CLOCK: Final = {EventType.NEW_DOCUMENT_REMINDER, EventType.DOCUMENT_EXPIRATION_ALERT}

IsStopping = Callable[[], bool]


class EventService(Protocol):
    """The e-Box Event Service; never raises."""

    def tell(self, announcements: Sequence[Announcement]) -> Response:
        """What it makes of a batch."""
        ...


@dataclass(slots=True)
class Round:
    """What became of one batch, in numbers; `trouble` is why it ended early, if it did.

    `wait` is how long the service asks to be left alone, in seconds.
    """

    claimed: int = 0
    told: int = 0
    dead: int = 0
    withdrawn: int = 0
    trouble: str | None = None
    wait: float | None = None


@dataclass(frozen=True)
class EventDelivery:
    """Drains the outbox, a batch at a time.

    An event is claimed for a minute, told, then settled, so that a worker that dies in between
    makes it be told again, under the same correlation id. `tells_subject` is whether subjects leave
    the house.
    """

    transactions: Transactions
    service: EventService
    now: Callable[[], datetime]
    batch: int
    tells_subject: bool = False
    lease: timedelta = LEASE
    clock: Callable[[], float] = time.monotonic

    def deliver(self, is_stopping: IsStopping = lambda: False) -> Round:
        """Tell one batch of what is due; `claimed` is 0 when nothing is.

        A batch that is refused is split until the event that is to blame is alone, which is put
        aside as dead with the reason. A service that is ill gets nothing more, and the rest of the
        batch goes back. `is_stopping` is asked between two calls.
        """
        done = Round()
        with self.transactions() as connection:
            claimed = delivery.claim(connection, now=self.now(), limit=self.batch, lease=self.lease)
        done.claimed = len(claimed)
        untold = self._withdraw(claimed, done)
        if untold:
            self._tell(untold, done, is_stopping)
        return done

    def _withdraw(self, claimed: Sequence[AnyRow], done: Round) -> list[AnyRow]:
        """Settle what there is no use in telling any more; what is left."""
        now = self.now()
        pointless: dict[str, list[AnyRow]] = {}
        left = []
        for event in claimed:
            if reason := _pointless(event, now):
                pointless.setdefault(reason, []).append(event)
            else:
                left.append(event)
        for reason, events in pointless.items():
            self._settle(events, "withdrawn", reason)
            done.withdrawn += len(events)
        return left

    def _tell(self, events: list[AnyRow], done: Round, is_stopping: IsStopping) -> None:
        """Tell the events, in halves where they are refused; the order stays."""
        until = self.clock() + _SPLITTING
        parts = [events]
        while parts:
            is_late = self.clock() > until and done.told + done.dead  # or nothing ever moves
            if is_late or is_stopping():
                break
            part = parts.pop()
            response = self.service.tell([self._announcement(event) for event in part])
            if response.verdict is Verdict.AWAY:
                parts.append(part)
                done.trouble, done.wait = response.reason, response.wait
                break
            parts += self._concluded(part, response, done)
            if done.dead >= _SUSPICIOUS and not done.told:
                done.trouble = f"{done.dead} events in a row are refused: {response.reason}"
                break
        self._give_back(parts, done.trouble)

    def _concluded(
        self, part: list[AnyRow], response: Response, done: Round
    ) -> tuple[list[AnyRow], ...]:
        """Settle a part that was answered; what of it must be told anew, the first part last.

        Of a batch of which one event was told before, we do not know what became of the others:
        409 settles a single event (contract 3.3).
        """
        if response.verdict is not Verdict.ACCEPTED and len(part) > 1:
            middle = len(part) // 2
            return part[middle:], part[:middle]
        is_refused = response.verdict is Verdict.REFUSED
        self._settle(part, "dead" if is_refused else "told", response.reason or None)
        done.dead += len(part) if is_refused else 0
        done.told += 0 if is_refused else len(part)
        return ()

    def _settle(self, events: Sequence[AnyRow], state: str, reason: str | None) -> None:
        with self.transactions() as connection:
            delivery.settle(connection, events, state=state, now=self.now(), reason=reason)

    def _give_back(self, parts: list[list[AnyRow]], reason: str | None) -> None:
        events = [event for part in parts for event in part]
        if events:
            with self.transactions() as connection:
                delivery.release(connection, events, reason=reason)

    def _announcement(self, event: AnyRow) -> Announcement:
        return Announcement(
            type=EventType(event.type),
            correlation_id=event.correlation_id,
            ebox=event.ebox,
            message_id=event.message_id,
            received_at=event.received_at,
            expires_at=event.expires_at,
            is_registered=event.is_registered,
            message_type_id=event.message_type_id,
            sender=event.sender,
            sender_application_id=event.sender_application_id,
            subject=event.subject if self.tells_subject else None,
        )


def _pointless(event: AnyRow, now: datetime) -> str | None:
    """Why there is no use in telling this event any more, if there is none."""
    if event.ebox.kind is EboxKind.CITIZEN:
        return "The Event Service knows of enterprises only."
    if event.received_at is None:
        return "The message is no longer there."
    if event.type in _BY_THE_CLOCK:
        if event.read_at is not None:
            return "The message was read meanwhile."
        if event.expires_at <= now:
            return "The message has expired meanwhile."
        if not event.is_visible:
            return "The message was hidden meanwhile."
    return None
