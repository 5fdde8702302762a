"""One promise, two stores: whatever keeps documents keeps them like this."""

import os
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from registry.blobs.memory import MemoryBlobs
from registry.blobs.s3 import PART_SIZE, S3Blobs
from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.wiring.storage import make_document_store, make_s3_client

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * 5


@pytest.fixture
def s3(settings) -> Iterator[S3Blobs]:
    """The store as the service has it, in a bucket of its own; close it when done."""
    bucket = f"b-{uuid4().hex}"
    client = make_s3_client(settings)
    client.create_bucket(Bucket=bucket)
    yield S3Blobs(client, bucket)
    client.close()


@pytest.fixture(params=["memory", "s3"])
def store(request):
    """Either of the two."""
    return MemoryBlobs() if request.param == "memory" else request.getfixturevalue("s3")


@pytest.fixture
def another(settings):
    """A store with settings changed: `another(s3_secret_key=…)`."""
    stores = []

    def make(**changes):
        values = settings.model_dump() | {"s3_timeout": 5} | changes
        changed = type(settings).model_validate(values)
        store = make_document_store(changed)
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.client.close()


def read(store, key, first, last):
    blob = store.open(key, first, last)
    try:
        return b"".join(blob)
    finally:
        blob.close()


def whole(store, key, size):
    return read(store, key, 0, size - 1)


def uploads(s3):
    """Uploads that were begun and neither completed nor aborted."""
    return s3.client.list_multipart_uploads(Bucket=s3.bucket).get("Uploads", [])


def keys(s3):
    return [item["Key"] for item in s3.client.list_objects_v2(Bucket=s3.bucket).get("Contents", [])]


@pytest.mark.parametrize(
    "chunks",
    [
        [CONTENT],
        [CONTENT[:1], CONTENT[1:]],
        [bytes([byte]) for byte in CONTENT],
        [b"", CONTENT, b""],
    ],
    ids=["one chunk", "two chunks", "byte by byte", "empty chunks between"],
)
def test_what_is_put_is_what_is_read(store, chunks):
    store.put("key", iter(chunks))

    assert whole(store, "key", len(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (0, 9), (10, 99), (1279, 1279), (1, 1278), (0, 1279)]
)
def test_a_range_is_read_with_both_its_ends(store, first, last):
    store.put("key", [CONTENT])

    assert read(store, "key", first, last) == CONTENT[first : last + 1]


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]], ids=["none", "one", "two"])
def test_an_empty_document_is_a_document(store, chunks):
    store.put("key", chunks)

    assert read(store, "key", 0, -1) == b""


@pytest.mark.parametrize("size", [PART_SIZE - 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE + 7])
def test_a_document_in_several_parts_is_whole_again(store, size):
    content = os.urandom(size)

    store.put("key", (content[at : at + MIB] for at in range(0, size, MIB)))

    assert whole(store, "key", size) == content
    assert read(store, "key", size - 5, size - 1) == content[-5:]


def test_a_document_put_again_replaces_the_first(store):
    store.put("key", [b"first"])

    store.put("key", [b"another"])

    assert whole(store, "key", 7) == b"another"


def test_documents_do_not_mix(store):
    store.put("one", [b"1"])
    store.put("two", [b"2"])

    assert (whole(store, "one", 1), whole(store, "two", 1)) == (b"1", b"2")


def metadata_of(store, key):
    if isinstance(store, MemoryBlobs):
        return store.versions[key][-1].metadata
    return store.client.head_object(Bucket=store.bucket, Key=key)["Metadata"]


@pytest.mark.parametrize("size", [0, 7, PART_SIZE, PART_SIZE + 1])
def test_metadata_are_kept_with_a_document(store, size):
    store.put("key", [bytes(size)], lambda: {"message-id": "a", "sha-256": "b="})
    store.put("other", [bytes(size)])

    assert metadata_of(store, "key") == {"message-id": "a", "sha-256": "b="}
    assert metadata_of(store, "other") == {}
    assert whole(store, "key", size) == bytes(size)


