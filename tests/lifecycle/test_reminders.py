"""Each message is brought to mind once, whatever the clock does (contract 4.6)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from registry.domain.belgian_time import BELGIUM
from registry.domain.identifiers import EboxKind
from registry.services.events.delivery import EventDelivery
from registry.services.events.reminders import Reminders
from tests.factories import NOON, an_ebox

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def reminders(alone, clock):
    """After 15 days, and 7 before the end, unless it is said otherwise."""

    def make(reminder_after=15 * DAY, alert_before=7 * DAY):
        return Reminders(alone.worker, clock, reminder_after, alert_before)

    return make


@pytest.fixture
def told(alone):
    """How often each event is in the outbox, by type and message."""

    def rows():
        return Counter((row.type, row.message_id) for row in alone.rows("outbox"))

    return rows


def test_an_unread_message_is_brought_to_mind_on_its_fifteenth_day(alone, clock, reminders, told):
    ebox = an_ebox()
    message_id = alone.put(ebox)

    clock.now = NOON + 15 * DAY - SECOND
    assert reminders().remind() == 0
    clock.go_on(seconds=1)
    assert reminders().remind() == 1

    assert told() == {("newDocumentReminder", message_id): 1}
    (row,) = alone.rows("outbox")
    assert (row.ebox, row.due_at, row.is_bulk, row.state) == (ebox, clock(), True, "waiting")


def test_an_unread_message_is_alerted_about_a_week_before_it_expires(alone, clock, reminders, told):
    message_id = alone.put(an_ebox())

    clock.now = NOON + 83 * DAY - SECOND
    assert reminders().alert() == 0
    clock.go_on(seconds=1)
    assert reminders().alert() == 1

    assert told() == {("documentExpirationAlert", message_id): 1}


def test_a_citizen_is_no_different_here(alone, clock, reminders):
    alone.put(an_ebox(EboxKind.CITIZEN))
    clock.go_on(days=15)

    assert reminders().remind() == 1


@pytest.mark.parametrize(
    ("reminder_after", "alert_before", "days"), [(1, 1, (1, 89)), (30, 20, (30, 70))]
)
def test_the_periods_are_settings(alone, clock, reminders, reminder_after, alert_before, days):
    alone.put(an_ebox())
    service = reminders(reminder_after * DAY, alert_before * DAY)

    found = []
    for day in range(90):
        clock.now = NOON + day * DAY
        found += [day] * (service.remind() + service.alert())

    assert tuple(found) == days


@pytest.mark.parametrize(
    "change",
    [{"read_at": NOON}, {"is_visible": False}, {"expires_at": NOON + 16 * DAY}],
    ids=["read", "hidden", "expired"],
)
def test_nobody_is_reminded_of_what_is_read_hidden_or_expired(alone, clock, reminders, change):
    alone.put(an_ebox(), **change)
    clock.now = NOON + 16 * DAY

    assert reminders().remind() == 0
    assert alone.rows("outbox") == []


@pytest.mark.parametrize(
    "change",
    [{"read_at": NOON}, {"is_visible": False}, {"expires_at": NOON + 89 * DAY}],
    ids=["read", "hidden", "expired"],
)
def test_nobody_is_alerted_about_what_is_read_hidden_or_expired(alone, clock, reminders, change):
    alone.put(an_ebox(), **change)
    clock.now = NOON + 89 * DAY

    assert reminders().alert() == 0
    assert alone.rows("outbox") == []


@pytest.mark.parametrize("is_whole", [True, False], ids=["the e-Box", "the message"])
def test_nobody_is_reminded_of_what_is_held_until_that_is_lifted(
    alone, clock, reminders, hold, is_whole
):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    lift = hold(ebox, None if is_whole else message_id)
    clock.now = NOON + 85 * DAY

    held = reminders().remind(), reminders().alert()
    lift()
    free = reminders().remind(), reminders().alert()

    assert (held, free) == ((0, 0), (1, 1))


def test_a_hold_is_on_its_own_message_and_no_other(alone, clock, reminders, hold, told):
    ebox, other = an_ebox(), an_ebox()
    held, free = alone.put(ebox), alone.put(ebox)
    elsewhere = alone.put(other)
    hold(ebox, held)
    clock.go_on(days=15)

    reminders().remind()

    assert {message for _, message in told()} == {free, elsewhere}


def test_what_is_shown_again_is_brought_to_mind_late(alone, clock, reminders, told):
    message_id = alone.put(an_ebox(), is_visible=False)
    clock.go_on(days=20)
    reminders().remind()

    alone.change(message_id, is_visible=True)
    clock.go_on(days=1)

    assert reminders().remind() == 1
    assert told() == {("newDocumentReminder", message_id): 1}


def test_after_a_week_without_workers_each_message_is_brought_to_mind_once(
    alone, clock, reminders, told
):
    ids = [alone.put(an_ebox(), received_at=NOON + day * DAY) for day in range(7)]
    clock.now = NOON + (15 + 7) * DAY

    found = [reminders().remind() for _ in range(3)]

    assert found == [7, 0, 0]
    assert told() == {("newDocumentReminder", message_id): 1 for message_id in ids}


def test_a_message_that_had_both_coming_gets_both_once(alone, clock, reminders, told):
    message_id = alone.put(an_ebox(), expires_at=NOON + 20 * DAY)
    clock.go_on(days=16)

    for _ in range(3):
        reminders().remind()
        reminders().alert()

    assert told() == {
        ("newDocumentReminder", message_id): 1,
        ("documentExpirationAlert", message_id): 1,
    }


def test_a_clock_that_jumps_reminds_nobody_twice(alone, clock, reminders, told):
    message_id = alone.put(an_ebox())

    for days in (-3, 40, 0, 15, 14, 16, 85, 3, 84, 89):
        clock.now = NOON + days * DAY
        reminders().remind()
        reminders().alert()

    assert told() == {
        ("newDocumentReminder", message_id): 1,
        ("documentExpirationAlert", message_id): 1,
    }


def test_an_event_that_was_told_already_is_not_put_again_when_the_mark_was_lost(
    alone, clock, reminders
):
    """As after a restore of the messages that is older than that of the events."""
    message_id = alone.put(an_ebox())
    clock.go_on(days=15)
    reminders().remind()
    alone.change(message_id, is_reminded=False)

    reminders().remind()

    assert alone.states() == [("newDocumentReminder", "waiting")]


def test_two_workers_at_once_remind_of_each_message_once(alone, clock, reminders, told):
    ids = {alone.put(an_ebox()) for _ in range(60)}
    clock.now = NOON + 84 * DAY
    start = Barrier(2)

    def work():
        start.wait(timeout=10)
        return reminders().remind(), reminders().alert()

    with ThreadPoolExecutor(2) as pool:
        shares = [share.result(timeout=60) for share in [pool.submit(work) for _ in range(2)]]

    reminders().remind(), reminders().alert()  # what one found locked by the other
    assert sum(reminded for reminded, _ in shares) <= 60
    assert set(told().values()) == {1}
    assert {message for _, message in told()} == ids
    assert len(told()) == 120


def test_a_message_that_somebody_is_reading_now_is_left_and_then_not_due_any_more(
    alone, clock, reminders
):
    ebox = an_ebox()
    alone.put(ebox)
    clock.go_on(days=15)

    with alone.application(ebox) as connection:
        connection.exec_driver_sql("UPDATE messages SET read_at = now()")
        meanwhile = reminders().remind()

    assert (meanwhile, reminders().remind()) == (0, 0)


def test_a_mark_that_is_not_committed_with_its_event_is_no_mark(alone, clock, reminders, told):
    message_id = alone.put(an_ebox())
    clock.go_on(days=15)
    with alone.owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox ADD CONSTRAINT none CHECK (false) NOT VALID")

    with pytest.raises(Exception, match="none"):
        reminders().remind()

    with alone.owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox DROP CONSTRAINT none")
    assert reminders().remind() == 1
    assert told() == {("newDocumentReminder", message_id): 1}


def test_a_reminder_that_is_read_before_it_leaves_is_never_told(alone, clock, reminders):
    ebox, heard = an_ebox(), []
    message_id = alone.put(ebox)
    clock.go_on(days=15)
    reminders().remind()
    alone.change(message_id, read_at=clock())

    class Service:
        def tell(self, announcements):
            heard.extend(announcements)

    EventDelivery(alone.worker, Service(), clock, 100).deliver()

    assert heard == []
    assert alone.states() == [("newDocumentReminder", "withdrawn")]


def test_a_preview_says_what_then_happens_day_by_day(alone, clock, reminders, hold):
    clock.now = NOON + 10 * DAY
    eboxes = [an_ebox() for _ in range(3)]
    for number in range(40):
        alone.put(
            eboxes[number % 3],
            received_at=NOON - 20 * DAY + number * timedelta(hours=17),
            expires_at=NOON + (12 + number % 25) * DAY + number * timedelta(minutes=7),
            read_at=NOON if number % 7 == 0 else None,
            is_visible=number % 11 > 0,
            is_reminded=number % 5 == 0,
        )
    hold(eboxes[0], alone.put(eboxes[0]))
    hold(an_ebox())
    service, ahead = reminders(), 30 * DAY

    foreseen = {(row.type, row.day): row.messages for row in service.preview(ahead)}

    rows, until, happened = alone.rows("messages"), clock() + ahead, Counter()
    due = [when for row in rows for when in (row.received_at + 15 * DAY, row.expires_at - 7 * DAY)]
    for instant in [clock(), *sorted(when for when in due if clock() < when <= until)]:
        clock.now, today = instant, instant.astimezone(BELGIUM).date()
        happened["newDocumentReminder", today] += service.remind()
        happened["documentExpirationAlert", today] += service.alert()
    assert foreseen == {day: number for day, number in happened.items() if number}
    assert len(foreseen) > 20


def test_a_preview_counts_eboxes_once_a_day_and_changes_nothing(alone, clock, reminders):
    one, other = an_ebox(), an_ebox()
    for ebox in (one, one, other):
        alone.put(ebox)
    clock.go_on(days=20)

    seen = [reminders().preview(DAY) for _ in range(2)]

    assert [tuple(row) for row in seen[0]] == [("newDocumentReminder", clock().date(), 3, 2)]
    assert seen[0] == seen[1]
    assert alone.rows("outbox") == []


def test_a_day_of_a_preview_is_a_belgian_one(alone, clock, reminders):
    clock.now = NOON
    alone.put(an_ebox(), received_at=NOON + timedelta(hours=11, minutes=30) - 14 * DAY)

    (row,) = reminders().preview(3 * DAY)

    assert row.day == (NOON + 2 * DAY).date()  # half past midnight there


def test_the_preview_of_a_message_that_expires_before_its_reminder_has_none(
    alone, clock, reminders
):
    alone.put(an_ebox(), expires_at=NOON + 10 * DAY)

    seen = [row.type for row in reminders().preview(90 * DAY)]

    assert seen == ["documentExpirationAlert"]
