"""Whose turn it is: of all workers one does a duty, once in a period."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from registry.services.job_leases import JobLease

HOUR = timedelta(hours=1)


@pytest.fixture
def turns(alone):
    return JobLease(alone.worker)


@pytest.fixture
def moved(alone):
    """Shift when all turns were taken, as if the clock had gone on or back."""

    def shift(by):
        with alone.owner.begin() as connection:
            connection.execute(text("UPDATE turns SET taken_at = taken_at - :by"), {"by": by})

    return shift


def test_a_duty_is_done_once_in_a_period(turns, moved):
    taken = [turns.take("purge", HOUR), turns.take("purge", HOUR)]
    moved(HOUR - timedelta(minutes=1))
    taken.append(turns.take("purge", HOUR))
    moved(timedelta(minutes=1))
    taken += [turns.take("purge", HOUR), turns.take("purge", HOUR)]

    assert taken == [True, False, False, True, False]


def test_duties_have_turns_of_their_own(turns):
    assert turns.take("purge", HOUR)
    assert turns.take("remind", HOUR)


def test_a_period_may_be_shorter_for_who_asks_later(turns, moved):
    turns.take("purge", HOUR)
    moved(timedelta(minutes=10))

    assert turns.take("purge", timedelta(minutes=10))


def test_a_turn_that_was_taken_in_the_future_holds_nobody_up(turns, moved):
    turns.take("purge", HOUR)
    moved(-timedelta(days=365))

    assert [turns.take("purge", HOUR), turns.take("purge", HOUR)] == [True, False]


@pytest.mark.parametrize("is_first", [True, False])
def test_of_many_workers_at_once_one_has_the_turn(turns, moved, is_first):
    if not is_first:
        turns.take("purge", HOUR)
        moved(HOUR)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: turns.take("purge", HOUR), range(12)))

    assert taken.count(True) == 1


def test_a_worker_that_dies_while_it_takes_a_turn_leaves_it(alone, turns):
    with suppress(ZeroDivisionError), alone.worker() as connection:
        connection.execute(text("INSERT INTO turns VALUES ('purge', clock_timestamp())"))
        _ = 1 / 0

    assert turns.take("purge", HOUR)
