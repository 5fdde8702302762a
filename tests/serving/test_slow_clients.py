"""Slow clients: hundreds of them leave room for others, and each has an end."""

import socket
import time
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, SENDER
from registry.sandbox.servers.processes import LOOPBACK
from tests.conftest import V3
from tests.factories import an_ebox
from tests.gunicorn import find_workers, run_gunicorn, start_gunicorn
from tests.wire import LARGE, head, read_answer

pytestmark = pytest.mark.process

BASE = V3[EboxKind.ENTERPRISE]
LISTING = f"{BASE}/ebox/messages"
GRACE = 3  # seconds; four threads, so two for bodies and one for slow readers
AT_ONCE = 2  # seconds in which an answer comes that waits for nobody


@pytest.fixture(scope="module")
def port(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gunicorn")
    pace = {"REGISTRY_CLIENT_GRACE": str(GRACE), "REGISTRY_CLIENT_QUEUE": "4"}
    with run_gunicorn(settings, folder, "--threads", "4", **pace) as port:
        yield port


@pytest.fixture
def connect(port):
    """Connections that say something and then nothing: `connect(what)`."""
    with ExitStack() as stack:

        def open_one(said, receive_buffer=None):
            sock = socket.socket()
            stack.callback(sock.close)
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.settimeout(30)
            sock.connect((LOOPBACK, port))
            sock.sendall(said)
            return sock

        yield open_one


@pytest.fixture
def list_messages(port, party):
    """Somebody else's listing: its status, and that it came at once."""
    token = party(CONSUMER, enterprise=an_ebox().number)

    def ask():
        connection = HTTPConnection(LOOPBACK, port, timeout=AT_ONCE)
        try:
            connection.request("GET", LISTING, headers={"Authorization": f"Bearer {token}"})
            return connection.getresponse().status
        finally:
            connection.close()

    return ask


class SharedFile:
    """What several answers on one connection read, each where the one before it ended."""

    def __init__(self, connection):
        self._file = connection.makefile("rb")
        self.read, self.readline = self._file.read, self._file.readline

    def makefile(self, _mode):
        return self

    def flush(self):
        pass

    def close(self):
        pass


def a_publication(token, *more):
    return head("POST", LISTING, token, "Content-Type: multipart/form-data; boundary=x", *more)


@pytest.fixture
def stalled(party):
    """What those say who stall: by name."""
    sender = party(SENDER, enterprise=an_ebox().number)
    return {
        "nothing": b"",
        "half a head": head("GET", LISTING, "nobody")[:-2],
        "half a short body": head("PATCH", LISTING, "nobody", "Content-Length: 99") + b"{",
        "half a long body": a_publication(sender, "Content-Length: 99999999") + b"--x\r\n",
        "half a chunked body": a_publication(sender, "Transfer-Encoding: chunked") + b"5\r\n--",
    }


@pytest.mark.parametrize(
    "kind",
    ["nothing", "half a head", "half a short body", "half a long body", "half a chunked body"],
)
def test_those_who_stall_stop_nobody(connect, list_messages, stalled, kind):
    stallers = [connect(stalled[kind]) for _ in range(64)]

    assert [list_messages() for _ in range(20)] == [200] * 20

    began = time.monotonic()
    for staller in stallers:  # and each is rid of, with an answer where there was a question
        answer = staller.recv(12)
        assert answer == (b"" if kind == "nothing" else answer)
        assert answer in (b"", b"HTTP/1.1 408", b"HTTP/1.1 503")
    assert time.monotonic() - began < 3 * GRACE + 4 + 10


def test_a_body_that_comes_too_slowly_is_refused_with_408(connect, party):
    token = party(SENDER, enterprise=an_ebox().number)
    connection = connect(a_publication(token, "Content-Length: 99999999"))
    connection.sendall(b'--x\r\nContent-Disposition: form-data; name="messageToPublish"\r\n')

    status, answered, content = read_answer(connection)

    assert (status, answered["Connection"]) == (408, "close")
    assert answered.get_content_type() == "application/problem+json"
    assert b"sent too slowly" in content


def test_a_body_that_comes_drop_by_drop_is_too_slow_as_well(connect, party):
    token = party(SENDER, enterprise=an_ebox().number)
    connection = connect(a_publication(token, "Content-Length: 99999999"))
    connection.settimeout(0.2)

    answer = b""
    for _ in range(10 * GRACE):
        try:
            connection.sendall(b"-")
            answer = connection.recv(12)
        except TimeoutError:
            continue
        break

    assert answer == b"HTTP/1.1 408"


def test_a_request_may_come_in_pieces(connect, party):
    token = party(CONSUMER, enterprise=an_ebox().number)
    said = head("PATCH", LISTING, token, "Content-Type: application/json", "Content-Length: 12")
    connection = connect(b"")

    for byte in said + b'{"items": 1}':
        connection.sendall(bytes([byte]))

    assert read_answer(connection)[0] == 400


def test_two_requests_may_come_at_once(connect, party):
    token = party(CONSUMER, enterprise=an_ebox().number)
    request = head("GET", LISTING, token)
    connection = connect(request + request + request[:50])

    answers = SharedFile(connection)
    first, second = read_answer(answers), read_answer(answers)
    connection.sendall(request[50:])

    assert [first[0], second[0], read_answer(answers)[0]] == [200, 200, 200]


def test_a_head_without_an_end_is_refused(connect):
    connection = connect(head("GET", LISTING, "nobody", "X-Long: " + "x" * 80_000)[:-4])

    assert read_answer(connection)[0] == 431


def test_those_who_do_not_read_stop_nobody(connect, list_messages, download):
    readers = [connect(download, receive_buffer=4096) for _ in range(16)]

    assert [list_messages() for _ in range(20)] == [200] * 20

    assert readers


def test_who_reads_is_served_beside_those_who_do_not(connect, download):
    idle = [connect(download, receive_buffer=4096) for _ in range(8)]

    for _ in range(3):
        status, _, content = read_answer(connect(download))
        assert (status, content) == (200, LARGE)

    assert idle


def test_who_reads_too_slowly_is_cut_off(connect, download):
    reader = connect(download, receive_buffer=4096)
    time.sleep(GRACE + 64 * 1024 / 4096 + 3)  # the time of one piece

    received = 0
    while piece := reader.recv(1 << 20):
        received += len(piece)

    assert received < len(LARGE)


def test_connections_beyond_the_files_of_a_process_stop_nobody(settings, tmp_path, party):
    token = party(CONSUMER, enterprise=an_ebox().number)
    with start_gunicorn(settings, tmp_path, files=260) as (process, port), ExitStack() as stack:
        workers = find_workers(process)
        for _ in range(400):
            stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=AT_ONCE))

        for _ in range(5):
            connection = stack.enter_context(
                socket.create_connection((LOOPBACK, port), timeout=AT_ONCE)
            )
            connection.sendall(head("GET", LISTING, token))
            assert read_answer(connection)[0] == 200
        assert find_workers(process) == workers
