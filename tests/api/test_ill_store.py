"""S3 is ill: what needs it is answered in time, and what does not goes on."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead

import pytest

from registry.sandbox.servers.processes import LOOPBACK
from tests.api.v2.visiting import in_version_2
from tests.factories import a_file
from tests.fake_s3 import a_fake_s3, fail, hang
from tests.gunicorn import run_gunicorn

pytestmark = pytest.mark.process  # waits by the clock

LARGE = 1 << 20


@pytest.fixture
def s3():
    with a_fake_s3() as server:
        yield server


@pytest.fixture(params=[lambda visitor: visitor, in_version_2])
def reader(request, app_with, elsewhere, consumer, s3):
    """The consumer in one version or the other, where the documents are at this S3."""
    return request.param(elsewhere(consumer, app_with(s3_endpoint=s3.endpoint, s3_timeout=1)))


@pytest.fixture
def message(consumer, deliver):
    return deliver(consumer.ebox, a_file(bytes(LARGE)))


def promise(sent):
    """Promise a large document and send a part of it."""

    def answer(request):
        request.send_response(206)
        request.send_header("Content-Length", str(LARGE))
        request.end_headers()
        request.wfile.write(bytes(sent))
        request.close_connection = True

    return answer


def content_of(message):
    return f"/ebox/messages/{message}/attachments/1/content"


@pytest.mark.parametrize(
    "happens", [promise(0), promise(1000), fail(500), fail(503, "SlowDown"), hang]
)
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-"}])
def test_a_download_that_fails_before_its_first_byte_is_a_problem(  # noqa: PLR0913, PLR0917 - of pytest
    reader, consumer, message, s3, happens, headers, is_read
):
    s3.answer = happens
    began = time.monotonic()

    answer = reader.get(content_of(message), headers=headers)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["code"] == "SERVICE_UNAVAILABLE"
    assert time.monotonic() - began < 3
    assert not is_read(consumer, message)


@pytest.fixture
def served(settings, s3, tmp_path):
    """The port of gunicorn whose documents are at this S3."""
    ours = settings.model_copy(update={"s3_endpoint": s3.endpoint, "s3_timeout": 2})
    s3.answer = lambda request: request.say(200)
    with run_gunicorn(ours, tmp_path) as port:
        yield port


def ask(port, visitor, path):
    """Status and whole content of an answer."""
    with closing(HTTPConnection(LOOPBACK, port, timeout=20)) as connection:
        headers = {"Authorization": f"Bearer {visitor.token}"}
        connection.request("GET", visitor.base + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_download_that_breaks_off_later_is_seen_to_be_short(served, consumer, message, s3):
    s3.answer = promise(LARGE - 1000)

    with pytest.raises((IncompleteRead, ConnectionError)):
        ask(served, consumer, content_of(message))


def test_listings_go_on_while_s3_hangs(served, consumer, message, s3):
    s3.answer = hang
    ask(served, consumer, "/ebox/messages")
    answers = []

    with ThreadPoolExecutor(20) as pool:
        downloads = [pool.submit(ask, served, consumer, content_of(message)) for _ in range(20)]
        for _ in range(10):
            began = time.monotonic()
            answers.append((ask(served, consumer, "/ebox/messages")[0], time.monotonic() - began))

    assert {download.result()[0] for download in downloads} == {503}
    assert {status for status, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < 2
