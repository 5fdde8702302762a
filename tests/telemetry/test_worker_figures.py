"""Figures of several processes, added up by the one that started them."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from registry.telemetry.output import LossCollector
from registry.telemetry.snapshot import Snapshot
from registry.telemetry.worker_figures import WorkerFigures

# gunicorn forks beside threads too: those of the log and of the figures.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

SHARES = Counter("registry_tests_shares", "What the workers of these tests count", ["of"])
TIMES = Histogram("registry_tests_seconds", "What they measure", buckets=(1, 2))
ALIVE = Gauge("registry_tests_alive", "What is true of each while it lives")


def values(figures):
    """What Prometheus would be told of what these tests count."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in figures.collect()
        for sample in metric.samples
        if sample.name.startswith("registry_tests")
    }


@pytest.fixture
def figures():
    return WorkerFigures()


@pytest.fixture
def start(figures):
    """A worker that has counted this much and waits: `start(age, shares)`; gives its pid."""
    pids = []

    def fork(age, shares):
        figures.expect(age)
        # Blocked, the signal waits for `sigwait`; `pause` would sleep on when it comes just before.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        if pid := os.fork():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            pids.append(pid)
            return pid
        try:
            figures.begin(age)
            SHARES.labels("cake").inc(shares)
            TIMES.observe(shares)
            ALIVE.set(1)
            signal.sigwait({signal.SIGTERM})
            figures.end()
        finally:
            os._exit(0)

    yield fork
    for age in range(1, 6):
        figures.forget(age)
    for pid in pids:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def end(pid, number=signal.SIGTERM):
    os.kill(pid, number)
    os.waitpid(pid, 0)


def until(figures, **expected):
    """Wait until the cake has been cut into so many shares."""
    deadline = time.monotonic() + 20
    while values(figures).get(("registry_tests_shares_total", "cake")) != expected["shares"]:
        assert time.monotonic() < deadline, values(figures)
        time.sleep(0.02)


def test_what_workers_count_is_added_up(figures, start):
    start(1, 1)
    start(2, 1.5)

    until(figures, shares=2.5)

    assert values(figures) == {
        ("registry_tests_shares_total", "cake"): 2.5,
        ("registry_tests_seconds_bucket", "1.0"): 1,
        ("registry_tests_seconds_bucket", "2.0"): 2,
        ("registry_tests_seconds_bucket", "+Inf"): 2,
        ("registry_tests_seconds_count",): 2,
        ("registry_tests_seconds_sum",): 2.5,
        ("registry_tests_alive",): 2,
    }


def test_what_a_worker_counted_outlives_it_and_what_was_true_of_it_does_not(figures, start):
    first = start(1, 1)
    start(2, 1)
    until(figures, shares=2)

    end(first)
    figures.forget(1)

    assert values(figures)["registry_tests_shares_total", "cake"] == 2
    assert values(figures)["registry_tests_alive",] == 1


def test_a_worker_that_ends_tells_what_nobody_asked_it(figures, start):
    worker = start(1, 3)

    end(worker)
    figures.forget(1)

    assert values(figures)["registry_tests_shares_total", "cake"] == 3


def test_of_a_worker_that_is_killed_what_it_last_told_is_kept(figures, start):
    worker = start(1, 3)
    until(figures, shares=3)

    end(worker, signal.SIGKILL)
    figures.forget(1)

    assert values(figures)["registry_tests_shares_total", "cake"] == 3


def test_a_worker_that_hangs_holds_up_nobody_and_is_asked_again(figures, start):
    hanging = start(1, 1)
    start(2, 1)
    until(figures, shares=2)
    os.kill(hanging, signal.SIGSTOP)

    began = time.monotonic()
    for _ in range(3):
        assert values(figures)["registry_tests_shares_total", "cake"] == 2

    assert time.monotonic() - began < 10
    os.kill(hanging, signal.SIGCONT)
    until(figures, shares=2)


def test_no_file_is_left_open_by_workers_that_come_and_go(figures, start):
    before = len(list(Path("/proc/self/fd").iterdir()))

    for age in range(1, 6):
        worker = start(age, 1)
        until(figures, shares=age)
        end(worker)
        figures.forget(age)

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_figures_are_the_same_after_they_were_handed_over():
    SHARES.labels('of "all" é').inc(0.25)
    snapshot = Snapshot.take()

    assert Snapshot.read(snapshot.write()) == snapshot


def test_lines_that_were_lost_are_among_the_figures(figures):
    (metric,) = LossCollector().collect()

    names = {sample.name for metric in figures.collect() for sample in metric.samples}

    assert metric.samples[0].name in names
