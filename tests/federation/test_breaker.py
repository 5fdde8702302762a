"""The circuit breaker."""

import pytest

from registry.domain.errors import Unavailable
from registry.http_client.breaker import Breaker


@pytest.fixture
def breaker(seconds):
    return Breaker(3, 5, seconds)


def fail(breaker, times=1, subject=None):
    for _ in range(times):
        with pytest.raises(KeyError), breaker.guard(subject):
            raise KeyError


def is_open(breaker):
    try:
        with breaker.guard():
            return False
    except Unavailable:
        return True


def test_it_opens_after_so_many_failures_in_a_row(breaker):
    fail(breaker, 3)

    assert is_open(breaker)


def test_a_success_between_failures_starts_the_count_anew(breaker):
    fail(breaker, 2)
    assert not is_open(breaker)
    fail(breaker, 2)

    assert not is_open(breaker)


def test_one_subject_counts_once_however_often_it_fails(breaker):
    fail(breaker, 50, "a")
    fail(breaker, 50, "b")
    assert not is_open(breaker)
    fail(breaker, 50, "a")
    fail(breaker, 50, "b")
    fail(breaker, 1, "c")

    assert is_open(breaker)


def test_an_error_that_is_an_answer_is_no_failure(breaker):
    fail(breaker, 2)
    with pytest.raises(KeyError), breaker.guard(answers=(KeyError,)):
        raise KeyError
    assert not breaker.was_well(60)
    fail(breaker, 2)

    assert not is_open(breaker)
    assert breaker.was_well(60)


def test_after_the_pause_one_call_probes_and_the_others_wait(breaker, seconds):
    fail(breaker, 3)
    seconds.now = 4.9
    assert is_open(breaker)
    seconds.now = 5

    with breaker.guard():
        assert is_open(breaker)
        seconds.now = 60
        assert is_open(breaker)

    assert not is_open(breaker)


def test_a_probe_that_fails_begins_another_pause(breaker, seconds):
    fail(breaker, 3)
    seconds.now = 5
    fail(breaker)

    seconds.now = 9.9
    assert is_open(breaker)
    seconds.now = 10
    assert not is_open(breaker)


def test_calls_that_began_before_it_opened_no_longer_count(breaker, seconds):
    early_success, early_failure = breaker.guard(), breaker.guard()
    early_success.__enter__()
    early_failure.__enter__()
    fail(breaker, 3)
    seconds.now = 5

    with breaker.guard():
        early_success.__exit__(None, None, None)
        early_failure.__exit__(KeyError, KeyError(), None)
        assert is_open(breaker)

    assert not is_open(breaker)