@pytest.mark.parametrize("size", [0, 7, PART_SIZE])
def test_metadata_are_asked_for_when_all_of_a_small_document_has_come(store, size):
    passed = []

    def chunks():
        yield bytes(size)
        passed.append("all")

    store.put("key", chunks(), lambda: {"passed": "".join(passed)})

    assert metadata_of(store, "key") == {"passed": "all"}


class Broken(Exception):
    """The sender went away."""


def breaking_off(after):
    yield from after
    raise Broken


@pytest.mark.parametrize(
    "sent",
    [[], [b"half"], [bytes(PART_SIZE), b"half"]],
    ids=["before the first byte", "in the first part", "in the second part"],
)
def test_an_upload_that_breaks_off_leaves_nothing(store, sent):
    with pytest.raises(Broken):
        store.put("key", breaking_off(sent))

    with pytest.raises(DocumentUnavailable):
        store.open("key", 0, 3)


def test_an_upload_that_breaks_off_is_not_left_pending_in_s3(s3):
    with pytest.raises(Broken):
        s3.put("key", breaking_off([bytes(PART_SIZE), b"half"]))

    assert uploads(s3) == []
    assert keys(s3) == []


def test_an_upload_that_breaks_off_leaves_the_document_that_was_there(store):
    store.put("key", [b"first"])

    with pytest.raises(Broken):
        store.put("key", breaking_off([b"other"]))

    assert whole(store, "key", 5) == b"first"


def test_a_pending_upload_would_be_seen(s3):
    s3.client.create_multipart_upload(Bucket=s3.bucket, Key="key")

    assert [upload["Key"] for upload in uploads(s3)] == ["key"]


@pytest.mark.parametrize(("first", "last"), [(0, 3), (0, -1)], ids=["a range", "all of nothing"])
def test_a_document_that_is_not_there_is_unavailable(store, first, last):
    with pytest.raises(DocumentUnavailable):
        store.open("absent", first, last)


@pytest.mark.parametrize(
    ("first", "last"), [(0, 5), (4, 5), (5, 5), (100, 200)], ids=["end", "tail", "behind", "far"]
)
def test_a_document_shorter_than_promised_is_unavailable(store, first, last):
    store.put("key", [b"12345"])

    with pytest.raises(DocumentUnavailable):
        store.open("key", first, last)


def test_a_document_that_should_be_empty_and_is_not_is_unavailable(store):
    store.put("key", [b"12345"])

    with pytest.raises(DocumentUnavailable):
        store.open("key", 0, -1)


def test_a_document_is_signed_if_it_is_there_in_its_size(store):
    store.put("signed", [CONTENT])

    assert "signed?" in store.sign("signed", len(CONTENT))
    for key, size in (("signed", len(CONTENT) - 1), ("missing", 1)):
        with pytest.raises(DocumentUnavailable):
            store.sign(key, size)


def test_an_empty_document_is_signed_too(store):
    store.put("empty", [b""])

    assert "empty?" in store.sign("empty", 0)
    with pytest.raises(DocumentUnavailable):
        store.sign("empty", 1)


