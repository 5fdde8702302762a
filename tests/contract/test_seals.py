"""Seals in a real bucket with Object Lock, and what whoever may write there can do to them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from registry.audit.store.seal_bucket import S3Seals, SealObject
from registry.blobs.versions import make_checksum
from registry.domain.errors import Unavailable
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.wiring.storage import make_s3_client

UNTIL = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3653)


@pytest.fixture
def client(settings):
    """As the service has it; closed when done."""
    client = make_s3_client(settings)
    yield client
    client.close()


@pytest.fixture
def store(client, settings):
    """Under a prefix of the test's own."""
    return S3Seals(client, settings.audit_bucket, f"{uuid4().hex}/")


@pytest.fixture
def intrude(store):
    """Put something under a key, or with None a mark that hides what is there."""

    def put(key, content):
        named = {"Bucket": store.bucket, "Key": f"{store.prefix}{key}"}
        if content is None:
            return store.client.delete_object(**named)
        return store.client.put_object(**named, Body=content)

    return put


def versions(store):
    found = store.client.list_object_versions(Bucket=store.bucket, Prefix=store.prefix)
    return found.get("Versions", [])


def first(store, number):
    """The oldest object under the number of a seal."""
    stored = store.read(number)
    return stored[0].content if stored else None


def numbers(store):
    return [stored.number for stored in store.list_objects() if stored.number and stored.versions]


def touched(store):
    """The keys at which somebody else was."""
    return [stored.key for stored in store.list_objects() if stored.is_touched]


def test_what_goes_in_comes_out(store):
    store.put(1, b"one", UNTIL)

    assert first(store, 1) == b"one"
    assert first(store, 2) is None


def test_a_seal_lies_under_its_number_in_the_order_of_numbers(store):
    for number in (10, 1, 9, 123456789012):
        store.put(number, b"%d" % number, UNTIL)

    assert numbers(store) == [1, 9, 10, 123456789012]
    keys = [version["Key"] for version in versions(store)]
    assert f"{store.prefix}000000000001.json" in keys


def test_a_seal_is_under_compliance_until_its_time(store):
    store.put(1, b"one", UNTIL)

    kept = store.client.get_object_retention(
        Bucket=store.bucket, Key=f"{store.prefix}000000000001.json"
    )
    assert kept["Retention"] == {"Mode": "COMPLIANCE", "RetainUntilDate": UNTIL}


