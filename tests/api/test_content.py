"""GET …/attachments/{attachmentId}/content: documents as they are downloaded, and being read."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from registry.blobs.s3 import CHUNK_SIZE
from registry.domain.attachments import MEDIA_TYPES
from tests.factories import PDF, a_file, an_ebox

SIZE = len(PDF)
READ = "readDocument"


def at(message_id, attachment="1"):
    return f"/ebox/messages/{message_id}/attachments/{attachment}/content"


def span_of(answer):
    """Status, content and Content-Range of a download."""
    return answer.status_code, answer.data, answer.headers.get("Content-Range")


@pytest.fixture
def message(consumer, deliver, main_file):
    """A message with one document, its main content."""
    return deliver(consumer.ebox, main_file)


def test_a_document_comes_whole_with_the_headers_of_the_contract(consumer, message, main_file):
    answer = consumer.get(at(message))

    assert answer.status_code == 200
    assert answer.data == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"aanslag.pdf\"; filename*=UTF-8''aanslag.pdf"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["ETag"] == f'"{main_file["digest"]}"'
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_document_has_its_stored_media_type_and_nothing_is_said_of_its_charset(
    consumer, deliver, media_type
):
    message = deliver(consumer.ebox, a_file(media_type=media_type))

    answer = consumer.get(at(message))

    assert answer.headers["Content-Type"] == media_type


@pytest.mark.parametrize(
    "name",
    [
        'een "citaat".pdf',
        "twee\r\nregels: x.pdf",
        "żółć 電子箱 🇧🇪.pdf",
        "../../etc/passwd",
        "50%; filename=evil.exe",
        "it's (1)*.pdf",
        "a\uff0f\u2100\uff3c.pdf",
        "é.pdf",
    ],
)
def test_any_file_name_is_told_without_breaking_the_header(consumer, deliver, name):
    message = deliver(consumer.ebox, a_file(file_name=name))

    header = consumer.get(at(message)).headers["Content-Disposition"]

    plain, _, coded = header.removeprefix("attachment; filename=").partition("; filename*=UTF-8''")
    assert coded == quote(name, safe="")
    # In ASCII for those who do not read the other (RFC 6266, D), with nothing that ends the text.
    assert re.fullmatch(r'"[^"\\%/]+"', plain)
    assert header.isascii()
    assert header.isprintable()


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-4", 0, 4),
        ("bytes=5-9", 5, 9),
        (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE - 1),
        ("bytes=5-", 5, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-4", SIZE - 4, SIZE - 1),
        (f"bytes=-{SIZE}", 0, SIZE - 1),
        (f"bytes=-{SIZE + 500}", 0, SIZE - 1),
        ("bytes=5-99999999999999999999", 5, SIZE - 1),
        ("BYTES=1-2", 1, 2),
        ("bytes= 1-2 ", 1, 2),
    ],
)
def test_one_range_is_served_alone(consumer, message, asked, first, last):
    answer = consumer.get(at(message), headers={"Range": asked})

    assert span_of(answer) == (206, PDF[first : last + 1], f"bytes {first}-{last}/{SIZE}")
    assert answer.headers["Content-Length"] == str(last + 1 - first)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=-0"])
def test_a_range_behind_the_end_is_not_satisfiable(consumer, message, asked, is_read):
    answer = consumer.get(at(message), headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.json["type"] == "urn:problem-type:ebox:messageRegistry:rangeNotSatisfiable"
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert not is_read(consumer, message)


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,3-4",
        "bytes=0-1,-1",
        "bytes=9-5",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-2x",
        "bytes=\u0661-\u0662".encode().decode("latin1"),
        "bytes=--5",
        "bytes=1.5-3",
        "bytes",
        "bytes=",
        "=0-4",
        "items=0-4",
        "nonsense",
        "",
        "bytes=0x1-0x2",
        f"bytes=0-{'9' * 5000}x",
    ],
)
def test_several_ranges_other_units_and_nonsense_are_ignored(consumer, message, asked):
    answer = consumer.get(at(message), headers={"Range": asked})

    assert span_of(answer) == (200, PDF, None)


def test_a_range_is_served_to_whoever_still_has_the_same_document(consumer, message, main_file):
    headers = {"Range": "bytes=0-4", "If-Range": f'"{main_file["digest"]}"'}

    answer = consumer.get(at(message), headers=headers)

    assert span_of(answer) == (206, PDF[:5], f"bytes 0-4/{SIZE}")


@pytest.mark.parametrize(
    "validator",
    ['"another"', 'W/"{digest}"', "{digest}", "Sun, 22 Nov 2026 12:00:00 GMT", "nonsense", '"', ""],
)
def test_a_range_of_another_document_gets_the_whole_one(consumer, message, main_file, validator):
    if_range = validator.replace("{digest}", main_file["digest"])

    answer = consumer.get(at(message), headers={"Range": "bytes=0-4", "If-Range": if_range})

    assert span_of(answer) == (200, PDF, None)


@pytest.mark.parametrize("tags", ['"{digest}"', 'W/"{digest}"', '"other", "{digest}"', "*"])
def test_a_document_that_the_client_has_is_not_sent_again(
    consumer, message, main_file, tags, is_read, told
):
    if_none_match = tags.replace("{digest}", main_file["digest"])

    answer = consumer.get(
        at(message), headers={"If-None-Match": if_none_match, "Range": "bytes=0-1"}
    )

    assert span_of(answer) == (304, b"", None)
    assert answer.headers["ETag"] == f'"{main_file["digest"]}"'
    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []


@pytest.mark.parametrize("tags", ['"other"', 'W/"other"', "", "nonsense", '"', "é"])
def test_a_document_that_the_client_has_not_is_sent(consumer, message, tags):
    answer = consumer.get(at(message), headers={"If-None-Match": tags})

    assert span_of(answer) == (200, PDF, None)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "tags", ['"zzz"', '"zzz", "other"', 'W/"{digest}"', '"zzz" , W/"{digest}",']
)
def test_a_document_that_is_not_the_one_meant_is_not_sent(
    consumer, message, main_file, is_read, method, tags
):
    if_match = tags.replace("{digest}", main_file["digest"])
    headers = {"If-Match": if_match, "If-None-Match": f'"{main_file["digest"]}"'}

    answer = consumer.ask(method, at(message), headers={**headers, "Range": "bytes=0-1"})

    assert answer.status_code == 412
    if method == "GET":
        assert answer.json["code"] == "PRECONDITION_FAILED"
    assert not is_read(consumer, message)


@pytest.mark.parametrize("tags", ['"{digest}"', '"zzz","{digest}"', "*", "zzz", '"zzz" zzz', ""])
def test_a_document_that_is_the_one_meant_is_sent(consumer, message, main_file, tags):
    if_match = tags.replace("{digest}", main_file["digest"])

    answer = consumer.get(at(message), headers={"If-Match": if_match})
    gone = consumer.get(at(message, "9"), headers={"If-Match": '"zzz"'})

    assert span_of(answer) == (200, PDF, None)
    assert gone.status_code == 404


def test_a_citizen_s_document_that_is_not_the_one_meant_is_not_sent(citizen, deliver):
    message = deliver(citizen.ebox, a_file())

    assert citizen.get(at(message), headers={"If-Match": '"zzz"'}).status_code == 412


def test_head_tells_everything_but_the_content_and_reads_nothing(consumer, message, is_read, told):
    head = consumer.ask("HEAD", at(message))

    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []
    get = consumer.get(at(message))
    changing = ("BelGov-Trace-Id",)
    assert (head.status_code, head.data) == (200, b"")
    assert [pair for pair in head.headers if pair[0] not in changing] == [
        pair for pair in get.headers if pair[0] not in changing
    ]


def test_head_knows_no_ranges(consumer, message):
    for asked in ("bytes=0-4", f"bytes={SIZE}-"):
        answer = consumer.ask("HEAD", at(message), headers={"Range": asked})

        assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-0"}, {"Range": "bytes=-1"}])
def test_downloading_main_content_marks_the_message_read(consumer, message, headers, is_read, told):
    consumer.get(at(message), headers=headers)

    assert is_read(consumer, message)
    assert told(consumer.ebox) == [(READ, message)]


def test_the_second_download_changes_nothing(consumer, message, owner, told):
    def read_at():
        with owner.connect() as connection:
            query = "SELECT read_at FROM messages WHERE message_id = %s"
            return connection.exec_driver_sql(query, (message,)).scalar_one()

    consumer.get(at(message))
    first = read_at()
    consumer.get(at(message))

    assert first is not None
    assert read_at() == first
    assert told(consumer.ebox) == [(READ, message)]


def test_a_person_who_downloads_marks_the_message_read_too(portal_user, deliver, is_read, told):
    message = deliver(portal_user.ebox, a_file(), partition="partitionB")

    assert portal_user.get(at(message)).status_code == 200

    assert is_read(portal_user, message)
    assert told(portal_user.ebox) == [(READ, message)]


def test_a_citizen_who_downloads_marks_the_message_read_too(citizen, deliver, is_read, told):
    message = deliver(citizen.ebox, a_file())

    assert citizen.get(at(message)).status_code == 200

    assert is_read(citizen, message)
    assert told(citizen.ebox) == [(READ, message)]


def test_twenty_downloads_at_once_tell_one_event(app, consumer, message, told):
    def download(_):
        return type(consumer)(app.test_client(), consumer.token, consumer.ebox).get(at(message))

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(download, range(20)))

    assert [(answer.status_code, answer.data) for answer in answers] == [(200, PDF)] * 20
    assert told(consumer.ebox) == [(READ, message)]


def test_an_annex_does_not_mark_the_message_read(consumer, deliver, is_read, told):
    annex = a_file(attachment_id="2", is_main=False)
    message = deliver(consumer.ebox, a_file(), annex)

    assert consumer.get(at(message, "2")).status_code == 200

    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []


def test_the_senders_own_look_marks_nothing(consumer, deliver, told, owner):
    recipient = an_ebox()
    message = deliver(recipient, a_file(), sender=consumer.ebox.number, sent_from="GENERAL")

    answer = consumer.get(at(message))

    assert (answer.status_code, answer.data) == (200, PDF)
    assert told(recipient) == told(consumer.ebox) == []
    with owner.connect() as connection:
        query = "SELECT read_at FROM messages WHERE message_id = %s"
        assert connection.exec_driver_sql(query, (message,)).scalar_one() is None


def test_a_document_that_storage_lost_is_nobodys_404_and_stays_unread(
    consumer, message, main_file, blobs, is_read, told
):
    blobs.erase(main_file["blob_key"])

    answer = consumer.get(at(message))

    assert answer.status_code == 502
    assert answer.json["type"] == "urn:problem-type:ebox:messageRegistry:documentUnavailable"
    assert answer.headers["Retry-After"] == "5"
    assert main_file["blob_key"] not in answer.text
    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=10-"}, {"Range": f"bytes={SIZE - 1}-"}])
def test_a_document_that_storage_cut_short_stays_unread(
    consumer, message, main_file, blobs, is_read, headers
):
    blobs.put(main_file["blob_key"], [PDF[:-3]])

    answer = consumer.get(at(message), headers=headers)

    assert answer.status_code == 502
    assert answer.json["type"] == "urn:problem-type:ebox:messageRegistry:documentUnavailable"
    assert answer.headers["Retry-After"] == "5"
    assert not is_read(consumer, message)


def test_a_store_that_does_not_answer_is_503_and_nothing_is_read(
    app_with, elsewhere, consumer, message, is_read
):
    there = elsewhere(consumer, app_with(s3_endpoint="http://127.0.0.1:9", s3_timeout=1))

    answer = there.get(at(message))

    assert answer.status_code == 503
    assert answer.json["type"] == "urn:problem-type:belgif:serviceUnavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert not is_read(consumer, message)


@pytest.mark.parametrize("asked", [None, "bytes=-5", "bytes=0-"])
def test_an_empty_document_is_a_document_too(consumer, deliver, is_read, asked):
    message = deliver(consumer.ebox, a_file(b""), content=b"")

    answer = consumer.get(at(message), headers={"Range": asked} if asked else {})

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == "0"
    assert is_read(consumer, message)


def test_a_big_document_streams_in_small_chunks_and_arrives_intact(consumer, deliver):
    content = b"0123456789abcdef" * (20 * 1024 * 1024 // 16)
    message = deliver(consumer.ebox, a_file(content), content=content)
    digest, largest = hashlib.sha256(), 0

    with consumer.get(at(message), buffered=False) as answer:
        for chunk in answer.iter_encoded():
            digest.update(chunk)
            largest = max(largest, len(chunk))

    assert answer.headers["Content-Length"] == str(len(content))
    assert digest.digest() == hashlib.sha256(content).digest()
    assert largest <= CHUNK_SIZE


def test_a_range_across_parts_of_a_big_document_is_exact(consumer, deliver):
    content = bytes(range(256)) * (9 * 1024 * 1024 // 256)
    message = deliver(consumer.ebox, a_file(content), content=content)
    first = 8 * 1024 * 1024 - 100

    answer = consumer.get(at(message), headers={"Range": f"bytes={first}-{first + 199}"})

    assert (answer.status_code, answer.data) == (206, content[first : first + 200])


@pytest.mark.parametrize(
    "accept",
    [
        "application/pdf",
        "*/*",
        "text/html, */*;q=0.1",
        "application/octet-stream",
        "application/json",
        "application/problem+json",
        "image/*",
        "application/pdf;q=0",
    ],
)
def test_a_document_is_refused_to_no_client_for_its_type(consumer, message, accept, is_read):
    answer = consumer.get(at(message), headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert is_read(consumer, message)
