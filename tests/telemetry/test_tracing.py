"""Traces by OpenTelemetry: what a collector gets, and that an absent one stops nobody."""

import gzip
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import REGISTRY

from registry.sandbox.servers.processes import LOOPBACK
from registry.telemetry import watch
from registry.telemetry.tracing import CallTracer
from tests.factories import a_file

pytestmark = pytest.mark.process  # waits by the clock

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}


@pytest.fixture(autouse=True)
def no_tracer_of_another_test():
    """Calls are traced by process; an application that is gone must not go on."""
    yield
    for observer in [one for one in watch._observers if isinstance(one, CallTracer)]:
        watch.detach(observer)


@contextmanager
def a_collector():
    """Gives its URL, and the spans that it took."""
    spans = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            told = ExportTraceServiceRequest.FromString(body)
            spans.extend(
                span
                for resource in told.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{LOOPBACK}:{server.server_port}/v1/traces", spans
    server.shutdown()
    server.server_close()


def await_span(spans, name):
    """Wait for a span of this name; those that ended before it come before it."""
    deadline = time.monotonic() + 20
    while name not in [span.name for span in spans]:
        assert time.monotonic() < deadline, [span.name for span in spans]
        time.sleep(0.05)


def test_a_collector_gets_request_transaction_and_calls_in_one_trace(
    app_with, elsewhere, consumer, deliver
):
    message_id = deliver(consumer.ebox, a_file())
    with a_collector() as (url, spans):
        reader = elsewhere(consumer, app_with(traces_url=url))

        reader.get(f"/ebox/messages/{message_id}/attachments/1/content", headers=HEADERS)
        route = f"{reader.base}/ebox/messages/<message_id>/attachments/<attachment_id>/content"
        await_span(spans, route)

    # What an application does by the clock, its health among it, is in traces of its own.
    names = {span.name for span in spans if span.trace_id.hex() == TRACE}
    assert {route, "storage GetObject", "introspection introspect"} <= names
    assert {"database connection", "database transaction"} <= names
    strays = {span.name for span in spans if span.trace_id.hex() != TRACE}
    assert strays.isdisjoint({route, "storage GetObject", "introspection introspect"})
    text = " ".join(map(str, spans))
    assert consumer.ebox.number not in text
    assert consumer.token not in text
    assert str(message_id) not in text


def test_a_collector_that_says_nothing_slows_nobody(app_with, elsewhere, consumer):
    reader = elsewhere(consumer, app_with())
    assert reader.get("/ebox/messages").status_code == 200
    with socket.create_server((LOOPBACK, 0)) as silent:
        url = f"http://{LOOPBACK}:{silent.getsockname()[1]}/v1/traces"
        traced = elsewhere(consumer, app_with(traces_url=url))
        traced.get("/ebox/messages")
        began = time.monotonic()
        for _ in range(20):
            assert reader.get("/ebox/messages").status_code == 200
        quiet = time.monotonic() - began

        began = time.monotonic()
        for _ in range(20):
            assert traced.get("/ebox/messages").status_code == 200
        beside_silence = time.monotonic() - began

    assert beside_silence < 2 * quiet + 1


def test_spans_that_nobody_takes_are_counted(app_with, elsewhere, consumer):
    before = REGISTRY.get_sample_value("registry_spans_lost_total")
    with socket.create_server((LOOPBACK, 0)) as gone:
        url = f"http://{LOOPBACK}:{gone.getsockname()[1]}/v1/traces"
    traced = elsewhere(consumer, app_with(traces_url=url))

    assert traced.get("/ebox/messages").status_code == 200

    deadline = time.monotonic() + 20
    while REGISTRY.get_sample_value("registry_spans_lost_total") == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nothing_is_imported_where_no_collector_is_named():
    program = "import sys, registry.app; print([m for m in sys.modules if 'opentelemetry' in m])"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
