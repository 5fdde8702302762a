"""Probes are answered while all threads are busy, and nobody makes the loop wait with them."""

import json
import socket
import time
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from sqlalchemy import text

from registry.sandbox.personas import CONSUMER
from registry.sandbox.servers.processes import LOOPBACK
from registry.serving.probes import ProbePaths
from tests.conftest import V3
from tests.factories import an_ebox
from tests.gunicorn import run_gunicorn

BASES = [f"{base.removesuffix('3')}{version}" for base in V3.values() for version in "23"]
AT_ONCE = 2  # seconds in which an answer comes that waits for nobody
PATHS = ["/health", "/health/live", "/health/ready"]


@pytest.fixture(scope="module")
def port(settings, tmp_path_factory):
    """gunicorn with two threads, which wait for the database for long."""
    names = ("REGISTRY_DATABASE_LOCK_TIMEOUT", "REGISTRY_DATABASE_STATEMENT_TIMEOUT")
    folder = tmp_path_factory.mktemp("gunicorn")
    with run_gunicorn(settings, folder, "--threads", "2", **dict.fromkeys(names, "30")) as port:
        yield port


@pytest.fixture
def ask(port):
    def send(method, path):
        connection = HTTPConnection(LOOPBACK, port, timeout=AT_ONCE)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    return send


@pytest.fixture
def busy_threads(port, owner, party):
    """More callers than threads, all of whom wait for a table that somebody else has locked."""
    token = party(CONSUMER, enterprise=an_ebox().number)
    lines = [f"GET {BASES[1]}/ebox/messages HTTP/1.1", "Host: localhost"]
    request = "\r\n".join([*lines, f"Authorization: Bearer {token}", "", ""]).encode()
    with ExitStack() as stack:
        connection = stack.enter_context(owner.connect())
        connection.execute(text("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"))
        callers = [
            stack.enter_context(socket.create_connection((LOOPBACK, port))) for _ in range(6)
        ]
        for caller in callers:
            caller.sendall(request)
        time.sleep(1)
        yield
        for caller in callers:  # they had no answer all the while
            caller.setblocking(False)
            with pytest.raises(BlockingIOError):
                caller.recv(1)


@pytest.mark.process
@pytest.mark.parametrize("base", BASES)
def test_probes_are_answered_while_all_threads_are_busy(ask, busy_threads, base):
    for path in PATHS:
        answer, content = ask("GET", base + path)

        assert answer.status == 200
        assert json.loads(content)["status"] in ("UP", "DEGRADED")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["BelGov-Trace-Id"]
        assert ask("HEAD", base + path)[1] == b""


@pytest.mark.process
def test_a_prober_that_sends_ahead_and_reads_nothing_makes_nobody_wait(ask, port):
    probe = f"GET {BASES[0]}/health HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with socket.create_connection((LOOPBACK, port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sock.sendall(probe * 200)

        assert ask("GET", f"{BASES[0]}/health/live")[0].status == 200
        sock.settimeout(5)
        assert sock.makefile("rb").read().count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize(
    ("line", "is_probe"),
    [
        ("GET /base/v3/health HTTP/1.1", True),
        ("HEAD /base/v2/health/live HTTP/1.0", True),
        ("GET /base/v3/health/ready HTTP/1.1", True),
        ("POST /base/v3/health HTTP/1.1", False),
        ("GET /base/v3/healthy HTTP/1.1", False),
        ("GET /base/v3/ebox/messages HTTP/1.1", False),
        ("GET /other/v3/health HTTP/1.1", False),
        ("GET /base/v3/ebox/messages?q=/base/v3/health HTTP/1.1", False),
    ],
)
def test_a_probe_is_known_by_its_request_line(line, is_probe):
    assert ProbePaths(["/base", "/b.se"]).match(f"{line}\r\n".encode()) is is_probe
