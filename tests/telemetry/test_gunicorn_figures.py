"""The figures of a gunicorn as Prometheus is told them."""

import socket
import time
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry import __version__
from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.api.publication import FORM
from tests.api.test_publish_refusals import whole
from tests.conftest import V3
from tests.gunicorn import run_gunicorn

pytestmark = pytest.mark.process


def scrape(port):
    """Values by name and labels."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def await_figure(port, row, is_right):
    deadline = time.monotonic() + 20
    while not is_right((figures := scrape(port)).get(row)):
        assert time.monotonic() < deadline, (row, figures.get(row))
        time.sleep(0.1)
    return figures


def test_threads_are_seen_by_lane_and_what_they_wait_for(publishing_settings, sender, tmp_path):
    metrics = free_port()
    variables = {"METRICS_PORT": str(metrics), "REGISTRY_LANE": "publishing"}
    with run_gunicorn(publishing_settings, tmp_path, **variables) as port:
        figures = scrape(metrics)
        with socket.create_connection((LOOPBACK, port)) as slow:
            slow.sendall(_head(sender.token))
            waiting = ("registry_threads_waiting", "publishing", "body")
            meanwhile = await_figure(metrics, waiting, lambda value: value == 1)

    assert figures["registry_threads", "publishing"] == 4 * publishing_settings.database_pool_size
    assert figures["registry_requests_queued", "publishing"] == 0
    assert [row for row in figures if row[0] == "registry_build_info" and __version__ in row]
    assert figures["registry_process_resident_memory_bytes",] > 10_000_000
    assert figures["registry_process_cpu_seconds_total",] > 0
    assert meanwhile["registry_client_connections", "publishing"] == 1


def test_an_upload_that_breaks_off_is_counted(publishing_settings, sender, tmp_path):
    metrics = free_port()
    with run_gunicorn(publishing_settings, tmp_path, METRICS_PORT=str(metrics)) as port:
        with socket.create_connection((LOOPBACK, port)) as leaving:
            leaving.sendall(_head(sender.token) + whole(sender)[:-200])
            leaving.shutdown(socket.SHUT_WR)
            leaving.recv(1000)

        await_figure(metrics, ("registry_transfers_cut_total", "client", "upload"), bool)


def _head(token):
    """The head of a publication with a long body."""
    return (
        f"POST {V3[EboxKind.ENTERPRISE]}/ebox/messages HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: {FORM}\r\nContent-Length: 5000000\r\n\r\n"
    ).encode()
