"""An upload that is refused before it is read: its sender hears why, whatever he is doing then."""

import json
import socket

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER
from registry.sandbox.servers.processes import LOOPBACK
from registry.serving.farewell import Farewell
from tests.conformance.bases import V2
from tests.conftest import V3
from tests.factories import an_enterprise
from tests.wire import head, read_answer

SIZE = 60_000_000
PUBLICATIONS = [
    V3[EboxKind.ENTERPRISE] + "/ebox/messages",
    V2[EboxKind.CITIZEN] + "/publishMessage",
]
PATCHED = [base[EboxKind.ENTERPRISE] + "/ebox/messages" for base in (V3, V2)]


@pytest.mark.process
@pytest.mark.parametrize("path", PUBLICATIONS)
@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_who_sends_all_before_he_reads_hears_the_refusal(port, path, framing):
    headers = ["Content-Type: multipart/form-data; boundary=x"]
    if framing == "chunked":
        headers, opening = [*headers, "Transfer-Encoding: chunked"], b"%x\r\n" % SIZE
    else:
        headers, opening = [*headers, f"Content-Length: {SIZE}"], b""
    for _ in range(5):
        with socket.create_connection((LOOPBACK, port), timeout=60) as connection:
            connection.sendall(head("POST", path, "nobody", *headers) + opening)
            connection.sendall(bytes(SIZE))

            status, answered, content = read_answer(connection)

            assert status == 401
            assert answered["Connection"] == "close"
            assert len(content) == int(answered["Content-Length"])
            assert connection.recv(1) == b""


@pytest.mark.process
@pytest.mark.parametrize("path", PUBLICATIONS)
def test_nobody_is_asked_for_his_body_before_his_token_is_judged(port, path):
    request = head("POST", path, "nobody", "Expect: 100-continue", f"Content-Length: {SIZE}")
    with socket.create_connection((LOOPBACK, port), timeout=60) as connection:
        connection.sendall(request)

        status, answered, _ = read_answer(connection)  # which would skip a 100

        assert (status, answered["Connection"]) == (401, "close")
        assert connection.recv(1) == b""

    with socket.create_connection((LOOPBACK, port), timeout=60) as connection:
        connection.sendall(request)
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 401"


@pytest.mark.process
@pytest.mark.parametrize("path", PATCHED)
def test_who_may_go_on_is_asked_for_his_body_and_keeps_his_connection(port, party, path):
    token = party(CONSUMER, enterprise=an_enterprise())
    body = json.dumps({"items": 1}).encode()
    headers = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    with socket.create_connection((LOOPBACK, port), timeout=60) as connection:
        for _ in range(2):
            connection.sendall(head("PATCH", path, token, "Expect: 100-continue", *headers))
            interim = connection.recv(25, socket.MSG_WAITALL)
            assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)

            status, answered, _ = read_answer(connection)

            assert (status, answered["Connection"]) == (400, "keep-alive")


@pytest.fixture
def farewell():
    """A farewell begun at instant 0, and its client."""
    ours, client = socket.socketpair()
    with ours, client:
        yield Farewell.begin(ours, 0), client


def test_a_client_is_listened_to_until_he_has_nothing_to_say(farewell):
    parting, client = farewell
    client.sendall(b"more")

    parting.listen(1)
    parting.listen(2)
    assert not parting.is_over(2)

    client.close()
    parting.listen(3)
    assert parting.is_over(3)


def test_a_client_is_not_listened_to_without_end(farewell):
    parting, client = farewell
    for now in range(0, 30, 4):
        client.sendall(b"x")
        parting.listen(now)
        assert not parting.is_over(now)
    assert parting.is_over(30)


def test_a_silent_client_is_not_waited_for(farewell):
    parting, _ = farewell

    assert not parting.is_over(4.9)
    assert parting.is_over(5)


def test_only_so_many_bytes_are_read(farewell):
    parting, client = farewell
    parting.left = 3
    client.sendall(b"four")

    parting.listen(1)

    assert parting.is_over(1)
