"""Threads that wait for each other, for a bounded time, and across a fork."""

import multiprocessing
import threading
import time
from contextlib import suppress

import pytest

from registry.domain.errors import Unavailable
from registry.http_client.threads import CallThreads, SingleFlight


@pytest.fixture
def workers():
    workers = CallThreads(2)
    yield workers
    workers.close()


def test_work_that_is_late_is_not_waited_for(workers):
    over = threading.Event()
    began = time.monotonic()

    with pytest.raises(Unavailable):
        workers.run(over.wait, 0.1)

    over.set()
    assert time.monotonic() - began < 2


def test_when_all_threads_are_taken_nobody_waits_longer(workers):
    over = threading.Event()
    for _ in range(2):
        with pytest.raises(Unavailable):
            workers.run(over.wait, 0.01)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        workers.run(lambda: "done", 0.1)

    assert time.monotonic() - began < 2
    over.set()
    assert workers.run(lambda: "done", 5) == "done"


def test_more_work_than_threads_takes_turns(workers, at_once):
    assert at_once(20, lambda n: workers.run(lambda: time.sleep(0.01) or n, 5)) == list(range(20))


def test_what_work_raises_is_raised(workers):
    with pytest.raises(ZeroDivisionError):
        workers.run(lambda: 1 / 0, 5)


def test_no_thread_is_made_before_there_is_work():
    before = threading.active_count()

    CallThreads(2).close()

    assert threading.active_count() == before


def test_when_all_threads_are_taken_the_others_hear_it_long_before_time_is_up(at_once):
    over, workers = threading.Event(), CallThreads(2, patience=0.5)

    def ask(_):
        began = time.monotonic()
        with suppress(Unavailable):
            workers.run(lambda: over.wait(3), 3)
        return time.monotonic() - began

    seconds = sorted(at_once(6, ask))
    over.set()
    workers.close()

    assert max(seconds[:4]) < 2
    assert min(seconds[4:]) > 2


def test_those_who_wait_for_a_flight_stop_waiting_in_time(at_once):
    flights, began, over = SingleFlight(), threading.Event(), threading.Event()

    def ask(number):
        if number == 0:
            return flights.share("key", lambda: began.set() or over.wait(10), timeout=0)
        began.wait(10)
        try:
            return flights.share("key", lambda: "not asked", timeout=0.1)
        finally:
            over.set()

    leader, follower = at_once(2, ask)

    assert leader is True
    assert isinstance(follower, Unavailable)
    assert not flights.is_underway("key")


def test_who_comes_to_an_old_flight_is_told_at_once(at_once):
    flights, began, over = SingleFlight(), threading.Event(), threading.Event()

    def ask(number):
        if number == 0:
            return flights.share("key", lambda: began.set() or over.wait(10), timeout=0)
        began.wait(10)
        time.sleep(0.5)
        arrival = time.monotonic()
        with pytest.raises(Unavailable):
            flights.share("key", lambda: "not asked", timeout=0.5)
        over.set()
        return time.monotonic() - arrival

    assert at_once(2, ask)[1] < 0.4


def test_a_flight_that_crashes_tells_all_aboard(at_once):
    flights = SingleFlight()

    def crash():
        time.sleep(0.2)
        raise ZeroDivisionError

    got = at_once(5, lambda _: flights.share("key", crash, timeout=5))

    assert {type(error) for error in got} == {ZeroDivisionError}
    assert flights.share("key", lambda: "next", timeout=5) == "next"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_asks_with_threads_and_connections_of_its_own(federation, introspection):
    asking = introspection(timeout=5)
    token = federation.knows("the-token")
    asking.caller(token)

    def child():
        raise SystemExit(0 if asking.caller(token, fresh=True).client_id == "some-client" else 1)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(20)

    assert process.exitcode == 0
