"""A worker whose clock is wrong says so and does nothing by it; leases go by the database's."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from registry.domain.errors import Unavailable
from registry.services.clock_check import ClockCheck
from registry.store.events import delivery
from registry.store.retention import document_erasures
from registry.wiring.worker import assemble_worker
from registry.worker.jobs import JOBS, Job, JobContext, Step
from registry.worker.runner import JobRunner
from registry.worker.threads import JobThreads
from registry.worker.worker import Worker
from tests.factories import a_file, an_ebox
from tests.log_lines import told
from tests.statements import record_statements

pytestmark = pytest.mark.process

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
BY_THE_CLOCK = {
    "remind",
    "alert",
    "route",
    "broadcast",
    "deliver",
    "purge",
    "forget",
    "sweep",
    "seal",
    "file",
    "months",
}


class MachineClock:
    """The clock of a machine, which somebody sets."""

    def __init__(self, shift=timedelta()):
        self.shift = shift

    def __call__(self):
        return datetime.now(UTC) + self.shift


@pytest.fixture
def work(alone):
    """The services of a worker whose machine has this clock: `work(clock)`."""
    made = []

    def assemble(clock):
        made.append(assemble_worker(alone.settings, clock))
        return made[-1]

    yield assemble
    for services in made:
        services.dispose()


@pytest.fixture
def outstanding(alone):
    """Something for each of the jobs that a clock which is ahead would do too early."""
    now = datetime.now(UTC)
    alone.put(an_ebox(), a_file(), received_at=now - MONTH, expires_at=now + DAY / 2)
    unread = alone.put(
        an_ebox(), received_at=now - timedelta(days=14.5), expires_at=now + 3 * MONTH
    )
    alone.happen("newDocument", an_ebox(), unread, due_at=now)
    return lambda: (
        len(alone.rows("messages")),
        [(row.state, row.claimed_until, row.attempts) for row in alone.rows("outbox")],
        alone.rows("turns"),
    )


@pytest.mark.parametrize("shift", [DAY, -DAY, timedelta(seconds=8)], ids=str)
def test_a_worker_with_a_wrong_clock_says_so_and_claims_nothing(work, outstanding, shift):
    before = outstanding()
    services = work(MachineClock(shift))

    with told() as lines, JobThreads() as threads:
        is_well = Worker(services, JOBS, threads).work_once()

    assert not is_well
    assert outstanding() == before == (2, [("waiting", None, 0)], [])
    reasons = {line["duty"]: line["reason"] for line in lines if line["event"] == "failed"}
    assert set(reasons) == BY_THE_CLOCK
    seconds, direction = (
        abs(round(shift.total_seconds())),
        "ahead of" if shift > -shift else "behind",
    )
    for reason in reasons.values():
        assert reason.startswith(
            f"The clock of this machine is {seconds} seconds {direction} the database's: nothing is"
        )
    figure = REGISTRY.get_sample_value("registry_worker_clock_ahead_seconds")
    assert figure == pytest.approx(shift.total_seconds(), abs=2)


def test_a_clock_that_differs_by_a_little_is_worked_by(work):
    check = work(MachineClock(timedelta(seconds=2))).clock_check

    check.require()

    assert check.measure() == pytest.approx(2, abs=1)


def test_a_worker_claims_again_when_its_clock_is_set_right(work):
    clock = MachineClock(DAY)
    check = work(clock).clock_check
    with pytest.raises(Unavailable):
        check.require()

    clock.shift = timedelta()

    check.require()


def test_a_clock_that_is_set_in_the_middle_of_a_run_ends_the_run(work):
    clock, steps = MachineClock(), []

    def count(_):
        for number in range(3):
            steps.append(number)
            clock.shift += DAY / 2
            yield Step()

    context = JobContext(work(clock), lambda: False)
    job = JobRunner(Job("testing", DAY, count), context, threading.Event())

    assert job.attempt() is not None
    assert steps == [0]


def test_a_right_clock_costs_one_question_a_minute(alone):
    passed = 0.0
    check = ClockCheck(alone.worker, lambda: start + timedelta(seconds=passed), lambda: passed)
    start = datetime.now(UTC)
    check.require()

    with record_statements(alone.worker.engine) as statements:
        for second in range(59):
            passed = float(second)
            check.require()
        assert statements == []
        passed = 61.0
        start -= timedelta(seconds=61)  # the database's clock did not go on meanwhile
        check.require()

    assert len(statements) == 1


def test_what_a_worker_ahead_of_time_claimed_is_free_when_the_database_says_so(alone):
    tomorrow = datetime.now(UTC) + DAY
    event = alone.happen("newDocument", an_ebox(), due_at=datetime.now(UTC))
    with alone.worker() as connection:
        document_erasures.plan_erasures(connection, ["a-document"])
        lease = timedelta(seconds=60)
        assert delivery.claim(connection, now=tomorrow, limit=10, lease=lease)
        assert document_erasures.claim_erasures(connection, limit=10, lease=lease)

    with alone.worker() as connection:
        in_a_minute = connection.execute(text("SELECT clock_timestamp()")).scalar_one() + lease

    (claimed,) = alone.rows("outbox", correlation_id=event.correlation_id)
    (planned,) = alone.rows("doomed_documents")
    assert claimed.claimed_until <= in_a_minute
    assert planned.due_at <= in_a_minute


def test_an_operator_whose_clock_is_ahead_replays_events_now(alone, work):
    event = alone.happen("newDocument", an_ebox(), due_at=datetime.now(UTC))
    administration = work(MachineClock(DAY)).event_administration
    administration.skip([event.correlation_id], "not wanted")

    administration.replay([event.correlation_id])

    (waiting,) = alone.rows("outbox", correlation_id=event.correlation_id)
    assert waiting.state == "waiting"
    assert waiting.due_at <= datetime.now(UTC) + timedelta(seconds=5)
