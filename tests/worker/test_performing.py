"""A duty done over and over: whose turn it is, how it fails, and how long it rests."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.services.publication.uploads import Uploads
from registry.worker.jobs import JOBS, Job, JobContext, Step
from registry.worker.runner import JobRunner
from registry.worker.threads import JobThreads
from tests.factories import PDF, an_ebox
from tests.log_lines import told

pytestmark = pytest.mark.process

HOUR = timedelta(hours=1)
SSIN = "85.04.12-997.68"


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def perform(worker_services, stop):
    """A performer of a duty with this work."""

    def make(work, name="testing", every=HOUR, **more):
        means = JobContext(worker_services, stop.is_set)
        return JobRunner(Job(name, every, work, **more), means, stop)

    return make


@contextmanager
def running(stop, *performers, seconds):
    """Let them run for a while, and then stop."""
    threads = [threading.Thread(target=performer.run) for performer in performers]
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    yield
    stop.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def figure(name, duty="testing"):
    return REGISTRY.get_sample_value(name, {"duty": duty})


def test_of_two_workers_one_takes_the_turn(perform, stop):
    turns = []

    def work(_):
        turns.append(1)
        yield Step()

    with running(stop, *(perform(work, every=HOUR) for _ in range(2)), seconds=0.5):
        pass

    assert turns == [1]


def test_what_is_not_shared_is_done_by_each(perform, stop):
    turns = []

    def work(_):
        turns.append(1)
        yield Step()

    with running(stop, *(perform(work, is_shared=False) for _ in range(2)), seconds=0.5):
        pass

    assert turns == [1, 1]


@pytest.mark.parametrize("error", [Unavailable("Gone."), UpstreamInvalid(), KeyError("odd")])
def test_a_failing_duty_does_not_spin_and_its_heartbeat_stops(perform, stop, error):
    attempts, before = [], figure("registry_worker_failures_total") or 0

    def work(_):
        attempts.append(1)
        raise error
        yield

    # Logs as in service: structlog's own console draws a traceback with all locals, for seconds.
    with told(), running(stop, perform(work), seconds=0.3):
        began = figure("registry_worker_heartbeat_seconds")
        time.sleep(2.7)

    assert 2 <= len(attempts) <= 4
    assert figure("registry_worker_failures_total") - before == len(attempts)
    assert figure("registry_worker_heartbeat_seconds") == began


def test_a_turn_that_failed_is_owed(perform, stop):
    turns = []

    def work(_):
        turns.append(1)
        if len(turns) == 1:
            raise Unavailable
        yield Step()

    with running(stop, perform(work), seconds=3):
        pass

    assert turns == [1, 1]


def test_a_failure_is_one_line_and_a_surprise_has_a_masked_traceback(perform):
    def away(_):
        raise Unavailable("Nobody answers.")
        yield

    def surprising(_):
        raise KeyError(SSIN)
        yield

    with told() as lines:
        perform(away).attempt()
        perform(surprising).attempt()

    failure, surprise = lines
    assert (failure["duty"], failure["reason"]) == ("testing", "Nobody answers.")
    assert "exception" not in failure
    assert "surprising" in surprise["exception"]
    assert SSIN not in surprise["exception"]


def test_a_turn_that_did_something_is_one_line(perform):
    something = perform(lambda _: iter([Step({"told": 2}), Step({"told": 1, "dead": 1})]))
    nothing = perform(lambda _: iter([Step(), Step({"told": 0})]))

    with told() as lines:
        something.attempt()
        nothing.attempt()

    (line,) = lines
    assert (line["event"], line["told"], line["dead"]) == ("done", 3, 1)


def test_what_was_done_before_a_failure_is_told(perform):
    def work(_):
        yield Step({"purged": 200})
        raise Unavailable

    with told() as lines:
        perform(work).attempt()

    assert [line["event"] for line in lines] == ["done", "failed"]


def test_trouble_is_left_alone_for_as_long_as_it_asks(perform):
    performer = perform(lambda _: iter([Step({}, "busy", 40.0)]))

    pauses = [performer.attempt() for _ in range(3)]

    assert all(40 <= pause <= 41 for pause in pauses)


def test_trouble_is_left_alone_longer_and_longer_until_it_ends(perform):
    troubles = [Step({}, "away")] * 12
    performer = perform(lambda _: iter([troubles.pop() if troubles else Step()]))

    pauses = [performer.attempt() for _ in range(12)]

    assert pauses[0] <= 2
    assert all(1 <= pause <= 20 for pause in pauses)  # well again, all goes on in half a minute
    assert max(pauses) > 5
    assert performer.attempt() is None
    troubles.append(Step({}, "away"))
    assert performer.attempt() <= 2


def test_a_batch_is_rested_from(perform):
    def work(_):
        for _ in range(2):
            time.sleep(0.05)
            yield Step(ease=3.0)

    began = time.monotonic()
    perform(work).attempt()

    assert time.monotonic() - began >= 2 * (0.05 + 0.15)


def test_a_wish_to_stop_is_heard_between_two_batches(perform, stop):
    batches = []

    def work(_):
        while True:
            batches.append(1)
            stop.set()
            yield Step(ease=1000.0)

    began = time.monotonic()
    perform(work).attempt()

    assert batches == [1]
    assert time.monotonic() - began < 5


def test_the_purge_leaves_six_sevenths_of_the_time_to_others(worker_services, alone):
    purge = next(duty for duty in JOBS if duty.name == "purge")
    alone.put(an_ebox(), expires_at=worker_services.purge.now() - timedelta(days=1))

    steps = list(purge.work(JobContext(worker_services, lambda: False)))

    assert [(step.counts, step.ease) for step in steps] == [({"purged": 1}, 6.0)]


def test_who_forgets_events_counts_them_and_leaves_most_of_the_time_to_others(
    worker_services, alone, perform
):
    forget = next(duty for duty in JOBS if duty.name == "forget")
    before = REGISTRY.get_sample_value("registry_events_forgotten_total")
    alone.happen("newDocument", an_ebox())
    with alone.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outbox SET state = 'told', settled_at = now() - interval '15 days'"
        )

    steps = list(forget.work(JobContext(worker_services, lambda: False)))

    assert [(step.counts, step.ease) for step in steps] == [({"forgotten": 1}, 6.0)]
    assert alone.rows("outbox") == []

    perform(lambda _: iter([Step(steps[0].counts)])).attempt()

    assert REGISTRY.get_sample_value("registry_events_forgotten_total") == before + 1


def test_the_sweep_deletes_what_nobody_claimed_for_a_day(worker_services, alone):
    blobs = worker_services.sweep.blobs
    upload = Uploads(alone.application, blobs, None).begin(an_ebox())
    upload.stage("part", "letter.pdf", "application/pdf", [PDF])
    sweep = next(duty for duty in JOBS if duty.name == "sweep")

    def run():
        steps = sweep.work(JobContext(worker_services, lambda: False))
        return [step.counts for step in steps]

    today = run()
    with alone.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE upload_notes SET noted_at = now() - interval '25 hours', written_in ="
            " regexp_replace(written_in, '[0-9]+$', pg_current_xact_id()::xid::text)"
        )
    tomorrow = run()

    assert (today, tomorrow) == ([], [{"swept": 1}])
    later = datetime.now(UTC) + timedelta(days=1)
    assert list(blobs.keys("documents/", later)) == []


# The threads


def test_a_thread_that_breaks_ends_the_others():
    def broken():
        raise SystemExit(SSIN)

    with told() as lines, JobThreads() as crew:
        is_well = crew.run(broken, crew.stop.wait)

    assert not is_well
    assert crew.stop.is_set()
    (line,) = lines
    assert line["event"] == "a thread has ended"
    assert SSIN not in line["exception"]


def test_a_task_that_ends_by_itself_ends_well():
    with JobThreads() as crew:
        assert crew.run(lambda: None)

    assert not crew.stop.is_set()
