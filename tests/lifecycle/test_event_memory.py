"""What is forgotten of the events that were told, what is not, and that nothing comes of it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from registry.audit.log import AuditLog
from registry.blobs.memory import MemoryBlobs
from registry.domain.events import EventServiceResponse, Verdict
from registry.domain.pseudonyms import Pseudonyms
from registry.services.events.administration import EventAdministration
from registry.services.events.delivery import EventDelivery
from registry.services.events.event_memory import EventMemory
from registry.services.events.reminders import Reminders
from registry.services.retention.legal_holds import LegalHolds
from registry.services.retention.withdrawal import Withdrawal
from registry.store.consultation import messages
from tests.factories import NOON, an_ebox

DAY = timedelta(days=1)
PERIOD = 14 * DAY
ALERT, NEW, READ, REMINDER = (
    "documentExpirationAlert",
    "newDocument",
    "readDocument",
    "newDocumentReminder",
)
LOG = AuditLog(Pseudonyms("a key of the tests, long enough to count"), lambda: NOON, "operator")


@pytest.fixture
def memory(alone, clock):
    return EventMemory(alone.worker, PERIOD, clock, size=2)


@pytest.fixture
def tell(alone, clock):
    """Have the federation told what is due; gives the types of that."""

    def deliver():
        types = []

        class Service:
            def tell(self, announcements):
                types.extend(each.type.value for each in announcements)
                return EventServiceResponse(Verdict.SUCCESS)

        while EventDelivery(alone.worker, Service(), clock, 100).deliver().events:
            pass
        return types

    return deliver


@pytest.fixture
def told(alone, tell):
    """A letter of which everything was told, at noon."""
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen(NEW, ebox, message_id)
    tell()
    return ebox, message_id


def settle(alone, state, settled_at=NOON):
    """An event that is in a state since then; its id."""
    event = alone.happen(NEW, an_ebox())
    with alone.owner.begin() as connection:
        connection.execute(
            text("UPDATE outbox SET state = :state, settled_at = :at WHERE correlation_id = :id"),
            {"state": state, "at": settled_at, "id": event.correlation_id},
        )
    return event.correlation_id


def left(alone):
    return {row.correlation_id for row in alone.rows("outbox")}


def test_what_was_told_long_ago_is_forgotten_batch_by_batch(alone, clock, memory):
    for hour in range(5):
        settle(alone, "told", NOON + timedelta(hours=hour))
    young = settle(alone, "told", NOON + DAY)
    clock.now = NOON + PERIOD + DAY

    assert list(memory.forget_all()) == [2, 2, 1]
    assert left(alone) == {young}
    assert list(memory.forget_all()) == []


def test_events_that_were_told_in_one_batch_are_forgotten_in_several(alone, clock, memory):
    for _ in range(5):
        settle(alone, "told")
    clock.now = NOON + PERIOD + DAY

    assert list(memory.forget_all()) == [2, 2, 1]


def test_until_its_days_are_over_an_event_is_remembered(alone, clock, memory, told):
    clock.now = NOON + PERIOD

    assert list(memory.forget_all()) == []

    clock.go_on(microseconds=1)

    assert list(memory.forget_all()) == [1]


@pytest.mark.parametrize("state", ["dead", "skipped", "withdrawn"])
def test_what_was_not_told_is_remembered_until_the_purge(alone, clock, memory, state):
    event_id = settle(alone, state)
    clock.go_on(days=1000)

    assert list(memory.forget_all()) == []
    assert left(alone) == {event_id}


def test_what_waits_is_never_forgotten(alone, clock, memory):
    alone.happen(NEW, an_ebox())
    clock.go_on(days=1000)

    assert list(memory.forget_all()) == []
    assert len(left(alone)) == 1


def test_each_batch_is_a_transaction_and_begins_where_the_last_one_ended(alone, clock, memory):
    for hour in range(3):
        settle(alone, "told", NOON + timedelta(hours=hour))
    clock.now = NOON + PERIOD + DAY

    batches = memory.forget_all()
    next(batches)
    rest = left(alone)
    older = settle(alone, "told", NOON)

    assert len(rest) == 1
    assert list(batches) == [1]
    assert left(alone) == {older}
    assert list(memory.forget_all()) == [1]


def test_an_event_that_an_operator_replays_is_left_to_him(alone, clock, memory, told, tell):
    (event_id,) = left(alone)
    clock.now = NOON + PERIOD + DAY
    administration = EventAdministration(alone.worker, LOG, clock)
    with alone.owner.begin() as connection:
        locked = text("SELECT 1 FROM outbox WHERE correlation_id = :id FOR UPDATE")
        connection.execute(locked, {"id": event_id})

        assert list(memory.forget_all()) == []

    administration.replay([event_id])

    assert tell() == [NEW]
    assert list(memory.forget_all()) == []
    assert alone.states() == [(NEW, "told")]


def test_a_withdrawal_is_told_of_a_letter_whose_arrival_is_forgotten(
    alone, clock, memory, told, tell
):
    _, message_id = told
    clock.go_on(days=20)
    assert list(memory.forget_all()) == [1]

    holds = LegalHolds(alone.worker, MemoryBlobs(), LOG, clock)
    list(Withdrawal(alone.worker, holds, LOG, clock).withdraw(message_id, None, "a mistake"))

    assert tell() == [ALERT]


def test_nobody_is_reminded_twice_of_what_is_forgotten(alone, clock, memory, told, tell):
    reminders = Reminders(alone.worker, clock, 15 * DAY, 7 * DAY)
    clock.now = NOON + 16 * DAY
    assert (list(reminders.remind_all()), tell()) == ([1], [REMINDER])
    clock.go_on(days=20)
    assert list(memory.forget_all()) == [2]

    assert list(reminders.remind_all()) == []
    assert tell() == []


def test_a_letter_is_read_once_whatever_is_forgotten(alone, clock, memory, told):
    ebox, message_id = told
    with alone.application(ebox) as connection:
        assert messages.mark_read(connection, ebox, message_id, clock())
    clock.go_on(days=20)
    assert list(memory.forget_all()) == [1]

    with alone.application(ebox) as connection:
        assert not messages.mark_read(connection, ebox, message_id, clock())
