"""A federal service that lets nobody in without a certificate (contract 6.20)."""

import ssl
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from registry.domain.errors import Unavailable
from registry.domain.events import Announcement, EventType, Verdict
from registry.domain.identifiers import Ebox, EboxKind
from registry.federation.event_service import EventServiceClient
from registry.http_client.client import Upstream
from tests.certificates import make_pem


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A file with a certificate and its key."""
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(make_pem())
    return path


class Answering(BaseHTTPRequestHandler):
    """Says yes to whoever got this far."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        return


class Quiet(HTTPServer):
    """A server to which a refused handshake is nothing to report."""

    def handle_error(self, *_):
        return


@pytest.fixture
def service(pem):
    """The URL of a server that asks its clients for that certificate."""
    server = Quiet(("localhost", 0), Answering)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pem)
    context.load_cert_chain(pem)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_whoever_shows_the_certificate_is_answered(service, pem):
    upstream = Upstream("service", timeout=3, ca_bundle=pem, certificate=pem)

    answer = upstream.get(service, "token")

    assert answer.status == 200
    upstream.close()


def test_whoever_shows_none_is_not(service, pem):
    upstream = Upstream("service", timeout=3, ca_bundle=pem)

    with pytest.raises(Unavailable):
        upstream.get(service, "token")

    upstream.close()


@pytest.mark.parametrize("file", ["ca_bundle", "certificate"])
def test_a_file_that_is_replaced_counts_without_a_start(service, pem, tmp_path, file):
    replaced = tmp_path / "replaced.pem"
    replaced.write_bytes(make_pem())
    files = {"ca_bundle": pem, "certificate": pem} | {file: replaced}
    upstream = Upstream("service", timeout=3, **files)
    with pytest.raises(Unavailable):
        upstream.get(service, "token")

    replaced.write_bytes(pem.read_bytes())

    assert upstream.get(service, "token").status == 200
    upstream.close()


@pytest.fixture
def events(pem, secure_federation):
    """An event service that asks its clients for that certificate, and its URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pem)
    context.load_cert_chain(pem)
    context.verify_mode = ssl.CERT_REQUIRED
    federation = secure_federation(context)
    federation.on["/events"] = federation.says(b"", 201)
    return federation, f"https://localhost:{federation.server.server_port}/events"


@pytest.fixture
def announcement():
    return Announcement(
        type=EventType.NEW_DOCUMENT,
        correlation_id=uuid.uuid4(),
        ebox=Ebox(EboxKind.ENTERPRISE, "0206731645"),
        message_id=uuid.uuid4(),
        received_at=datetime.now(UTC),
        expires_at=datetime.now(UTC),
        is_registered=False,
        message_type_id="summons",
        sender="0308357159",
    )


@pytest.mark.parametrize("bearer", [True, False])
def test_events_are_told_by_certificate_with_a_bearer_or_without(
    events, announcement, pem, own, clock, bearer
):
    federation, url = events
    upstream = Upstream("events", timeout=3, ca_bundle=pem, certificate=pem)
    service = EventServiceClient(url, own() if bearer else None, upstream, clock)

    response = service.tell([announcement])

    assert response.verdict is Verdict.SUCCESS
    assert ("Authorization" in federation.requests[-1].headers) is bearer
    service.close()


@pytest.mark.parametrize("known", [{"ca_bundle"}, {"certificate"}, set()], ids=str)
def test_events_are_not_told_where_either_side_is_a_stranger(
    events, announcement, pem, clock, known
):
    federation, url = events
    service = EventServiceClient(
        url, None, Upstream("events", timeout=3, **dict.fromkeys(known, pem)), clock
    )

    response = service.tell([announcement])

    assert (response.verdict, response.reason) == (Verdict.OUTAGE, "no answer")
    assert not federation.calls
    service.close()
