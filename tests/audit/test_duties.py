"""What the worker does about the trail, and what it shows."""

import dataclasses

import pytest
from prometheus_client import REGISTRY

from registry.domain.errors import Unavailable
from registry.telemetry import worker as telemetry
from registry.wiring.worker import assemble_worker
from registry.worker.jobs import JOBS, JobContext


@pytest.fixture
def perform(alone, sealer):
    """Does one turn of a duty; gives what its steps count."""
    assembled = assemble_worker(alone.settings)
    worker_services = dataclasses.replace(assembled, sealer=sealer)

    def turn(name):
        duty = next(duty for duty in JOBS if duty.name == name)
        return [dict(step.counts) for step in duty.work(JobContext(worker_services, lambda: False))]

    yield turn
    assembled.dispose()


def figure(name):
    return REGISTRY.get_sample_value(name)


def test_a_turn_seals_until_nothing_is_left(perform, written, sealer):
    for _ in range(3):
        written.write(2)
    small = dataclasses.replace(sealer, most=4)
    small.seal()

    assert perform("seal") == [{"seals": 1, "sealed": 2}]
    assert perform("seal") == []
    assert written.findings() == []


def test_a_turn_makes_months_and_lets_go_of_old_ones(perform):
    assert perform("months") == [{"prepared": 0}, {"dropped": 0}]


def test_the_age_of_what_waits_is_shown(perform, written, clock):
    written.write()
    clock.go_on(seconds=100)
    perform("measure")
    waiting = figure("registry_audit_unsealed_seconds")
    perform("seal")
    perform("measure")

    assert 100 <= waiting < 130
    assert figure("registry_audit_unsealed_seconds") == 0


def test_seals_and_entries_are_counted(perform, written):
    names = ("registry_audit_seals_total", "registry_audit_entries_sealed_total")
    before = [figure(name) for name in names]
    written.write(3)

    for counts in perform("seal"):
        telemetry.count_results(counts)

    after = [figure(name) for name in names]
    assert [now - then for then, now in zip(before, after, strict=True)] == [1, 3]


def test_the_worker_does_not_start_without_a_bucket_that_keeps_seals(alone):
    changed = alone.settings.model_copy(update={"audit_bucket": alone.settings.s3_bucket})
    worker_services = assemble_worker(changed)

    with pytest.raises(Unavailable, match=f"{alone.settings.s3_bucket} has no Object Lock") as told:
        worker_services.readiness.check()

    worker_services.dispose()
    assert told.value.__cause__ is None