def test_a_signed_path_opens_that_document_alone(s3):
    for key in ("mine", "other"):
        s3.put(key, [CONTENT])
    path = s3.sign("mine", len(CONTENT))
    host = urlsplit(s3.client.meta.endpoint_url).netloc

    def fetch(path, **headers):
        with closing(HTTPConnection(host, timeout=30)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    assert fetch(path) == (200, CONTENT)
    assert fetch(path, Range="bytes=1-3") == (206, CONTENT[1:4])
    assert fetch(path.replace("mine", "other"))[0] == 403
    assert fetch(path.split("?")[0])[0] == 403


def test_what_is_erased_is_gone_and_may_be_erased_again(store):
    store.put("key", [CONTENT])

    store.erase("key")
    store.erase("key")

    with pytest.raises(DocumentUnavailable):
        store.open("key", 0, 0)


def test_a_document_may_be_closed_unread_and_twice(store):
    store.put("key", [CONTENT])

    for _ in range(100):
        blob = store.open("key", 0, len(CONTENT) - 1)
        blob.close()
        blob.close()

    assert whole(store, "key", len(CONTENT)) == CONTENT


def test_a_document_may_be_closed_half_read(store):
    content = bytes(2 * MIB)
    store.put("key", [content])
    blob = store.open("key", 0, len(content) - 1)

    first = next(iter(blob))
    blob.close()

    assert first == content[: len(first)]
    assert whole(store, "key", len(content)) == content


def test_a_store_that_can_be_reached_says_nothing(store):
    assert store.check() is None


@pytest.mark.parametrize(
    "key", ["a/b/c", "with space", "é€😀", "%2F", "a+b", "?versions", "#", "x" * 200]
)
def test_any_key_is_kept_apart(store, key):
    store.put(key, [b"1"])

    assert whole(store, key, 1) == b"1"
    with pytest.raises(DocumentUnavailable):
        store.open(f"{key}x", 0, 0)


def every_operation(store):
    return [
        lambda: store.put("key", [b"1"]),
        lambda: store.open("key", 0, 0),
        lambda: store.erase("key"),
        store.check,
    ]


def test_a_store_that_nobody_serves_is_unavailable_for_everything(another):
    unreachable = another(s3_endpoint=f"http://{LOOPBACK}:{free_port()}")

    for operation in every_operation(unreachable):
        with pytest.raises(Unavailable):
            operation()


def test_a_wrong_secret_is_unavailable_and_is_not_told(another, s3):
    s3.put("key", [b"1"])
    stranger = another(s3_bucket=s3.bucket, s3_secret_key="not-the-secret")

    for operation in every_operation(stranger):
        with pytest.raises(Unavailable) as refused:
            operation()
        assert "not-the-secret" not in str(refused.value)

    assert whole(s3, "key", 1) == b"1"


def test_a_bucket_that_is_not_there_is_unavailable(another):
    missing = another(s3_bucket=f"absent-{uuid4().hex}")

    with pytest.raises(Unavailable):
        missing.check()


class BreaksOff(BaseHTTPRequestHandler):
    """An S3 that promises a thousand bytes and hangs up after ten."""

    def do_GET(self):
        self.send_response(206)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(bytes(10))

    def log_message(self, *_):
        pass


def test_a_store_that_breaks_off_in_the_middle_is_unavailable(another):
    server = HTTPServer((LOOPBACK, 0), BreaksOff)
    Thread(target=server.serve_forever, daemon=True).start()
    broken = another(s3_endpoint=f"http://{LOOPBACK}:{server.server_port}")
    blob = broken.open("key", 0, 999)

    with pytest.raises(Unavailable):
        b"".join(blob)

    blob.close()
    server.shutdown()
    server.server_close()


class SaysTooLittle(BreaksOff):
    """An S3 that leaves out of its answers what S3 must say."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(b"5\r\nbytes\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked"))

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"", ("Content-Length", "0"))

    def do_POST(self):
        upload = (
            b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        )
        content = b"<InitiateMultipartUploadResult/>" if "none" in self.path else upload
        self.answer(content, ("Content-Length", str(len(content))))

    def do_DELETE(self):
        self.answer(b"", ("Content-Length", "0"))

    def answer(self, content, *headers):
        self.send_response(200)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def reticent(another):
    """A store that says too little."""
    server = ThreadingHTTPServer((LOOPBACK, 0), SaysTooLittle)
    Thread(target=server.serve_forever, daemon=True).start()
    yield another(s3_endpoint=f"http://{LOOPBACK}:{server.server_port}")
    server.shutdown()
    server.server_close()


def test_a_document_without_its_length_is_unavailable(reticent):
    with pytest.raises(DocumentUnavailable):
        reticent.open("key", 0, 4)


@pytest.mark.parametrize(("key", "member"), [("key", "ETag"), ("none", "UploadId")])
def test_an_upload_without_what_s3_must_say_is_unavailable(reticent, key, member):
    with pytest.raises(Unavailable, match=member):
        reticent.put(key, [bytes(PART_SIZE), b"more"])


def test_a_large_document_passes_in_bounded_memory(s3):
    size, chunk = 64 * MIB, bytes(256 * 1024)
    s3.put("warm", [b"up"])
    read(s3, "warm", 0, 1)

    tracemalloc.start()
    s3.put("key", (chunk for _ in range(size // len(chunk))))
    blob = s3.open("key", 0, size - 1)
    received = sum(len(part) for part in blob)
    blob.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert received == size
    assert peak < 32 * MIB


# The request that says how a document is to be kept, and one that is put that way.
SMALL = ("PutObject", b"1")
LARGE = ("CreateMultipartUpload", bytes(PART_SIZE))


@pytest.mark.parametrize(
    ("settings_", "headers"),
    [
        ({}, {}),
        ({"s3_encryption": "AES256"}, {"x-amz-server-side-encryption": b"AES256"}),
        (
            {"s3_encryption": "aws:kms", "s3_encryption_key": "our-key"},
            {
                "x-amz-server-side-encryption": b"aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": b"our-key",
            },
        ),
    ],
    ids=["off", "the store's key", "our key"],
)
@pytest.mark.parametrize(
    ("call", "size"), [("PutObject", 1), ("CreateMultipartUpload", PART_SIZE + 1)]
)
def test_encryption_is_asked_for_when_it_is_set(another, settings_, headers, call, size):
    blobs = another(**settings_)
    sent = []
    blobs.client.meta.events.register(
        f"before-sign.s3.{call}",
        lambda request, **_: sent.append(dict(request.headers)),
    )

    with suppress(Unavailable):  # a store without KMS refuses; what counts is what was asked
        blobs.put("key", [bytes(size)])

    asked = sent[0]
    found = {name: value for name, value in asked.items() if "encryption" in name.lower()}
    assert {name.lower(): value for name, value in found.items()} == {
        name: value.decode() for name, value in headers.items()
    }


def test_a_document_encrypted_by_the_store_is_read_as_it_was_put(another):
    blobs = another(s3_encryption="AES256")

    blobs.put("sealed", [CONTENT])

    head = blobs.client.head_object(Bucket=blobs.bucket, Key="sealed")
    assert head["ServerSideEncryption"] == "AES256"
    assert whole(blobs, "sealed", len(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    ("style", "url"),
    [
        ("path", "https://s3.example.org/documents/key"),
        ("virtual", "https://documents.s3.example.org/key"),
    ],
)
def test_the_bucket_is_addressed_as_the_settings_say(another, style, url):
    blobs = another(
        s3_endpoint="https://s3.example.org", s3_bucket="documents", s3_addressing=style
    )

    signed = blobs.client.generate_presigned_url(
        "get_object", Params={"Bucket": blobs.bucket, "Key": "key"}
    )

    assert signed.partition("?")[0] == url


@pytest.mark.parametrize(("setting", "sends"), [("when_required", False), ("when_supported", True)])
@pytest.mark.parametrize(
    ("operation", "size"),
    [("PutObject", PART_SIZE), ("UploadPart", PART_SIZE + 1)],
    ids=["in one part", "in two parts"],
)
def test_checksums_are_sent_as_the_settings_say(another, setting, sends, operation, size):
    blobs = another(s3_checksums=setting)
    sent = []
    blobs.client.meta.events.register(
        f"before-sign.s3.{operation}", lambda request, **_: sent.append(set(request.headers))
    )

    blobs.put("key", [bytes(size)])

    assert len(sent) == -(-size // PART_SIZE)
    for names in sent:
        assert any("checksum" in name.lower() for name in names) is sends
    assert whole(blobs, "key", size) == bytes(size)


def test_the_keys_of_what_is_kept_are_listed_below_a_prefix(store):
    for key in ("a/1", "a/2", "b/1"):
        store.put(key, [b"1"])

    assert sorted(store.keys("a/", before=later())) == ["a/1", "a/2"]
    assert sorted(store.keys("", before=later())) == ["a/1", "a/2", "b/1"]


def test_what_was_stored_since_is_not_listed(s3):
    s3.put("key", [b"1"])

    assert list(s3.keys("", before=later(-1))) == []


def test_an_upload_that_nobody_finished_is_ended_and_named(s3):
    for key in ("a/1", "b/1"):
        s3.client.create_multipart_upload(Bucket=s3.bucket, Key=key)

    assert list(s3.abort_uploads("", before=later(-1))) == []
    assert list(s3.abort_uploads("a/", before=later())) == ["a/1"]
    assert [upload["Key"] for upload in uploads(s3)] == ["b/1"]


def later(hours=1):
    return datetime.now(UTC) + timedelta(hours=hours)
