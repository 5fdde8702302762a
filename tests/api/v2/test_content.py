"""GET …/v2/…/content: the bytes of a document, and the reading of its message."""

import pytest

from registry.domain.attachments import MEDIA_TYPES
from tests.api.v2.visiting import MESSAGES, told
from tests.factories import PDF, a_file

OCTETS = "application/octet-stream"


@pytest.fixture
def message(consumer_2, deliver, main_file):
    """A message with one document, its main content."""
    return f"{MESSAGES}/{deliver(consumer_2.ebox, main_file)}"


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_document_is_bytes_whatever_it_is(consumer_2, deliver, media_type):
    message = deliver(consumer_2.ebox, a_file(media_type=media_type))

    answer = consumer_2.get(f"{MESSAGES}/{message}/attachments/1/content")

    assert (answer.status_code, answer.data) == (200, PDF)
    assert answer.headers["Content-Type"] == OCTETS


def test_its_headers_are_those_of_version_3(consumer_2, message, main_file):
    answer = consumer_2.get(f"{message}/attachments/1/content")

    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"aanslag.pdf\"; filename*=UTF-8''aanslag.pdf"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["ETag"] == f'"{main_file["digest"]}"'


def test_a_range_is_served(consumer_2, message):
    path = f"{message}/attachments/1/content"

    part = consumer_2.get(path, headers={"Range": "bytes=0-3"})
    beyond = consumer_2.get(path, headers={"Range": "bytes=9999-"})

    assert (part.status_code, part.data) == (206, PDF[:4])
    assert told(beyond, 416)[0] == "RANGE_NOT_SATISFIABLE"
    assert beyond.headers["Content-Range"] == f"bytes */{len(PDF)}"


def test_what_the_client_has_is_not_sent_again(consumer_2, message, main_file):
    held = {"If-None-Match": f'"{main_file["digest"]}"'}

    answer = consumer_2.get(f"{message}/attachments/1/content", headers=held)

    assert (answer.status_code, answer.data) == (304, b"")


def test_what_is_not_the_document_meant_is_not_sent(consumer_2, citizen_2, deliver):
    for visitor in (consumer_2, citizen_2):
        path = f"{MESSAGES}/{deliver(visitor.ebox, a_file())}/attachments/1/content"

        answer = visitor.get(path, headers={"If-Match": '"zzz"'})

        assert told(answer, 412) == ("PRECONDITION_FAILED", "Precondition Failed")


@pytest.mark.parametrize("accept", ["application/pdf", OCTETS, "application/json", "image/*"])
def test_it_comes_as_bytes_whatever_the_client_asks_for(consumer_2, message, accept):
    answer = consumer_2.get(f"{message}/attachments/1/content", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, OCTETS)


def test_the_main_content_reads_the_message_and_another_does_not(consumer_2, deliver):
    annex = a_file(attachment_id="2", is_main=False)
    message = f"{MESSAGES}/{deliver(consumer_2.ebox, a_file(), annex)}"

    def is_read():
        return consumer_2.get(message).json["readStatus"]

    consumer_2.get(f"{message}/attachments/2/content")
    after_annex = is_read()
    consumer_2.get(f"{message}/attachments/1/content")

    assert (after_annex, is_read()) == (False, True)
