"""What a store that keeps versions, or must keep documents, does when they are to go."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from uuid import uuid4

import pytest

from registry.blobs import Retention
from registry.blobs.memory import MemoryBlobs, MemoryVersion
from registry.blobs.s3 import PART_SIZE, S3Blobs
from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.wiring.storage import make_s3_client

pytestmark = pytest.mark.process

RETENTION = Retention("COMPLIANCE", days=1)
NO_DELETION = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
}


class Clock:
    """The time, shifted as a test needs it."""

    shift = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.shift


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(settings):
    """As the service has it; closed when done."""
    client = make_s3_client(settings)
    yield client
    client.close()


@pytest.fixture(scope="module")
def buckets(objects):
    """Three for all tests, since SeaweedFS has no room for many: plain, versioned, locked."""
    names = {kind: f"{kind}-{uuid4().hex}" for kind in ("plain", "versioned", "locked")}
    for kind, name in names.items():
        objects.create_bucket(name, has_object_lock=kind == "locked")
    client = objects.client()
    client.put_bucket_versioning(
        Bucket=names["versioned"], VersioningConfiguration={"Status": "Enabled"}
    )
    client.close()
    return names


@pytest.fixture
def key():
    """Of this test alone."""
    return uuid4().hex


@pytest.fixture
def plain_s3(client, buckets):
    """A bucket that keeps no versions."""
    return S3Blobs(client, buckets["plain"])


@pytest.fixture
def versioned_s3(client, buckets):
    """A bucket that keeps versions."""
    return S3Blobs(client, buckets["versioned"], is_versioned=True)


@pytest.fixture
def locked_s3(client, buckets, clock):
    """A bucket with Object Lock."""
    return S3Blobs(client, buckets["locked"], retention=RETENTION, now=clock)


@pytest.fixture(params=["memory", "s3"])
def plain(request):
    """Either store, keeping no versions."""
    return MemoryBlobs() if request.param == "memory" else request.getfixturevalue("plain_s3")


@pytest.fixture(params=["memory", "s3"])
def versioned(request):
    """Either store, keeping versions."""
    if request.param == "memory":
        return MemoryBlobs(is_versioned=True)
    return request.getfixturevalue("versioned_s3")


@pytest.fixture(params=["memory", "s3"])
def locked(request, clock):
    """Either store, keeping what is put for a day."""
    if request.param == "memory":
        return MemoryBlobs(retention=RETENTION, now=clock)
    return request.getfixturevalue("locked_s3")


def put_freely(store, key, content):
    """Put what may be erased at once into a store with Object Lock."""
    free = replace(store, retention=None, is_versioned=True)
    free.put(key, [content])


def content(store, key, size=1):
    blob = store.open(key, 0, size - 1)
    try:
        return b"".join(blob)
    finally:
        blob.close()


def left(store, key):
    """How many versions and markers are left of what begins with this key."""
    if isinstance(store, MemoryBlobs):
        return sum(len(kept) for name, kept in store.versions.items() if name.startswith(key))
    found = store.client.list_object_versions(Bucket=store.bucket, Prefix=key)
    return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))


def requests(s3):
    """The operations that a client is about to send, as they come."""
    sent = []
    s3.client.meta.events.register(
        "before-sign.s3", lambda operation_name, **_: sent.append(operation_name)
    )
    return sent


def headers(s3, operation):
    """The headers of every request of an operation that a client is about to send."""
    sent = []
    s3.client.meta.events.register(
        f"before-sign.s3.{operation}",
        lambda request, **_: sent.append(
            {name.lower(): value for name, value in request.headers.items()}
        ),
    )
    return sent


def in_pages_of(s3, size):
    """Have every version list answered in short pages."""
    s3.client.meta.events.register(
        "provide-client-params.s3.ListObjectVersions",
        lambda params, **_: {**params, "MaxKeys": size},
    )


def hide(store, key):
    """Delete what is read, as somebody does who knows of no versions."""
    if isinstance(store, MemoryBlobs):
        store._add(key, MemoryVersion(None))
    else:
        store.client.delete_object(Bucket=store.bucket, Key=key)


def test_what_is_erased_leaves_no_version_and_no_marker(versioned, key):
    for number in range(3):
        versioned.put(key, [bytes([number])])
    hide(versioned, key)
    versioned.put(key, [b"4"])

    assert versioned.erase(key) is True

    assert left(versioned, key) == 0
    with pytest.raises(DocumentUnavailable):
        versioned.open(key, 0, 0)


def test_what_was_only_deleted_can_still_be_erased(versioned, key):
    versioned.put(key, [b"1"])
    hide(versioned, key)

    assert versioned.erase(key) is True

    assert left(versioned, key) == 0


@pytest.mark.parametrize("name", ["", "/é€😀 +%2F", "?versions"])
def test_only_exactly_this_key_is_erased(versioned, key, name):
    erased = key + name
    neighbours = [f"{erased}x", f"{erased}/x", key[:-1]]
    for each in (erased, *neighbours):
        versioned.put(each, [b"1"])

    assert versioned.erase(erased) is True

    assert left(versioned, key[:-1]) == 3
    for each in neighbours:
        assert content(versioned, each) == b"1"


def test_every_version_costs_one_request_and_their_list_another(versioned_s3, key):
    for each in (key, key, f"{key}x"):
        versioned_s3.put(each, [b"1"])
    sent = requests(versioned_s3)

    versioned_s3.erase(key)

    assert sent == ["ListObjectVersions", "DeleteObject", "DeleteObject"]


def test_what_is_not_there_counts_as_erased(versioned, key):
    versioned.put(f"{key}s", [b"1"])

    assert versioned.erase(key) is True

    assert left(versioned, key) == 1


def test_what_is_erased_may_be_erased_again(versioned, key):
    versioned.put(key, [b"1"])

    assert [versioned.erase(key), versioned.erase(key)] == [True, True]


def test_versions_are_erased_page_after_page(versioned_s3, key):
    in_pages_of(versioned_s3, 2)
    for _ in range(5):
        versioned_s3.put(key, [b"1"])
    hide(versioned_s3, key)

    assert versioned_s3.erase(key) is True

    assert left(versioned_s3, key) == 0


def test_without_versions_nothing_is_left_of_what_was_replaced(plain, key):
    plain.put(key, [b"1"])

    plain.put(key, [b"2"])

    assert left(plain, key) == 1


def test_without_versions_what_is_erased_is_gone_and_may_be_erased_again(plain, key):
    plain.put(key, [b"1"])

    assert [plain.erase(key), plain.erase(key)] == [True, True]

    with pytest.raises(DocumentUnavailable):
        plain.open(key, 0, 0)


def test_without_versions_a_document_is_erased_in_one_request(plain_s3, key):
    plain_s3.put(key, [b"1"])
    sent = requests(plain_s3)

    assert plain_s3.erase(key) is True
    assert plain_s3.erase(key) is True

    assert sent == ["DeleteObject", "DeleteObject"]
    assert left(plain_s3, key) == 0


def test_versions_that_nobody_told_of_are_erased_as_well(versioned_s3, key):
    unaware = replace(versioned_s3, is_versioned=False)
    unaware.put(key, [b"1"])
    unaware.put(key, [b"2"])

    assert unaware.erase(key) is True

    assert left(versioned_s3, key) == 0


def test_a_lock_that_nobody_told_of_leaves_the_document_readable(locked_s3, key):
    locked_s3.put(key, [b"1"])
    unaware = replace(locked_s3, retention=None)

    assert unaware.erase(key) is False

    assert left(locked_s3, key) == 1
    assert content(locked_s3, key) == b"1"


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_document_under_retention_is_kept_and_can_be_read(locked, key, mode):
    store = replace(locked, retention=Retention(mode, days=1))
    store.put(key, [b"1"])

    assert store.erase(key) is False

    assert left(store, key) == 1
    assert content(store, key) == b"1"


def test_a_document_in_several_parts_is_kept_as_well(locked, key):
    locked.put(key, [bytes(PART_SIZE), b"1"])

    assert locked.erase(key) is False

    assert content(locked, key, PART_SIZE + 1) == bytes(PART_SIZE) + b"1"


def test_a_document_is_erased_once_its_retention_is_over(locked, key, clock):
    clock.shift = timedelta(days=-1, seconds=3)
    locked.put(key, [b"1"])
    clock.shift = timedelta()
    time.sleep(3.1)

    assert locked.erase(key) is True

    assert left(locked, key) == 0


def test_a_document_that_was_hidden_stays_hidden_when_it_must_be_kept(locked, key):
    locked.put(key, [b"1"])
    hide(locked, key)

    assert locked.erase(key) is False

    with pytest.raises(DocumentUnavailable):
        locked.open(key, 0, 0)


def test_an_older_version_that_must_be_kept_does_not_come_to_light(locked, key):
    locked.put(key, [b"1"])
    put_freely(locked, key, b"2")

    assert locked.erase(key) is False

    assert content(locked, key) == b"2"


def test_a_newer_version_that_must_be_kept_does_not_save_the_older(locked, key):
    put_freely(locked, key, b"1")
    locked.put(key, [b"2"])

    assert locked.erase(key) is False

    assert left(locked, key) == 1
    assert content(locked, key) == b"2"


def test_a_document_on_hold_is_kept_until_it_is_let_go(locked, key):
    put_freely(locked, key, b"1")

    locked.hold(key, is_held=True)
    kept = locked.erase(key), content(locked, key)
    locked.hold(key, is_held=False)

    assert kept == (False, b"1")
    assert locked.erase(key) is True
    assert left(locked, key) == 0


def test_a_hold_outlasts_no_retention_that_is_longer(locked, key):
    locked.put(key, [b"1"])

    locked.hold(key, is_held=True)
    locked.hold(key, is_held=False)

    assert locked.erase(key) is False


def test_a_hold_may_be_put_and_lifted_twice(locked, key):
    put_freely(locked, key, b"1")

    for is_held in (True, True, False, False):
        locked.hold(key, is_held=is_held)

    assert locked.erase(key) is True


def test_only_exactly_this_document_is_held(locked, key):
    for each in (key, f"{key}/x"):
        put_freely(locked, each, b"1")

    locked.hold(key, is_held=True)

    assert locked.erase(f"{key}/x") is True
    assert locked.erase(key) is False


@pytest.mark.parametrize("is_held", [True, False])
def test_what_is_not_there_is_held_without_ado(locked, key, is_held):
    put_freely(locked, key, b"1")
    hide(locked, key)

    for each in (f"{key}x", key):
        locked.hold(each, is_held=is_held)

    assert locked.erase(key) is True


def test_nothing_is_held_where_nothing_is_retained(versioned, key):
    versioned.put(key, [b"1"])

    versioned.hold(key, is_held=True)

    assert versioned.erase(key) is True


def test_where_nothing_is_retained_a_hold_asks_nothing_of_the_store(versioned_s3, key):
    versioned_s3.put(key, [b"1"])
    sent = requests(versioned_s3)

    versioned_s3.hold(key, is_held=True)

    assert sent == []


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
@pytest.mark.parametrize("size", [1, PART_SIZE + 1], ids=["in one part", "in two parts"])
def test_the_store_knows_how_long_it_must_keep_a_document(locked_s3, key, clock, mode, size):
    store = replace(locked_s3, retention=Retention(mode, days=3))
    before = clock().replace(microsecond=0)

    store.put(key, [bytes(size)])

    kept = store.client.get_object_retention(Bucket=store.bucket, Key=key)["Retention"]
    assert kept["Mode"] == mode
    assert before <= kept["RetainUntilDate"] - timedelta(days=3) <= clock()


@pytest.mark.parametrize(
    ("operation", "size"),
    [("PutObject", 0), ("PutObject", PART_SIZE), ("UploadPart", PART_SIZE + 1)],
    ids=["nothing", "in one part", "in two parts"],
)
def test_bytes_under_a_lock_are_sent_with_their_digest(locked_s3, key, operation, size):
    sent = headers(locked_s3, operation)

    locked_s3.put(key, [bytes(size)])

    assert len(sent) == max(1, -(-size // PART_SIZE))
    assert all(part["content-md5"] for part in sent)


@pytest.mark.parametrize(
    ("operation", "size"), [("PutObject", 1), ("CreateMultipartUpload", PART_SIZE + 1)]
)
def test_without_a_retention_no_lock_is_asked_for(plain_s3, key, operation, size):
    sent = headers(plain_s3, operation)

    plain_s3.put(key, [bytes(size)])

    assert not [name for name in sent[0] if "object-lock" in name]


def test_a_bucket_with_object_lock_is_fit_for_a_retention(locked_s3):
    assert locked_s3.check() is None


def test_a_bucket_without_object_lock_is_not_fit_for_a_retention(versioned_s3):
    store = replace(versioned_s3, retention=RETENTION)

    with pytest.raises(Unavailable, match=f"{store.bucket} has no Object Lock"):
        store.check()


def test_a_bucket_that_is_not_there_has_no_object_lock(locked_s3):
    missing = replace(locked_s3, bucket=f"absent-{uuid4().hex}")

    with pytest.raises(Unavailable, match="no such bucket"):
        missing.check()


def every_operation(store, key):
    return [
        lambda: store.erase(key),
        lambda: store.hold(key, is_held=True),
        store.check,
    ]


def test_a_store_that_nobody_serves_neither_erases_nor_holds(locked_s3, key, settings):
    address = f"http://{LOOPBACK}:{free_port()}"
    nobody = make_s3_client(settings.model_copy(update={"s3_endpoint": address}))

    for operation in every_operation(replace(locked_s3, client=nobody), key):
        with pytest.raises(Unavailable):
            operation()

    nobody.close()


def test_a_bucket_that_is_not_there_neither_erases_nor_holds(locked_s3, key):
    missing = replace(locked_s3, bucket=f"absent-{uuid4().hex}")

    for operation in every_operation(missing, key):
        with pytest.raises(Unavailable):
            operation()


def test_who_may_not_delete_is_not_told_that_the_document_must_be_kept(versioned_s3, key):
    versioned_s3.put(key, [b"1"])
    forbidden = {**NO_DELETION, "Resource": f"arn:aws:s3:::{versioned_s3.bucket}/{key}"}
    versioned_s3.client.put_bucket_policy(
        Bucket=versioned_s3.bucket,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [forbidden]}),
    )

    with pytest.raises(Unavailable):
        versioned_s3.erase(key)

    assert content(versioned_s3, key) == b"1"


class Pedant(BaseHTTPRequestHandler):
    """An S3 that minds when what is to be deleted is not there, as some do."""

    protocol_version = "HTTP/1.1"

    def do_DELETE(self):
        answer = b"<Error><Code>NoSuchKey</Code></Error>"
        self.send_response(404)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def test_a_store_that_minds_what_is_not_there_counts_it_as_erased(settings, key):
    server = HTTPServer((LOOPBACK, 0), Pedant)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://{LOOPBACK}:{server.server_port}"
    client = make_s3_client(settings.model_copy(update={"s3_endpoint": address}))

    assert S3Blobs(client, "bucket").erase(key) is True

    client.close()
    server.shutdown()
    server.server_close()
