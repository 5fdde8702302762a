"""Events reach the federation for certain, in order, and one that is bad stops no other."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import text

from registry.domain.errors import Unavailable
from registry.domain.events import EventServiceResponse, Verdict
from registry.domain.identifiers import EboxKind
from registry.services.events.delivery import EventDelivery
from registry.store.events import delivery
from tests.factories import NOON, an_ebox

MINUTE = timedelta(minutes=1)
ACCEPTED = EventServiceResponse(Verdict.SUCCESS)
KNOWN = EventServiceResponse(Verdict.DUPLICATE)
REFUSED = EventServiceResponse(Verdict.REFUSAL, "status 400: no such thing")
AWAY = EventServiceResponse(Verdict.OUTAGE, "status 503", wait=30.0)


class Service:
    """An event service that answers as the test says, and remembers each call."""

    def __init__(self, judge=lambda announcements: ACCEPTED):
        self.judge = judge
        self.calls = []

    def tell(self, announcements):
        self.calls.append(list(announcements))
        return self.judge(announcements)

    @property
    def sizes(self):
        return [len(call) for call in self.calls]


def in_turn(*responses):
    """One answer after the other."""
    left = iter(responses)
    return lambda announcements: next(left)


def refusing(*poisonous):
    """Refuses a batch that holds one of these."""
    bad = {event.correlation_id for event in poisonous}
    return lambda told: REFUSED if bad & {one.correlation_id for one in told} else ACCEPTED


@pytest.fixture
def event_delivery(alone, clock):
    """The service around an event service."""

    def make(service, *, batch=100, **options):
        return EventDelivery(alone.worker, service, clock, batch, **options)

    return make


@pytest.fixture
def happened(alone):
    """So many messages arrived one after the other, each with its event."""

    def put(number):
        eboxes = [an_ebox() for _ in range(number)]
        return [
            alone.happen("newDocument", ebox, alone.put(ebox), NOON - (number - at) * MINUTE)
            for at, ebox in enumerate(eboxes)
        ]

    return put


def ids(events):
    return [event.correlation_id for event in events]


def test_what_is_due_is_told_in_one_call_and_settled(alone, event_delivery, happened):
    events, service = happened(5), Service()

    report = event_delivery(service).deliver()

    assert [ids(call) for call in service.calls] == [ids(events)]
    assert (report.events, report.deliveries, report.refusals, report.withdrawals) == (5, 5, 0, 0)
    assert (report.trouble, report.wait) == (None, None)
    assert [(row.state, row.settled_at) for row in alone.rows("outbox")] == [("told", NOON)] * 5


@pytest.mark.parametrize("breaks", [1, 2], ids=["the claim's answer is lost", "nothing is settled"])
def test_a_worker_does_not_wait_for_its_own_lease(alone, clock, happened, breaks):
    events, service, number = happened(3), Service(), count(1)

    @contextmanager
    def breaking():
        with alone.worker() as connection:
            if (turn := next(number)) == breaks == 2:
                raise Unavailable
            yield connection
        if turn == breaks:
            raise Unavailable  # after the COMMIT

    worker = EventDelivery(breaking, service, clock, 100)
    with pytest.raises(Unavailable):
        worker.deliver()

    report = worker.deliver()

    assert report.deliveries == 3
    assert ids(service.calls[-1]) == ids(events)
    assert {row.state for row in alone.rows("outbox")} == {"told"}


def test_nothing_is_due_and_nobody_is_called(event_delivery):
    service = Service()

    report = event_delivery(service).deliver()

    assert (report.events, report.trouble, service.calls) == (0, None, [])


def test_what_was_told_is_not_told_again(event_delivery, happened):
    happened(3)
    service = Service()

    rounds = [event_delivery(service).deliver().events for _ in range(3)]

    assert rounds == [3, 0, 0]
    assert service.sizes == [3]


def test_an_event_is_told_with_the_facts_of_its_message(alone, event_delivery):
    ebox, service = an_ebox(), Service()
    message_id = alone.put(ebox, is_registered=True, sender_application_id=None)
    event = alone.happen("newDocument", ebox, message_id)

    event_delivery(service).deliver()

    ((told,),) = service.calls
    assert (told.type, told.ebox, told.message_id) == ("newDocument", ebox, message_id)
    assert told.correlation_id == event.correlation_id
    assert (told.received_at, told.expires_at) == (NOON, NOON + timedelta(days=90))
    assert (told.is_registered, told.message_type_id) == (True, "tax-assessment")
    assert (told.sender, told.sender_application_id) == ("0308357159", None)


@pytest.mark.parametrize(
    ("is_asked", "subject"), [({}, None), ({"tells_subject": True}, {"nl": "Geheim"})]
)
def test_a_subject_leaves_the_house_only_when_that_is_asked_for(
    alone, event_delivery, is_asked, subject
):
    ebox, service = an_ebox(), Service()
    alone.happen("newDocument", ebox, alone.put(ebox, subject={"nl": "Geheim"}))

    event_delivery(service, **is_asked).deliver()

    assert [told.subject for told in service.calls[0]] == [subject]


def test_a_batch_of_which_one_was_told_before_is_split_and_all_of_it_counts_as_told(
    alone, event_delivery, happened
):
    events = happened(5)
    known = events[3].correlation_id
    service = Service(lambda told: KNOWN if known in ids(told) else ACCEPTED)

    report = event_delivery(service).deliver()

    assert service.sizes == [5, 2, 3, 1, 2, 1, 1]  # the first half is told first
    assert (report.deliveries, report.refusals, report.trouble) == (5, 0, None)
    assert {row.state for row in alone.rows("outbox")} == {"told"}


def test_a_batch_that_was_told_before_in_full_is_told_one_by_one(alone, event_delivery, happened):
    events, service = happened(4), Service(lambda told: KNOWN)

    report = event_delivery(service).deliver()

    assert [one.correlation_id for call in service.calls if len(call) == 1 for one in call] == ids(
        events
    )
    assert (report.deliveries, report.refusals, report.trouble) == (4, 0, None)
    assert {(row.state, row.reason) for row in alone.rows("outbox")} == {("told", None)}


@pytest.mark.parametrize("number", [1, 2, 7, 64])
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_of_a_batch_that_is_refused_the_bad_event_alone_is_put_aside(
    alone, event_delivery, happened, number, where
):
    events = happened(number)
    bad = events[{"first": 0, "middle": number // 2, "last": -1}[where]]
    told, judge = [], refusing(bad)

    def listen(announcements):
        response = judge(announcements)
        told.extend(announcements if response is ACCEPTED else ())
        return response

    report = event_delivery(Service(listen)).deliver()

    assert (report.deliveries, report.refusals, report.trouble) == (number - 1, 1, None)
    (dead,) = alone.rows("outbox", state="dead")
    assert (dead.correlation_id, dead.reason) == (bad.correlation_id, REFUSED.reason)
    assert ids(told) == [one for one in ids(events) if one != bad.correlation_id]


def test_several_bad_events_die_each_for_itself(alone, event_delivery, happened):
    events = happened(20)
    bad = [events[at] for at in (0, 1, 9, 19)]

    report = event_delivery(Service(refusing(*bad))).deliver()

    assert (report.deliveries, report.refusals, report.trouble) == (16, 4, None)
    assert {row.correlation_id for row in alone.rows("outbox", state="dead")} == set(ids(bad))


def test_what_is_dead_is_not_told_again(event_delivery, happened):
    (event,) = happened(1)
    service = Service(refusing(event))

    event_delivery(service).deliver()
    report = event_delivery(service).deliver()

    assert (report.events, service.sizes) == (0, [1])


def test_a_service_that_is_ill_gets_nothing_more_and_everything_comes_back(
    alone, event_delivery, happened
):
    events, service = happened(6), Service(lambda told: AWAY)

    first = event_delivery(service).deliver()
    second = event_delivery(service).deliver()

    assert service.sizes == [6, 6]
    assert (first.deliveries, first.refusals, first.trouble, first.wait) == (
        0,
        0,
        "status 503",
        30.0,
    )
    assert second == first
    rows = alone.rows("outbox")
    assert {row.correlation_id for row in rows} == set(ids(events))
    assert {(row.state, row.attempts, row.reason, row.claimed_until) for row in rows} == {
        ("waiting", 2, "status 503", None)
    }


def test_a_service_that_falls_ill_while_a_batch_is_split_loses_nothing(
    alone, event_delivery, happened
):
    events = happened(4)

    report = event_delivery(Service(in_turn(REFUSED, ACCEPTED, AWAY))).deliver()

    assert (report.events, report.deliveries, report.refusals, report.trouble) == (
        4,
        2,
        0,
        "status 503",
    )
    states = {row.correlation_id: row.state for row in alone.rows("outbox")}
    assert [states[one] for one in ids(events)] == ["told", "told", "waiting", "waiting"]
    service = Service()
    event_delivery(service).deliver()
    assert [ids(call) for call in service.calls] == [ids(events[2:])]


def test_when_ten_in_a_row_are_refused_the_service_is_suspected_and_not_the_events(
    alone, event_delivery, happened
):
    events, service = happened(64), Service(lambda told: REFUSED)

    report = event_delivery(service).deliver()

    assert (report.deliveries, report.refusals, report.wait) == (0, 10, None)
    assert "10 events in a row" in report.trouble
    assert REFUSED.reason in report.trouble
    states = {row.correlation_id: row.state for row in alone.rows("outbox")}
    assert [states[one] for one in ids(events)] == ["dead"] * 10 + ["waiting"] * 54
    assert {row.claimed_until for row in alone.rows("outbox")} == {None}


def test_one_event_that_is_accepted_clears_the_service_of_suspicion(event_delivery, happened):
    events = happened(30)

    report = event_delivery(Service(refusing(*events[1:]))).deliver()

    assert (report.deliveries, report.refusals, report.trouble) == (1, 29, None)


def test_a_citizens_events_are_never_told(alone, event_delivery):
    citizen, service = an_ebox(EboxKind.CITIZEN), Service()
    message_id = alone.put(citizen)
    for kind in ("newDocument", "readDocument", "newDocumentReminder"):
        alone.happen(kind, citizen, message_id)

    withdrawn = [event_delivery(service).deliver().withdrawals for _ in range(4)]

    assert service.calls == []
    assert withdrawn == [1, 1, 1, 0]
    assert {row.state for row in alone.rows("outbox")} == {"withdrawn"}
    assert all("enterprises only" in row.reason for row in alone.rows("outbox"))


def test_an_event_whose_message_is_gone_is_withdrawn(alone, event_delivery):
    alone.happen("readDocument", an_ebox())
    service = Service()

    report = event_delivery(service).deliver()

    assert (report.events, report.withdrawals, report.deliveries, service.calls) == (1, 1, 0, [])
    assert [row.reason for row in alone.rows("outbox")] == ["The message is no longer there."]


@pytest.mark.parametrize("kind", ["newDocumentReminder", "documentExpirationAlert"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"read_at": NOON}, "read"),
        ({"expires_at": NOON}, "expired"),
        ({"is_visible": False}, "hidden"),
    ],
    ids=["read", "expired", "hidden"],
)
def test_nobody_is_reminded_of_what_has_become_pointless_meanwhile(
    alone, event_delivery, kind, change, why
):
    ebox, service = an_ebox(), Service()
    message_id = alone.put(ebox)
    alone.happen(kind, ebox, message_id, is_bulk=True)
    alone.change(message_id, **change)

    report = event_delivery(service).deliver()

    assert (report.withdrawals, report.deliveries, service.calls) == (1, 0, [])
    (row,) = alone.rows("outbox")
    assert (row.state, row.settled_at) == ("withdrawn", NOON)
    assert why in row.reason


@pytest.mark.parametrize("kind", ["newDocument", "readDocument"])
def test_what_happened_is_told_whatever_became_of_the_message(alone, event_delivery, kind):
    ebox, service = an_ebox(), Service()
    message_id = alone.put(ebox, read_at=NOON, expires_at=NOON - MINUTE, is_visible=False)
    alone.happen(kind, ebox, message_id)

    assert event_delivery(service).deliver().deliveries == 1


def test_the_rest_of_a_batch_is_told_when_some_of_it_is_withdrawn(alone, event_delivery, happened):
    events, service = happened(2), Service()
    alone.happen("newDocument", an_ebox(EboxKind.CITIZEN))

    report = event_delivery(service).deliver()

    assert [ids(call) for call in service.calls] == [ids(events)]
    assert (report.events, report.deliveries, report.withdrawals) == (3, 2, 1)


def test_what_happened_to_a_message_is_told_in_order_over_several_rounds(alone, event_delivery):
    ebox, service = an_ebox(), Service()
    message_id = alone.put(ebox)
    for kind in ("readDocument", "newDocumentReminder", "newDocument"):
        alone.happen(kind, ebox, message_id)

    while event_delivery(service).deliver().events:
        pass

    told = [one.type for call in service.calls for one in call]
    assert told == ["newDocument", "newDocumentReminder", "readDocument"]


def test_who_is_stopped_before_the_first_call_gives_everything_back(
    alone, event_delivery, happened
):
    happened(3)
    service = Service()

    report = event_delivery(service).deliver(lambda: True)

    assert (report.events, report.deliveries, report.trouble, service.calls) == (3, 0, None, [])
    assert {(row.state, row.claimed_until) for row in alone.rows("outbox")} == {("waiting", None)}


def test_who_is_stopped_between_two_calls_gives_the_rest_back(alone, event_delivery, happened):
    events = happened(8)
    service = Service(in_turn(REFUSED, ACCEPTED))

    report = event_delivery(service).deliver(lambda: len(service.calls) >= 2)

    assert service.sizes == [8, 4]
    assert (report.deliveries, report.refusals, report.trouble) == (4, 0, None)
    states = {row.correlation_id: (row.state, row.claimed_until) for row in alone.rows("outbox")}
    assert [states[one] for one in ids(events)] == [("told", None)] * 4 + [("waiting", None)] * 4


def test_who_is_stopped_while_nothing_of_a_batch_is_accepted_stops_all_the_same(
    alone, event_delivery, happened
):
    happened(8)
    service = Service(lambda told: REFUSED)

    report = event_delivery(service).deliver(lambda: len(service.calls) >= 2)

    assert service.sizes == [8, 4]
    assert (report.deliveries, report.refusals) == (0, 0)
    assert {row.state for row in alone.rows("outbox")} == {"waiting"}


def test_a_batch_that_is_refused_slowly_is_given_back_before_the_lease_runs_out(
    alone, event_delivery, happened
):
    events, seconds = happened(8), count(0, 15)
    service = Service(refusing(events[1]))

    first = event_delivery(service, clock=lambda: next(seconds)).deliver()

    # 8, 4, 2, 1: something is settled always, or the next worker would begin as this one did.
    assert (service.sizes, first.deliveries, first.refusals) == ([8, 4, 2, 1], 1, 0)
    assert {row.claimed_until for row in alone.rows("outbox")} == {None}
    rounds = 1
    while event_delivery(service, clock=lambda: next(seconds)).deliver().events:
        rounds += 1
    assert rounds < 8
    assert sorted(row.state for row in alone.rows("outbox")) == ["dead"] + ["told"] * 7


def test_who_is_killed_after_telling_makes_it_be_told_again_as_the_same(
    alone, event_delivery, happened
):
    events, service = happened(3), Service()

    class Killed(BaseException):
        """What no code of ours catches."""

    def die(announcements):
        raise Killed

    victim = event_delivery(Service(die), lease=timedelta(seconds=0.3))
    with pytest.raises(Killed):
        victim.deliver()
    assert event_delivery(service).deliver().events == 0
    with alone.owner.connect() as connection:
        connection.execute(text("SELECT pg_sleep(0.35)"))
    report = event_delivery(service).deliver()

    assert (report.deliveries, report.refusals) == (3, 0)
    assert [ids(call) for call in [*victim.service.calls, *service.calls]] == [ids(events)] * 2
    assert {row.attempts for row in alone.rows("outbox")} == {2}


def test_a_worker_that_was_too_slow_does_not_undo_what_another_did(alone, event_delivery, happened):
    """It hears of a refusal when its lease is over and another has been believed."""
    happened(1)
    other = Service()

    def be_slow(announcements):
        event_delivery(other).deliver()
        return REFUSED

    event_delivery(Service(be_slow), lease=timedelta()).deliver()

    assert other.sizes == [1]
    assert [row.state for row in alone.rows("outbox")] == ["told"]


def test_several_workers_tell_everything_once(alone, event_delivery, happened):
    events, service = happened(120), Service()

    def work():
        while event_delivery(service, batch=10).deliver().events:
            pass

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work) for _ in range(3)]:
            done.result(timeout=60)
    work()  # for what was locked by somebody else when the last of them looked

    assert sorted(one for call in service.calls for one in ids(call)) == sorted(ids(events))
    assert {row.state for row in alone.rows("outbox")} == {"told"}


def test_a_dead_newdocument_lets_the_rest_of_its_message_be_told(alone, event_delivery):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    bad = alone.happen("newDocument", ebox, message_id)
    alone.happen("readDocument", ebox, message_id)
    service = Service(refusing(bad))

    while event_delivery(service).deliver().events:
        pass

    assert sorted(alone.states()) == [("newDocument", "dead"), ("readDocument", "told")]


def test_a_claim_that_was_never_told_costs_no_event(alone, event_delivery, happened):
    events = happened(2)
    with alone.worker() as connection:
        delivery.claim(connection, now=NOON, limit=10, lease=timedelta())
    service = Service()

    event_delivery(service).deliver()

    assert [ids(call) for call in service.calls] == [ids(events)]