def test_nobody_can_delete_a_seal_nor_shorten_its_time(store):
    store.put(1, b"one", UNTIL)
    (version,) = versions(store)
    named = {"Bucket": store.bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
    sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": UNTIL - timedelta(days=3600)}

    with pytest.raises(ClientError):
        store.client.delete_object(**named, BypassGovernanceRetention=True)
    with pytest.raises(ClientError):
        store.client.put_object_retention(**named, Retention=sooner, BypassGovernanceRetention=True)

    assert first(store, 1) == b"one"


def test_the_same_seal_again_is_no_second_version(store):
    store.put(1, b"one", UNTIL)

    store.put(1, b"one", UNTIL)

    assert len(versions(store)) == 1


def test_what_is_there_says_until_when_nobody_can_delete_it(store, intrude):
    store.put(1, b"one", UNTIL)
    intrude("000000000002.json", b"two")

    (locked,), (free,) = store.read(1), store.read(2)
    assert locked.locked_until == UNTIL
    assert locked.is_kept(UNTIL)
    assert not locked.is_kept(UNTIL + timedelta(seconds=1))
    assert free.locked_until is None
    assert not free.is_kept(datetime.now(UTC))


def test_a_lock_that_somebody_may_lift_is_none(store):
    store.client.put_object(
        Bucket=store.bucket,
        Key=f"{store.prefix}000000000001.json",
        Body=b"one",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=UNTIL,
        ContentMD5=make_checksum(b"one")["ContentMD5"],
    )

    (stored,) = store.read(1)
    assert stored.locked_until is None


def test_what_lies_there_without_a_lock_does_not_count_as_stored(store, intrude):
    intrude("000000000001.json", b"one")

    store.put(1, b"one", UNTIL)

    assert [each.is_kept(UNTIL) for each in store.read(1)] == [False, True]


def test_a_lock_that_is_too_short_does_not_count_as_one(store):
    store.put(1, b"one", UNTIL - timedelta(days=1))

    store.put(1, b"one", UNTIL)

    assert [each.is_kept(UNTIL) for each in store.read(1)] == [False, True]


def test_a_bucket_that_takes_a_seal_and_does_not_lock_it_has_not_stored_it(store):
    # As of a store that leaves out what it does not know.
    store.client.meta.events.register(
        "provide-client-params.s3.PutObject",
        lambda params, **_: {
            name: value for name, value in params.items() if not name.startswith("ObjectLock")
        },
    )

    with pytest.raises(Unavailable, match="took seal 1 and does not lock it until"):
        store.put(1, b"one", UNTIL)


def test_whatever_lies_under_the_name_of_a_seal_it_is_stored_all_the_same(store, intrude):
    intrude("000000000001.json", b"forged")
    intrude("000000000001.json", None)

    store.put(1, b"one", UNTIL)

    assert [each.content for each in store.read(1)] == [b"forged", b"one"]
    assert touched(store) == [f"{store.prefix}000000000001.json"]


def test_what_is_put_over_a_seal_is_not_read_and_is_told(store, intrude):
    store.put(1, b"one", UNTIL)
    store.put(2, b"two", UNTIL)
    for _ in range(3):
        intrude("000000000001.json", b"forged")

    assert first(store, 1) == b"one"
    assert touched(store) == [f"{store.prefix}000000000001.json"]


def test_what_hides_a_seal_hides_nothing_and_is_told(store, intrude):
    store.put(1, b"one", UNTIL)
    store.put(2, b"two", UNTIL)
    intrude("000000000002.json", None)

    assert first(store, 2) == b"two"
    assert numbers(store) == [1, 2]
    assert touched(store) == [f"{store.prefix}000000000002.json"]


def test_a_seal_that_was_hidden_is_not_stored_again(store, intrude):
    store.put(1, b"one", UNTIL)
    intrude("000000000001.json", None)

    store.put(1, b"one", UNTIL)

    assert len(versions(store)) == 1


@pytest.mark.parametrize(
    "name",
    ["1.json", "000000000001", "000000000001.jsonx", "x", "00000000000é.json", "²²²²²²²²²²²².json"],
)
def test_what_is_no_seal_counts_as_none_and_is_told(store, intrude, name):
    store.put(1, b"one", UNTIL)
    intrude(name, b"one")

    assert numbers(store) == [1]
    assert first(store, 1) == b"one"
    assert touched(store) == [f"{store.prefix}{name}"]


def test_the_same_bytes_twice_are_the_work_of_two_sealers_and_nobodys_fault(store, intrude):
    store.put(1, b"one", UNTIL)
    intrude("000000000001.json", b"one")

    assert touched(store) == []


def test_where_nothing_is_there_is_nothing_to_tell(store):
    assert list(store.list_objects()) == []


def test_lists_are_read_page_after_page(store, intrude):
    store.client.meta.events.register(
        "provide-client-params.s3.ListObjectVersions",
        lambda params, **_: {**params, "MaxKeys": 2},
    )
    for number in range(1, 6):
        store.put(number, b"%d" % number, UNTIL)
    for _ in range(3):
        intrude("000000000003.json", b"forged")

    assert numbers(store) == [1, 2, 3, 4, 5]
    assert first(store, 3) == b"3"
    assert touched(store) == [f"{store.prefix}000000000003.json"]


@pytest.mark.parametrize(
    ("first", "until", "expected"),
    [
        (0, None, [1, 2, 3, 4, 5]),
        (0, 3, [1, 2]),
        (2, 4, [2, 3]),
        (4, None, [4, 5]),
        (6, 9, []),
        (3, 3, []),
    ],
)
def test_a_range_of_seals_is_listed_alone(store, intrude, first, until, expected):
    for number in range(1, 6):
        store.put(number, b"%d" % number, UNTIL)
    intrude("000000000003.json", b"forged")
    intrude("000000000002.jsonl", b"beside them")

    listed = list(store.list_objects(first, until))

    assert [each.number for each in listed if each.number] == expected
    is_beside = first <= 2 and (until is None or until > 2)
    assert any(each.number is None for each in listed) == is_beside


def test_what_is_listed_is_read_in_that_order_with_all_versions(store, intrude):
    """More of them than are asked for at once."""
    for number in range(1, 41):
        store.put(number, b"%d" % number, UNTIL)
    for at in range(20):
        intrude("000000000007.json", b"forged %d" % at)
    intrude("000000000009.json", None)

    contents = {
        each.number: [version.content for version in versions]
        for each, versions in store.fetch_all(store.list_objects())
    }

    expected = {number: [b"%d" % number] for number in range(1, 41)}
    expected[7] += [b"forged %d" % at for at in range(20)]
    assert contents == expected
    assert list(contents) == list(expected)


def test_what_is_read_with_others_has_its_lock(store, intrude):
    store.put(1, b"one", UNTIL)
    intrude("000000000001.json", b"two")

    ((_, versions),) = store.fetch_all(store.list_objects())

    assert versions == store.read(1)
    assert [version.locked_until for version in versions] == [UNTIL, None]


def test_a_version_that_is_gone_by_then_is_an_error(store):
    store.put(1, b"one", UNTIL)
    (listed,) = store.list_objects()

    with pytest.raises(Unavailable):
        list(store.fetch_all([replace(listed, versions=("0" * 32,))]))


def test_a_bucket_with_object_lock_is_fit(store):
    assert store.check() is None


def test_a_bucket_without_object_lock_is_not_fit(store, settings):
    plain = replace(store, bucket=settings.s3_bucket)

    with pytest.raises(
        Unavailable, match=f"The seal bucket {plain.bucket} has no Object Lock"
    ) as told:
        plain.check()

    assert told.value.__cause__ is None  # an answer: nothing to wait for


def test_a_bucket_that_is_not_there_is_not_fit(store):
    missing = replace(store, bucket=f"absent-{uuid4().hex}")

    with pytest.raises(Unavailable, match="There is no seal bucket absent-") as told:
        missing.check()

    assert told.value.__cause__ is None


def test_a_bucket_without_object_lock_takes_no_seal(store, settings):
    plain = replace(store, bucket=settings.s3_bucket)

    with pytest.raises(Unavailable):
        plain.put(1, b"one", UNTIL)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.put(1, b"one", UNTIL),
        lambda store: store.read(1),
        lambda store: list(store.list_objects()),
        lambda store: list(store.fetch_all([SealObject("seals/1", 1, ("v",), is_touched=False)])),
        lambda store: store.check(),
    ],
)
def test_a_store_that_nobody_serves_is_unavailable(store, settings, ask):
    address = f"http://{LOOPBACK}:{free_port()}"
    nobody = make_s3_client(settings.model_copy(update={"s3_endpoint": address}))

    with pytest.raises(Unavailable, match="does not answer") as told:
        ask(replace(store, client=nobody))

    nobody.close()
    assert told.value.__cause__ is not None  # silence: to be waited for
