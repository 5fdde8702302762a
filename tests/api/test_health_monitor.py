"""The monitor behind health: it looks by itself, and whoever reads waits for nobody."""

import math
import threading
import time
from contextlib import contextmanager

import pytest

from registry.domain.errors import StoreUnfit, Unavailable
from registry.domain.health import Health
from registry.services.health_monitor import HealthMonitor
from registry.services.readiness import Check, Readiness

ILL = Unavailable("It is ill.")


@contextmanager
def watching(*checks, longest=20):
    monitor = HealthMonitor(Readiness(checks), longest)
    try:
        yield monitor
    finally:
        monitor.close()


def fail(error):
    def look():
        raise error

    return look


def wait_for(monitor, health, *, within=4):
    deadline = time.monotonic() + within
    while monitor.read() is not health:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("error", "grace", "health"),
    [
        (None, 0, Health.UP),
        (ILL, 0, Health.DOWN),
        (ILL, math.inf, Health.DEGRADED),
        (ILL, 30, Health.DOWN),  # of which it was never well
        (StoreUnfit("It refuses."), math.inf, Health.DOWN),
        (ZeroDivisionError(), 0, Health.DOWN),
    ],
)
def test_health_is_what_the_looks_make_of_it(error, grace, health):
    with watching(Check("some", fail(error) if error else bool, grace)) as monitor:
        assert monitor.read(patience=5) is health


def test_the_worst_counts():
    checks = [Check("well", bool), Check("ill", fail(ILL), math.inf), Check("down", fail(ILL))]

    with watching(*checks[:2]) as monitor:
        assert monitor.read(patience=5) is Health.DEGRADED
    with watching(*checks) as monitor:
        assert monitor.read(patience=5) is Health.DOWN


def test_a_grace_begins_when_it_was_well_last():
    errors = []

    def look():
        if errors:
            raise errors[0]

    with watching(Check("tokens", look, 6)) as monitor:
        assert monitor.read(patience=5) is Health.UP
        errors.append(ILL)
        wait_for(monitor, Health.DEGRADED, within=8)
        wait_for(monitor, Health.DOWN, within=8)
        errors.clear()
        wait_for(monitor, Health.UP)


@pytest.mark.parametrize(("grace", "health"), [(0, Health.DOWN), (math.inf, Health.DEGRADED)])
def test_a_look_that_hangs_is_no_answer_and_keeps_nobody_waiting(grace, health):
    looks, go_on = [], threading.Event()

    def hang():
        looks.append(1)
        go_on.wait(30)

    before = threading.active_count()
    with watching(Check("hangs", hang, grace), Check("well", bool), longest=0.5) as monitor:
        assert monitor.read() is Health.DOWN  # nothing is known yet
        began = time.monotonic()
        states = [monitor.read() for _ in range(1000)]
        assert time.monotonic() - began < 0.5
        wait_for(monitor, health)
        assert (len(looks), threading.active_count() - before) == (1, 2)
        assert set(states) == {Health.DOWN}
        go_on.set()
        wait_for(monitor, Health.UP)

    assert threading.active_count() == before
