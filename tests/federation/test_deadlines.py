"""One deadline for a call and for all calls of one piece of work; how long to wait for the next."""

import time
from datetime import UTC, datetime

import pytest

from registry.domain.errors import Unavailable
from registry.http_client.client import Upstream
from registry.http_client.deadlines import Deadline
from registry.http_client.retry_after import parse_retry_after

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def upstream():
    upstream = Upstream("service", timeout=1)
    yield upstream
    upstream.close()


def test_a_deadline_comes_nearer_and_is_over():
    deadline = Deadline.after(0.2)

    assert 0 < deadline.remaining() <= 0.2
    time.sleep(0.21)
    with pytest.raises(TimeoutError):
        deadline.remaining()
    with pytest.raises(TimeoutError):
        deadline.as_timeout()


def test_connecting_takes_its_time_from_the_answer():
    timeout = Deadline.after(5).as_timeout()
    timeout.start_connect()
    time.sleep(0.1)

    assert 4 < timeout.connect_timeout <= 5
    assert timeout.read_timeout <= timeout.connect_timeout - 0.1


def test_the_calls_of_one_piece_of_work_share_its_deadline(federation, upstream):
    federation.on["/x"] = federation.slowly(0.4, federation.says({}))
    answers = []

    def work(deadline):
        try:
            while True:
                answers.append(upstream.get(f"{federation.url}/x", "token", deadline))
        except Unavailable:
            return time.monotonic() - began

    began = time.monotonic()
    seconds = upstream.within(work)

    assert len(answers) == 2
    assert 0.8 < seconds < 1.25


def test_a_call_after_the_deadline_is_not_made(federation, upstream):
    federation.on["/x"] = federation.says({})

    with pytest.raises(Unavailable):
        upstream.get(f"{federation.url}/x", "token", Deadline.after(0))

    assert federation.calls == {}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 12:01:30 -0000", 90),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 11:59:59 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert parse_retry_after(text, NOON) == seconds
