"""The proxy fails a neighbour as it is told to, and lets it get well again."""

import http.client
import http.server
import socket
import socketserver
import struct
import threading
import time

import pytest

from registry.sandbox.servers.processes import LOOPBACK
from tests.chaos.clamd import Scanner
from tests.chaos.faults import ANSWERS, DRIP, PASS, Fault
from tests.chaos.proxy import Proxies

SOON, NEVER = 5.0, 0.7  # seconds: until what must come has come; in which nothing may

pytestmark = pytest.mark.process


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def proxies():
    with Proxies() as proxies:
        yield proxies


def serve(handler):
    server = socketserver.ThreadingTCPServer((LOOPBACK, 0), handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def echo(proxies):
    with serve(Echo) as server:
        yield proxies.open("echo", server.server_address[1])
        server.shutdown()


@pytest.fixture(scope="module")
def web(proxies):
    with serve(Web) as server:
        yield proxies.open("web", server.server_address[1])
        server.shutdown()


@pytest.fixture
def fail(proxies, echo):
    yield lambda kind, number=0: proxies.set_fault("echo", Fault(kind, number))
    proxies.set_fault("echo", PASS)


def connect(port, timeout=SOON):
    return socket.create_connection((LOOPBACK, port), timeout)


def ask(connection, data=b"hello"):
    """What comes back: as many bytes as went, or fewer when it ends."""
    connection.sendall(data)
    parts = bytearray()
    while len(parts) < len(data) and (more := connection.recv(65536)):
        parts += more
    return bytes(parts)


def assert_silent(connection):
    connection.settimeout(NEVER)
    with pytest.raises(TimeoutError):
        ask(connection)
    connection.settimeout(SOON)


def test_a_well_neighbour_is_heard_as_it_speaks(echo):
    data = bytes(range(256)) * 10_000

    with connect(echo) as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        parts = bytearray()
        while len(parts) < len(data):
            parts += connection.recv(65536)
        sender.join()

    assert parts == data


def test_one_that_is_down_refuses_and_resets(echo, fail):
    with connect(echo) as connection:
        ask(connection)
        fail("refuse")

        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        with pytest.raises(ConnectionRefusedError):
            connect(echo)


def test_in_a_black_hole_old_and_new_connections_are_silent(echo, fail):
    with connect(echo) as old:
        ask(old)
        fail("black hole")

        assert_silent(old)
        with connect(echo) as new:
            assert_silent(new)


def test_a_host_without_power_answers_no_packet(echo, fail):
    with connect(echo) as connection:
        ask(connection)
        fail("half-open")
        # What the kernel of a living host would have acknowledged within a millisecond.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
        connection.sendall(b"hello")

        with pytest.raises(TimeoutError, match="Connection timed out"):  # the kernel gave up
            connection.recv(1)
        with pytest.raises(TimeoutError):
            connect(echo, NEVER)


@pytest.mark.parametrize("kind", ["black hole", "half-open"])
def test_what_a_silence_spoilt_is_reset_when_it_ends(echo, fail, kind):
    with connect(echo) as connection:
        ask(connection)
        fail(kind)
        assert_silent(connection)

        fail("pass")

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_answers_drip_and_the_rest_comes_at_once_when_it_is_over(echo, fail):
    fail("drip", DRIP.number)
    with connect(echo) as connection:
        connection.sendall(bytes(1000))
        started, pieces = time.monotonic(), []
        while time.monotonic() < started + NEVER:
            pieces.append(len(connection.recv(65536)))

        fail("pass")

        assert set(pieces) == {1}
        left = 1000 - len(pieces)
        while left > 0:
            left -= len(connection.recv(65536))
        assert left == 0


def test_a_connection_ends_after_so_many_bytes(echo, fail):
    with connect(echo) as old:
        ask(old, bytes(500))
        fail("cut", 100)

        assert len(ask(old, bytes(500))) == 100
        with connect(echo) as new:
            assert len(ask(new, bytes(500))) == 100


@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_a_bad_day_is_answered_on_old_and_new_connections(web, proxies, kind):
    old, new = (http.client.HTTPConnection(LOOPBACK, web, timeout=SOON) for _ in range(2))
    old.request("GET", "/")
    assert old.getresponse().read() == b""
    proxies.set_fault("web", Fault(kind))

    old.request("GET", "/")
    first = old.getresponse()
    new.request("POST", "/", bytes(100_000))
    second = new.getresponse()
    body = second.read()
    proxies.set_fault("web", PASS)

    expected = {"html": 200, "redirect": 302}.get(kind) or int(kind)
    assert (first.status, second.status) == (expected, expected)
    assert len(body) == int(second.getheader("Content-Length"))
    assert (second.getheader("Retry-After") is not None) == (kind in {"503", "429"})
    old.close()
    new.close()


@pytest.mark.parametrize(
    "kind", ["refuse", "black hole", "half-open", "drip", "cut", *sorted(ANSWERS)]
)
def test_after_every_fault_it_is_well(echo, fail, kind):
    fail(kind, 1)

    fail("pass")

    with connect(echo) as connection:
        assert ask(connection, bytes(10_000)) == bytes(10_000)


def test_the_stand_in_for_clamd_scans_and_answers_a_ping(proxies):
    with Scanner() as scanner:
        port = proxies.open("clamd", scanner.port)
        with connect(port) as connection:
            connection.sendall(b"zINSTREAM\0" + struct.pack(">I", 2) + b"ab" + struct.pack(">I", 0))
            assert connection.recv(100) == b"stream: OK\0"
        with connect(port) as connection:
            connection.sendall(b"zPING\0")
            assert connection.recv(100) == b"PONG\0"
