"""What is awaited of a request before a thread takes it."""

import socket
from types import SimpleNamespace

import pytest

from registry.serving.arrival import Arrival, Stage
from registry.serving.pace import Pace

LINE = b"POST /messages HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def arrival():
    """An arrival begun at instant 0, and its client."""
    ours, client = socket.socketpair()
    with ours, client:
        ours.setblocking(False)
        yield Arrival(SimpleNamespace(sock=ours), 0.0), client


def test_nothing_has_come_yet(arrival):
    request, _ = arrival

    assert request.advance() is Stage.UNDERWAY


def test_a_head_is_complete_with_its_empty_line_however_it_is_cut(arrival):
    request, client = arrival
    for byte in LINE + b"\r":
        client.sendall(bytes([byte]))
        assert request.advance() is Stage.UNDERWAY
    client.sendall(b"\n")
    assert request.advance() is Stage.READY


def test_a_request_without_a_body_is_ready_with_its_head(arrival):
    request, _ = arrival

    assert request.take(LINE + b"\r\n") is Stage.READY
    assert request.head() == LINE + b"\r\n"


def test_a_short_body_is_awaited(arrival):
    request, _ = arrival

    assert request.take(LINE + b"content-length: 3\r\n\r\nab") is Stage.UNDERWAY
    assert request.take(b"c") is Stage.READY


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 65537",
        b"Content-Length: 999999999999999999",
        b"Transfer-Encoding: chunked",
        b"TRANSFER-ENCODING:chunked",
        b"Expect: 100-continue\r\nContent-Length: 3",
    ],
)
def test_a_long_body_is_not(arrival, header):
    request, _ = arrival

    assert request.take(LINE + header + b"\r\n\r\n") is Stage.LONG


@pytest.mark.parametrize("header", [b"Content-Length: many", b"Content-Length: -1", b"X: y"])
def test_what_cannot_be_measured_is_left_to_the_parser(arrival, header):
    request, _ = arrival

    assert request.take(LINE + header + b"\r\n\r\n") is Stage.READY


def test_a_client_that_hangs_up_has_ended(arrival):
    request, client = arrival
    client.close()

    assert request.advance() is Stage.ENDED


def test_a_head_without_an_end_is_overlong(arrival):
    request, _ = arrival

    assert request.take(LINE + b"X: " + b"x" * 70_000) is Stage.UNDERWAY
    assert request.take(b"x" * 9_000) is Stage.OVERLONG


def test_a_client_has_a_grace_and_time_for_what_it_sent(arrival):
    request, _ = arrival
    pace = Pace(grace=10, least_rate=10)

    assert not request.is_late(10, pace)
    assert request.is_late(10.1, pace)

    request.take(b"x" * 20)
    assert not request.is_late(12, pace)
    assert request.is_late(12.1, pace)
