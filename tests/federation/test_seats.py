"""Seats for those who wait for one service."""

import threading
import time
from contextlib import ExitStack

import pytest

from registry.domain.errors import Unavailable
from registry.http_client.seats import Seats

PATIENCE = 0.3


@pytest.fixture
def seats():
    return Seats(5, PATIENCE)


@pytest.fixture
def seated():
    """Holds seats until the test is over, or until it is closed."""
    with ExitStack() as guests:
        yield guests


def seat_all(guests, seats, keys, *, is_known=True):
    for key in keys:
        guests.enter_context(seats.take(key, is_known=is_known))


def sent_away_after(seats, key, *, is_known, may_wait=True):
    """Seconds until there was no seat."""
    began = time.monotonic()
    with pytest.raises(Unavailable), seats.take(key, is_known=is_known, may_wait=may_wait):
        pass
    return time.monotonic() - began


def test_who_may_not_wait_for_a_seat_is_sent_away_at_once(seats, seated):
    seat_all(seated, seats, "abcd", is_known=False)

    assert sent_away_after(seats, "e", is_known=False, may_wait=False) < PATIENCE / 2


def test_strangers_leave_a_seat_to_those_who_are_known(seats, seated):
    seat_all(seated, seats, "abcd", is_known=False)

    with seats.take("e", is_known=True):
        assert sent_away_after(seats, "f", is_known=False, may_wait=False) < PATIENCE / 2


def test_one_key_leaves_seats_to_others(seats, seated):
    seat_all(seated, seats, "aaa")
    assert PATIENCE <= sent_away_after(seats, "a", is_known=True) < 2 * PATIENCE + 1

    with seats.take("b", is_known=False), seats.take("c", is_known=True):
        pass


@pytest.mark.parametrize(
    ("keys", "is_known", "may_wait"),
    [
        ("aaa", True, True),
        ("aaa", False, True),
        ("aaa", False, False),
        ("bcde", False, True),
        ("bcdef", True, True),
    ],
)
def test_a_seat_that_is_given_back_is_waited_for(seats, seated, keys, is_known, may_wait):
    seat_all(seated, seats, keys[:4], is_known=is_known)
    seat_all(seated, seats, keys[4:])
    timer = threading.Timer(PATIENCE / 3, seated.close)
    timer.start()

    with seats.take("a", is_known=is_known, may_wait=may_wait):
        timer.join()


def test_seats_that_are_held_for_long_are_not_waited_for(seats, seated):
    seat_all(seated, seats, "abcde")
    time.sleep(PATIENCE)

    assert sent_away_after(seats, "f", is_known=True) < PATIENCE / 2
    assert sent_away_after(seats, "a", is_known=True) < PATIENCE / 2


def test_a_seat_is_given_back_whatever_happened(seats):
    for _ in range(20):
        with pytest.raises(KeyError), seats.take("a", is_known=False):
            raise KeyError


def test_there_is_always_one_seat_at_least():
    with Seats(1).take("a", is_known=False):
        pass
