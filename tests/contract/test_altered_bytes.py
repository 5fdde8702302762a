"""Bytes that change on the way to the store, or in it: nobody is told that they are safe."""

import base64
import hashlib
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from registry.blobs.checked import verify_document
from registry.blobs.s3 import PART_SIZE, S3Blobs
from registry.domain.errors import DocumentAltered, DocumentNotStored, DocumentUnavailable
from registry.wiring.storage import make_document_store, make_s3_client
from tests.careless_s3 import a_careless_s3
from tests.flipping_proxy import a_flipping_proxy, marked

SIZES = [1000, PART_SIZE, PART_SIZE + 1000, 2 * PART_SIZE + 1000]
MIB = 1 << 20


def in_pieces(content):
    return (content[at : at + MIB] for at in range(0, len(content), MIB))


def digest_of(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()


@pytest.fixture
def proxy(objects):
    """The store behind a proxy, which flips what it is told to."""
    with a_flipping_proxy(objects.endpoint) as server:
        yield server


@pytest.fixture(params=["when_required", "when_supported"])
def store(settings, proxy, request):
    """A store behind that proxy, with a bucket of its own, with each setting of checksums."""
    bucket = f"b-{uuid4().hex}"
    changes = {"s3_endpoint": proxy.endpoint, "s3_bucket": bucket, "s3_checksums": request.param}
    opened = make_document_store(settings.model_copy(update=changes))
    opened.client.create_bucket(Bucket=bucket)
    yield opened
    opened.client.close()


def left_in(store):
    """Objects, and uploads that nobody finished."""
    client, bucket = store.client, {"Bucket": store.bucket}
    return (
        client.list_objects_v2(**bucket).get("Contents", []),
        client.list_multipart_uploads(**bucket).get("Uploads", []),
    )


@pytest.mark.parametrize("size", SIZES)
def test_what_passes_unchanged_is_stored(store, size):
    store.put("key", in_pieces(marked(size)))

    verify_document(store, "key", digest_of(marked(size)), size)


@pytest.mark.parametrize("size", SIZES)
def test_a_bit_that_flips_on_the_way_there_is_noticed_and_nothing_is_left(store, proxy, size):
    proxy.flip("there")

    with pytest.raises(DocumentNotStored):
        store.put("key", in_pieces(marked(size)))

    assert proxy.flips == 0
    assert left_in(store) == ([], [])


@pytest.mark.parametrize("size", SIZES)
def test_a_bit_that_flips_on_the_way_back_is_noticed(store, proxy, size):
    store.put("key", in_pieces(marked(size)))
    proxy.flip("back")

    with pytest.raises(DocumentAltered):
        verify_document(store, "key", digest_of(marked(size)), size)


@pytest.mark.parametrize("operation", ["put_object", "upload_part"])
def test_the_store_refuses_bytes_that_are_not_those_of_their_md5(store, operation):
    place = {"Bucket": store.bucket, "Key": "key"}
    if operation == "upload_part":
        place["UploadId"] = store.client.create_multipart_upload(**place)["UploadId"]
        place["PartNumber"] = 1
    other = base64.b64encode(hashlib.md5(b"others", usedforsecurity=False).digest()).decode()

    with pytest.raises(ClientError) as refusal:
        getattr(store.client, operation)(**place, Body=b"these", ContentMD5=other)

    assert refusal.value.response["Error"]["Code"] == "BadDigest"


@pytest.fixture
def careless():
    """A store that looks at no checksum, and its endpoint."""
    with a_careless_s3() as store_and_endpoint:
        yield store_and_endpoint


@pytest.fixture
def at_careless(settings, careless):
    """What puts documents there."""
    changes = {"s3_endpoint": careless[1], "s3_timeout": 5}
    opened = make_document_store(settings.model_copy(update=changes))
    yield opened
    opened.client.close()


def flip_first(content):
    return bytes([content[0] ^ 1]) + content[1:] if content else content


def cut_last(content):
    return content[:-1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("has_odd_etags", [False, True], ids=["MD5", "odd ETags"])
@pytest.mark.parametrize("change", [flip_first, cut_last])
def test_a_store_that_looks_at_no_checksum_is_found_out(
    at_careless, careless, size, has_odd_etags, change
):
    careless[0].change, careless[0].has_odd_etags = change, has_odd_etags

    with pytest.raises(DocumentNotStored):
        at_careless.put("key", in_pieces(marked(size)))

    assert careless[0].objects == {}


@pytest.mark.parametrize("size", [0, *SIZES])
def test_a_store_with_etags_that_say_nothing_is_read_back(at_careless, careless, size):
    careless[0].has_odd_etags = True

    at_careless.put("key", in_pieces(marked(size)))

    assert careless[0].objects == {"key": marked(size)}


@pytest.mark.parametrize(("first", "last"), [(0, 4), (2, 3), (0, 3)])
def test_a_document_that_grew_is_altered(s3, first, last):
    s3.put("key", [b"12345"])

    with pytest.raises(DocumentUnavailable):
        s3.open("key", first, last, size=4).close()


@pytest.fixture
def s3(settings):
    """A store with a bucket of its own."""
    client = make_s3_client(settings)
    bucket = f"b-{uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    yield S3Blobs(client, bucket)
    client.close()
