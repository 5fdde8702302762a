"""Delivery of events to the federation: at least once, and in order for each message."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from registry.domain.events import Announcement, EventServiceResponse, EventType, Verdict
from registry.domain.identifiers import EboxKind
from registry.store.events import delivery
from registry.store.events.delivery import ClaimedEvent, MessageFacts, Outcome
from registry.store.transactions import Transactions

LEASE: Final = timedelta(seconds=60)
_SPLITTING: Final = 20.0  # seconds of the lease, for the parts of a batch that was refused
_SUSPICIOUS: Final = 10  # refusals in a row, after which the service itself is suspected
_BY_THE_CLOCK: Final = {EventType.NEW_DOCUMENT_REMINDER, EventType.DOCUMENT_EXPIRATION_ALERT}
# That it was read did happen, and the alert tells that it has expired before its time.
_AFTER_WITHDRAWAL: Final = {EventType.READ_DOCUMENT, EventType.DOCUMENT_EXPIRATION_ALERT}

IsStopping = Callable[[], bool]


class EventService(Protocol):
    """The e-Box Event Service; never raises."""

    def tell(self, announcements: Sequence[Announcement]) -> EventServiceResponse:
        """Send a batch of events, and give the verdict on it."""
        ...


class ToldEvents(NamedTuple):
    """Events of one kind about one message, all of one cause, that the service was told.

    `trace` is that of their cause, `call_trace` the one under which the service was called.
    """

    message_id: UUID
    kind: EventType
    trace: str | None
    call_trace: str | None


@dataclass(slots=True)
class DeliveryReport:
    """Numbers of one batch of events; `trouble` is the reason if it ended early.

    `events` were claimed; of these are `deliveries`, `refusals` (dead now) and `withdrawals`. The
    rest was given back. `wait` is the pause that the service asks for, in seconds. `told_events`
    counts deliveries by what ties them to their cause.
    """

    events: int = 0
    deliveries: int = 0
    refusals: int = 0
    withdrawals: int = 0
    trouble: str | None = None
    wait: float | None = None
    told_events: Counter[ToldEvents] = field(default_factory=Counter)


class _Pointless(Exception):
    """The event is not worth sending any more; the text is the reason, for operators."""


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A claimed event, and the announcement that is sent of it."""

    event: ClaimedEvent
    announcement: Announcement


