"""Workers that run on: they stop in time, share the work, and can be watched."""

import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.worker.jobs import JOBS
from tests.certificates import make_pem
from tests.factories import an_ebox
from tests.worker.conftest import wait

pytestmark = pytest.mark.process


def announce(alone, count=1):
    """Messages that were just published."""
    for _ in range(count):
        ebox, now = an_ebox(), datetime.now(UTC)
        message = alone.put(ebox, received_at=now, expires_at=now + timedelta(days=90))
        alone.happen("newDocument", ebox, message)


def all_told(alone):
    return lambda: {state for _, state in alone.states()} <= {"told"}


def test_what_happens_is_told_at_once(start, alone, stand_in):
    start().says('"event":"started"')

    announce(alone)

    wait(all_told(alone), "the event is not told", 10)
    assert len(stand_in.received()) == 1


def test_an_idle_worker_stops_at_once(start, alone):
    worker = start().says('"event":"started"')

    code, seconds = worker.end()

    assert code == 0, worker.log
    assert seconds < 10
    assert '"event":"stopped"' in worker.log


def test_a_hang_up_ends_nothing(start, alone):
    worker = start().says('"event":"started"')

    worker.hang_up()

    worker.says('"event":"stays"')
    announce(alone)
    wait(all_told(alone), "the event is not told", 10)
    assert worker.end()[0] == 0, worker.log


def test_a_call_under_way_holds_up_the_end_for_a_while_and_loses_nothing(start, alone, stand_in):
    announce(alone)
    stand_in.fault(events="slow", seconds=30)
    worker = start(REGISTRY_EVENTS_TIMEOUT="3").says('"event":"started"')
    wait(stand_in.calls, "the event service is not called")

    code, seconds = worker.end(signals=3)

    assert code == 0, worker.log
    assert seconds < 10
    assert alone.states() == [("newDocument", "waiting")]
    stand_in.fault()
    start().says('"event":"started"')
    wait(all_told(alone), "the event is not told later", 70)
    assert len(stand_in.received()) == 1


def test_a_worker_that_waits_for_its_database_stops_at_once(start):
    url = f"postgresql://worker@{LOOPBACK}:{free_port()}/registry"
    worker = start(REGISTRY_DATABASE_WORKER_URL=url).says('"event":"waiting"')

    code, seconds = worker.end()

    assert code == 0, worker.log
    assert seconds < 10


def test_two_workers_share_an_outbox_and_tell_each_event_once(start, alone, stand_in):
    announce(alone, 300)
    options = {"REGISTRY_EVENTS_BATCH": "10"}

    workers = [start("--only", "deliver", **options) for _ in range(2)]
    wait(all_told(alone), "not all is told")

    assert {worker.end()[0] for worker in workers} == {0}
    assert len(set(stand_in.received())) == len(stand_in.received()) == 300
    assert {row.attempts for row in alone.rows("outbox")} == {1}
    assert all('"told":' in worker.log for worker in workers), "one has done it all"


def test_a_duty_by_the_clock_is_done_by_one_of_two(start, alone, worker_services):
    alone.put(an_ebox(), expires_at=datetime.now(UTC) - timedelta(days=1))

    workers = [start("--only", "purge") for _ in range(2)]
    for worker in workers:
        worker.says('"event":"started"')
    wait(lambda: any('"purged":1' in worker.log for worker in workers), "nothing is purged")

    assert sum('"purged":1' in worker.log for worker in workers) == 1
    assert [turn.duty for turn in alone.rows("turns")] == ["purge"]


# The metrics


@pytest.fixture
def scrape():
    """Asks for the figures on a port: values by name and labels."""

    def ask(port):
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }

    return ask


def test_metrics_are_served(start, alone, stand_in, scrape):
    announce(alone, 3)
    port = free_port()

    start(METRICS_PORT=str(port)).says('"told":3')

    wait(lambda: ("registry_outbox_waiting",) in scrape(port), "the outbox is not measured")
    figures = scrape(port)
    assert figures["registry_events_total", "told"] == 3
    assert figures["registry_outbox_dead",] == 0
    for duty in (duty.name for duty in JOBS):
        assert time.time() - figures["registry_worker_heartbeat_seconds", duty] < 20
        assert figures["registry_worker_failures_total", duty] == 0


def test_a_backlog_of_the_purge_is_seen_and_so_are_the_ends_of_certificates(
    start, alone, tmp_path, scrape
):
    port, expiry = free_port(), datetime.now(UTC) - timedelta(hours=2)
    alone.put(an_ebox(), expires_at=expiry)
    (tmp_path / "own.pem").write_bytes(make_pem())
    options = {"REGISTRY_FEDERATION_CERTIFICATE": str(tmp_path / "own.pem")}

    worker = start("--metrics-port", str(port), "--only", "measure", **options)
    worker.says('"event":"started"')

    wait(lambda: scrape(port).get(("registry_expired_messages",)) == 1, "nothing is counted")
    figures = scrape(port)
    assert figures["registry_expired_oldest_seconds",] == pytest.approx(7200, abs=60)
    end = figures["registry_certificate_expiry_timestamp_seconds", "federation_certificate"]
    assert end > time.time()
    assert [row for row in figures if row[0] == "registry_build_info"]


def test_the_calls_of_a_worker_are_seen(start, alone, stand_in, scrape):
    announce(alone)
    port = free_port()

    start("--metrics-port", str(port), "--only", "deliver").says('"told":1')

    figures = scrape(port)
    # by neighbour, operation and outcome
    assert figures["registry_neighbour_seconds_count", "event service", "tell", "ok"] == 1


def test_the_heartbeat_of_a_duty_in_trouble_stops_and_the_others_go_on(
    start, alone, stand_in, scrape
):
    stand_in.fault(events="error")
    announce(alone)
    port = free_port()
    worker = start("--metrics-port", str(port), "--only", "deliver", "--only", "measure")

    worker.says('"event":"trouble"')
    stopped = scrape(port)["registry_worker_heartbeat_seconds", "deliver"]
    wait(lambda: stand_in.calls() >= 3, "it does not try again")

    figures = scrape(port)
    assert figures["registry_worker_heartbeat_seconds", "deliver"] == stopped
    assert figures["registry_event_service_trouble_total",] >= 2
    assert figures["registry_outbox_waiting",] == 1


def test_a_port_of_somebody_else_is_told(start):
    port = free_port()
    start("--metrics-port", str(port)).says('"event":"started"')

    second = start("--metrics-port", str(port))

    assert second.finish() == 1
    assert second.log == f"Error: No metrics on port {port}: Address already in use.\n"
