"""Job leases: of all workers one does a job, once in a period."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from registry.services.job_leases import JobLease

HOUR = timedelta(hours=1)


@pytest.fixture
def lease(alone):
    return JobLease(alone.worker)


@pytest.fixture
def shift_leases(alone):
    """Shift when all leases were taken, as if the clock had gone on or back."""

    def shift(by):
        with alone.owner.begin() as connection:
            connection.execute(text("UPDATE turns SET taken_at = taken_at - :by"), {"by": by})

    return shift


def test_a_job_is_done_once_in_a_period(lease, shift_leases):
    taken = [lease.take("purge", HOUR), lease.take("purge", HOUR)]
    shift_leases(HOUR - timedelta(minutes=1))
    taken.append(lease.take("purge", HOUR))
    shift_leases(timedelta(minutes=1))
    taken += [lease.take("purge", HOUR), lease.take("purge", HOUR)]

    assert taken == [True, False, False, True, False]


def test_jobs_have_leases_of_their_own(lease):
    assert lease.take("purge", HOUR)
    assert lease.take("remind", HOUR)


def test_a_period_may_be_shorter_for_who_asks_later(lease, shift_leases):
    lease.take("purge", HOUR)
    shift_leases(timedelta(minutes=10))

    assert lease.take("purge", timedelta(minutes=10))


def test_a_lease_that_was_taken_in_the_future_holds_nobody_up(lease, shift_leases):
    lease.take("purge", HOUR)
    shift_leases(-timedelta(days=365))

    assert [lease.take("purge", HOUR), lease.take("purge", HOUR)] == [True, False]


@pytest.mark.parametrize("is_first", [True, False])
def test_of_many_workers_at_once_one_has_the_lease(lease, shift_leases, is_first):
    if not is_first:
        lease.take("purge", HOUR)
        shift_leases(HOUR)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: lease.take("purge", HOUR), range(12)))

    assert taken.count(True) == 1


def test_a_worker_that_dies_while_it_takes_a_lease_leaves_it(alone, lease):
    with suppress(ZeroDivisionError), alone.worker() as connection:
        connection.execute(text("INSERT INTO turns VALUES ('purge', clock_timestamp())"))
        _ = 1 / 0

    assert lease.take("purge", HOUR)
