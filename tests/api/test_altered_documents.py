"""Documents in which the store has changed a bit: nobody gets the last byte of one."""

import json
from http.client import HTTPConnection, IncompleteRead

import pytest
from prometheus_client import REGISTRY

from registry.blobs.s3 import CHUNK_SIZE
from registry.domain.errors import DocumentAltered
from registry.sandbox.servers.processes import LOOPBACK
from tests.api.v2.visiting import in_version_2
from tests.factories import PDF, a_file

LARGE = PDF + bytes(3 * CHUNK_SIZE)


def altered(content):
    """The content with one bit flipped."""
    return content[:-1] + bytes([content[-1] ^ 1])


def count(name="altered"):
    return REGISTRY.get_sample_value(f"registry_documents_{name}_total")


@pytest.fixture(params=["consumer", "citizen"])
def reader(request):
    """A reader of each family."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[lambda visitor: visitor, in_version_2])
def in_version(request):
    """The same visitor in one version or the other."""
    return request.param


@pytest.fixture
def put(deliver, blobs):
    """Deliver a document of which the store keeps another: `put(visitor, content)`, its path."""

    def place(visitor, content):
        file = a_file(content)
        message = deliver(visitor.ebox, file, content=content)
        blobs.put(file["blob_key"], [altered(content)])
        place.key = file["blob_key"]
        return f"/ebox/messages/{message}", f"/ebox/messages/{message}/attachments/1/content"

    return place


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-"}])
def test_a_small_one_is_unavailable_and_stays_unread(
    reader, in_version, put, is_read, headers, logged
):
    message, content = put(reader, PDF)
    before = count(), count("unavailable")
    logged()

    answer = in_version(reader).get(content, headers=headers)

    assert answer.status_code == 502
    assert answer.json["code"] == "DOCUMENT_UNAVAILABLE"
    assert answer.headers["Retry-After"] == "5"
    assert (count(), count("unavailable")) == (before[0] + 1, before[1])
    assert not is_read(reader, message.rpartition("/")[2])
    assert told(logged()) == (put.key, message.rpartition("/")[2])


def told(log):
    """Key and message of the altered document that the log tells of, and of nothing else."""
    (line,) = [json.loads(line) for line in log.splitlines() if "document altered" in line]
    assert line["trace_id"]
    assert "brief.pdf" not in log
    assert "aanslag.pdf" not in log
    return line["key"], line["message_id"]


def test_a_large_one_breaks_off_before_its_last_bytes(reader, in_version, put, logged):
    message, content = put(reader, LARGE)
    before, received = count(), []
    logged()

    with in_version(reader).get(content, buffered=False) as answer:
        sizes = map(len, answer.iter_encoded())
        with pytest.raises(DocumentAltered):
            received.extend(sizes)

    assert 0 < sum(received) < len(LARGE)
    assert count() == before + 1
    assert told(logged()) == (put.key, message.rpartition("/")[2])


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}, {"Range": "bytes=1-"}])
def test_one_that_grew_is_unavailable_in_all_its_parts(reader, in_version, put, blobs, headers):
    _, content = put(reader, PDF)
    blobs.put(put.key, [PDF + b"more"])
    before = count()

    answer = in_version(reader).get(content, headers=headers)

    assert answer.status_code == 502
    assert count() == before + 1


def test_a_range_cannot_be_checked(consumer, put):
    _, content = put(consumer, PDF)

    answer = consumer.get(content, headers={"Range": "bytes=1-"})

    assert (answer.status_code, answer.data) == (206, altered(PDF)[1:])


@pytest.mark.parametrize("content", [PDF, LARGE, LARGE[:CHUNK_SIZE], LARGE[: CHUNK_SIZE + 1]])
def test_what_is_unchanged_arrives(consumer, deliver, content):
    message = deliver(consumer.ebox, a_file(content), content=content)

    answer = consumer.get(f"/ebox/messages/{message}/attachments/1/content")

    assert answer.data == content


@pytest.mark.process
def test_the_client_sees_that_a_large_one_is_short(port, consumer, put):
    _, content = put(consumer, LARGE)
    connection = HTTPConnection(LOOPBACK, port, timeout=60)
    for _ in range(2):  # the second time, the worker is as before
        connection.request("GET", consumer.base + content, headers=bearer(consumer))
        answer = connection.getresponse()

        assert int(answer.headers["Content-Length"]) == len(LARGE)
        with pytest.raises(IncompleteRead):
            answer.read()
        connection.close()


def bearer(visitor):
    return {"Authorization": f"Bearer {visitor.token}"}