@dataclass(frozen=True)
class EventDelivery:
    """Empties the outbox, a batch at a time.

    An event is claimed for the length of the lease, sent, then settled. When a worker dies in
    between, the event is sent again under the same correlation id; when the database fails, this
    worker does not wait for the end of its own lease. `tells_subject`: subjects of messages are
    sent too.
    """

    transactions: Transactions
    service: EventService
    now: Callable[[], datetime]
    batch: int
    tells_subject: bool = False
    lease: timedelta = LEASE
    clock: Callable[[], float] = time.monotonic
    _open_claims: list[ClaimedEvent] = field(default_factory=list, repr=False)

    def deliver(self, is_stopping: IsStopping = lambda: False) -> DeliveryReport:
        """Send one batch of the events that are due; none are when the report has no `events`.

        A batch that is refused is split until the event that is to blame is alone; that one is
        marked as dead with the reason. A service that fails gets nothing more, and the rest of the
        batch is given back. `is_stopping` is asked between two calls.
        """
        self._give_back(self._open_claims)
        with self.transactions() as connection:
            events = delivery.claim(connection, now=self.now(), limit=self.batch, lease=self.lease)
            # Before the COMMIT, whose answer may be lost.
            self._open_claims[:] = events
        report = DeliveryReport(events=len(events))
        if outgoing := self._prepare(events, report):
            self._send(outgoing, report, is_stopping)
        self._open_claims.clear()
        return report

    def _prepare(self, events: Sequence[ClaimedEvent], report: DeliveryReport) -> list[_Outgoing]:
        """Give the events that are worth sending, and withdraw the others."""
        now = self.now()
        pointless: dict[str, list[ClaimedEvent]] = {}
        outgoing = []
        for event in events:
            try:
                outgoing.append(_Outgoing(event, self._announce(event, now)))
            except _Pointless as reason:
                pointless.setdefault(str(reason), []).append(event)
        for reason_text, withdrawals in pointless.items():
            self._settle(withdrawals, "withdrawn", reason_text)
            report.withdrawals += len(withdrawals)
        return outgoing

    def _send(
        self, outgoing: list[_Outgoing], report: DeliveryReport, is_stopping: IsStopping
    ) -> None:
        """Send the events, in halves where they are refused; their order stays."""
        until = self.clock() + _SPLITTING
        parts = [outgoing]
        while parts:
            # Not before one event is settled: a batch that is always too late would never end.
            is_late = self.clock() > until and report.deliveries + report.refusals
            if is_late or is_stopping():
                break
            part = parts.pop()
            # No transaction is open: the service may take its time.
            response = self.service.tell([each.announcement for each in part])
            if response.verdict is Verdict.OUTAGE:
                parts.append(part)
                report.trouble, report.wait = response.reason, response.wait
                break
            parts += self._conclude(part, response, report)
            if report.refusals >= _SUSPICIOUS and not report.deliveries:
                report.trouble = f"{report.refusals} events in a row are refused: {response.reason}"
                break
        self._give_back([each.event for part in parts for each in part], report.trouble)

    def _conclude(
        self, part: list[_Outgoing], response: EventServiceResponse, report: DeliveryReport
    ) -> tuple[list[_Outgoing], ...]:
        """Settle a part that got its verdict; gives the parts to send anew, the first one last.

        Of a batch with an event that the service had before, nobody knows what became of the
        others: only of a single event is 409 the end (contract 3.3).
        """
        if response.verdict is not Verdict.SUCCESS and len(part) > 1:
            middle = len(part) // 2
            return part[middle:], part[:middle]
        is_refusal = response.verdict is Verdict.REFUSAL
        events = [each.event for each in part]
        self._settle(events, "dead" if is_refusal else "told", response.reason or None)
        report.refusals += len(part) if is_refusal else 0
        report.deliveries += 0 if is_refusal else len(part)
        if not is_refusal:
            report.told_events.update(_describe(event, response.trace) for event in events)
        return ()

    def _settle(self, events: Sequence[ClaimedEvent], outcome: Outcome, reason: str | None) -> None:
        with self.transactions() as connection:
            delivery.settle(connection, events, outcome=outcome, now=self.now(), reason=reason)

    def _give_back(self, events: Sequence[ClaimedEvent], reason: str | None = None) -> None:
        if events:
            with self.transactions() as connection:
                delivery.release(connection, events, reason=reason)

    def _announce(self, event: ClaimedEvent, now: datetime) -> Announcement:
        """Make the announcement of an event; raises `_Pointless`."""
        message = _check_message(event, now)
        return Announcement(
            type=event.type,
            correlation_id=event.correlation_id,
            ebox=event.ebox,
            message_id=event.message_id,
            received_at=message.received_at,
            expires_at=message.expires_at,
            is_registered=message.is_registered,
            message_type_id=message.message_type_id,
            sender=message.sender,
            sender_application_id=message.sender_application_id,
            subject=message.subject if self.tells_subject else None,
            trace=event.trace,
        )


def _describe(event: ClaimedEvent, call_trace: str | None) -> ToldEvents:
    return ToldEvents(event.message_id, event.type, event.trace, call_trace)


def _check_message(event: ClaimedEvent, now: datetime) -> MessageFacts:
    """Give the message of an event that is worth sending; raises `_Pointless`."""
    message = event.message
    if event.ebox.kind is EboxKind.CITIZEN:
        raise _Pointless("The Event Service knows of enterprises only.")
    if message is None:
        raise _Pointless("The message is no longer there.")
    if message.withdrawn_at is not None:
        if event.type not in _AFTER_WITHDRAWAL:
            raise _Pointless("The message was withdrawn meanwhile.")
    elif event.type in _BY_THE_CLOCK:
        # A reminder is about the present, other events are about something that did happen.
        _check_reminder(message, now)
    return message


def _check_reminder(message: MessageFacts, now: datetime) -> None:
    """Raise `_Pointless` when there is nothing to remind of."""
    if message.read_at is not None:
        raise _Pointless("The message was read meanwhile.")
    if message.expires_at <= now:
        raise _Pointless("The message has expired meanwhile.")
    if not message.is_visible:
        raise _Pointless("The message was hidden meanwhile.")
