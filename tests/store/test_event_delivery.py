"""Claiming events: by one worker at a time, in order, and the prompt ones before the many."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.domain.events import Event, EventType
from registry.domain.identifiers import EboxKind
from registry.store.events import delivery, outbox
from tests.factories import NOON, an_ebox

LEASE = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def claim(alone):
    """The events that a worker gets, in their order."""

    def ask(limit=100, *, now=NOON, lease=LEASE):
        with alone.worker() as connection:
            return delivery.claim(connection, now=now, limit=limit, lease=lease)

    return ask


@pytest.fixture
def settle(alone):
    """Have done with claimed events."""

    def do(events, outcome="told", reason=None):
        with alone.worker() as connection:
            delivery.settle(connection, events, outcome=outcome, now=NOON, reason=reason)

    return do


@pytest.fixture
def many(alone):
    """So many events of the bulk lane, each of its own message, due one after the other."""

    def put(number, *, start=NOON - timedelta(hours=2)):
        with alone.owner.begin() as connection:
            events = [Event(EventType.NEW_DOCUMENT, an_ebox(), uuid4()) for _ in range(number)]
            for at in range(0, number, 100):
                due = start + at * timedelta(milliseconds=1)
                outbox.add_bulk(connection, events[at : at + 100], due_at=due)
        return events

    return put


def ids(events):
    return [event.correlation_id for event in events]


def test_the_oldest_event_is_claimed_first(alone, claim):
    due = [NOON - minutes * MINUTE for minutes in (3, 9, 1, 5, 7)]
    events = {at: alone.happen("newDocument", an_ebox(), due_at=at) for at in due}

    first, rest = claim(4), claim(100)

    oldest = ids(events[at] for at in sorted(due))
    assert ids(first) == oldest[:3]  # a quarter of the room is for bulk events
    assert ids(rest) == oldest[3:]


def test_an_event_that_is_not_due_is_left(alone, claim):
    alone.happen("newDocument", an_ebox(), due_at=NOON + MINUTE)
    due = alone.happen("newDocument", an_ebox(), due_at=NOON)

    assert ids(claim()) == [due.correlation_id]
    assert claim(now=NOON + 2 * MINUTE) != []


def test_an_event_comes_with_what_there_is_to_tell_of_its_message(alone, claim):
    ebox = an_ebox()
    message_id = alone.put(ebox, is_registered=True, read_at=NOON, is_visible=False)
    event = alone.happen("readDocument", ebox, message_id)

    (row,) = claim()

    assert (row.ebox, row.message_id, row.type) == (ebox, message_id, "readDocument")
    assert row.correlation_id == event.correlation_id
    message = row.message
    assert (message.received_at, message.expires_at) == (NOON, NOON + timedelta(days=90))
    assert (message.read_at, message.is_visible, message.is_registered) == (NOON, False, True)
    assert (message.message_type_id, message.sender) == ("tax-assessment", "0308357159")
    assert message.sender_application_id == "my-minfin"
    assert message.subject["nl"] == "Aanslagbiljet"


def test_of_a_message_that_is_gone_there_is_nothing_to_tell(alone, claim):
    alone.happen("newDocument", an_ebox(EboxKind.CITIZEN))

    (row,) = claim()

    assert row.message is None


KINDS = ["newDocument", "newDocumentReminder", "documentExpirationAlert", "readDocument"]
# Whatever clock they were written by.
CLOCKS = {
    "as they happened": [0, 1, 2, 3],
    "backwards": [3, 2, 1, 0],
    "all at once": [0, 0, 0, 0],
    "read early": [2, 1, 3, 0],
}


@pytest.mark.parametrize("minutes", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize("is_bulk", [False, True], ids=["prompt", "bulk"])
def test_what_happened_to_a_message_is_told_in_its_order_whatever_the_clock(
    alone, claim, settle, minutes, is_bulk
):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    for kind, minute in zip(KINDS, minutes, strict=True):
        in_bulk = is_bulk and kind != "readDocument"
        alone.happen(kind, ebox, message_id, NOON - minute * MINUTE, is_bulk=in_bulk)

    told = []
    while claimed := claim():
        told += [event.type for event in claimed]
        settle(claimed)

    assert (told[0], told[-1]) == ("newDocument", "readDocument")
    assert sorted(told) == sorted(KINDS)


def test_a_later_event_waits_for_an_earlier_one_that_another_worker_has(alone, claim, settle):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen("newDocument", ebox, message_id)
    alone.happen("readDocument", ebox, message_id)
    first = claim()

    assert [event.type for event in first] == ["newDocument"]
    assert claim() == []
    settle(first)
    assert [event.type for event in claim()] == ["readDocument"]


def test_a_later_event_waits_for_an_earlier_one_that_is_not_due(alone, claim):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen("newDocument", ebox, message_id, NOON + timedelta(days=1))
    alone.happen("readDocument", ebox, message_id)

    assert claim() == []


@pytest.mark.parametrize("state", ["told", "dead", "withdrawn", "skipped"])
def test_a_later_event_waits_for_nothing_that_is_settled(alone, claim, settle, state):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen("newDocument", ebox, message_id)
    alone.happen("readDocument", ebox, message_id)
    settle(claim(), state)

    assert [event.type for event in claim()] == ["readDocument"]


def test_events_of_the_same_message_in_two_eboxes_wait_for_each_other_not(alone, claim):
    one, other, message_id = an_ebox(), an_ebox(), uuid4()
    alone.happen("newDocument", one, message_id)
    alone.happen("readDocument", other, message_id)

    assert len(claim()) == 2


def test_a_claimed_event_is_passed_over_until_its_lease_has_run_out(alone, claim):
    alone.happen("newDocument", an_ebox())
    (first,) = claim(lease=timedelta(seconds=0.2))

    assert claim() == []
    with alone.owner.connect() as connection:
        connection.execute(text("SELECT pg_sleep(0.25)"))
    (second,) = claim()
    assert second.correlation_id == first.correlation_id
    assert claim() == []
    assert [row.attempts for row in alone.rows("outbox")] == [2]


def test_two_workers_at_once_never_get_the_same_event(alone, many):
    events, start = many(400), Barrier(4)

    def work():
        got = []
        start.wait(timeout=10)
        while True:
            with alone.worker() as connection:
                claimed = delivery.claim(connection, now=NOON, limit=17, lease=LEASE)
            if not claimed:
                return got
            got += ids(claimed)

    with ThreadPoolExecutor(4) as pool:
        shares = [share.result(timeout=60) for share in [pool.submit(work) for _ in range(4)]]

    got = [one for share in shares for one in share]
    assert len(got) == len(set(got))
    # Who finds all that is left locked by others goes home; nothing of it is lost.
    left = {row.correlation_id for row in alone.rows("outbox", claimed_until=None)}
    assert set(got) | left == set(ids(events))


def test_workers_whose_claims_overlap_pass_over_what_the_other_has_locked(alone, many, claim):
    many(20)

    with alone.worker() as connection:
        first = delivery.claim(connection, now=NOON, limit=8, lease=LEASE)
        second = claim(8)

    assert len(first) == len(second) == 8
    assert not set(ids(first)) & set(ids(second))


def test_a_single_event_behind_a_thousand_is_in_the_next_claim(alone, many, claim):
    many(1000)
    single = alone.happen("newDocument", an_ebox(), due_at=NOON)

    claimed = claim(20)

    assert len(claimed) == 20
    assert single.correlation_id in ids(claimed)


@pytest.mark.parametrize(
    ("limit", "prompt", "bulk"), [(100, 75, 25), (8, 6, 2), (5, 3, 2), (3, 2, 1), (2, 1, 1)]
)
def test_a_quarter_of_a_claim_is_kept_for_the_many(alone, many, claim, limit, prompt, bulk):
    many(100, start=NOON - MINUTE)
    for _ in range(limit):
        alone.happen("newDocument", an_ebox(), due_at=NOON - 2 * MINUTE)

    claimed = set(ids(claim(limit)))

    lanes = [row.is_bulk for row in alone.rows("outbox") if row.correlation_id in claimed]
    assert (lanes.count(False), lanes.count(True)) == (prompt, bulk)


def test_a_claim_of_one_takes_the_single_event_before_the_many(alone, many, claim):
    many(3)
    single = alone.happen("newDocument", an_ebox())

    assert ids(claim(1)) == [single.correlation_id]
    assert len(claim(1)) == 1


def test_without_single_events_the_many_have_all_the_room(many, claim):
    many(30)

    assert len(claim(20)) == 20


@pytest.mark.parametrize("state", ["told", "dead", "withdrawn", "skipped"])
def test_a_settled_event_never_comes_back(alone, claim, settle, state):
    alone.happen("newDocument", an_ebox())
    settle(claim(lease=timedelta()), state, "because")

    assert claim(now=NOON + timedelta(days=365)) == []
    (row,) = alone.rows("outbox")
    assert (row.state, row.reason, row.settled_at) == (state, "because", NOON)
    assert (row.claimed_until, row.attempts) == (None, 1)


def test_what_is_settled_is_not_settled_again(alone, claim, settle):
    alone.happen("newDocument", an_ebox())
    claimed = claim()
    settle(claimed, "told")

    settle(claimed, "dead", "by a worker that was late")

    assert alone.states() == [("newDocument", "told")]


def test_an_event_that_was_given_back_is_there_for_the_next(alone, claim):
    alone.happen("newDocument", an_ebox())
    first = claim()

    with alone.worker() as connection:
        delivery.release(connection, first, reason="no answer")

    (row,) = alone.rows("outbox")
    assert (row.state, row.reason, row.attempts) == ("waiting", "no answer", 1)
    assert ids(claim()) == ids(first)


def test_giving_back_does_not_take_an_event_from_whoever_has_it_now(alone, claim):
    alone.happen("newDocument", an_ebox())
    late = claim(lease=timedelta())
    now = claim()

    with alone.worker() as connection:
        delivery.release(connection, late, reason="too late")

    assert ids(late) == ids(now)
    assert claim() == []


def test_a_refusal_that_comes_late_does_not_end_an_event_that_another_worker_has(
    alone, claim, settle
):
    alone.happen("newDocument", an_ebox())
    late = claim(lease=timedelta())
    now = claim()

    settle(late, "dead", "refused")
    assert alone.states() == [("newDocument", "waiting")]
    settle(now, "told")
    assert alone.states() == [("newDocument", "told")]


def test_the_dashboard_shows_what_waits_and_is_due_since_when_and_what_is_dead(
    alone, claim, settle
):
    alone.happen("newDocument", an_ebox(), due_at=NOON - MINUTE)
    alone.happen("newDocument", an_ebox(), due_at=NOON - 2 * MINUTE)
    settle(claim(), "dead", "refused")
    alone.happen("newDocument", an_ebox(), due_at=NOON - 3 * MINUTE)
    alone.happen("newDocument", an_ebox(), due_at=NOON)
    alone.happen("newDocument", an_ebox(), due_at=NOON + MINUTE)

    with alone.worker() as connection:
        backlog = delivery.count_backlog(connection, NOON)

    assert tuple(backlog) == (2, NOON - 3 * MINUTE, 2)


def test_what_is_not_due_is_no_backlog(alone):
    alone.happen("newDocument", an_ebox(), due_at=NOON + MINUTE)

    with alone.worker() as connection:
        assert tuple(delivery.count_backlog(connection, NOON)) == (0, None, 0)
