"""Each right of the runbook is missed by the calls that need it, and by no other."""

import pytest

from registry.blobs.bucket_care import PROBES, BucketCare, BucketPlan
from registry.blobs.bucket_findings import BucketOutcome
from registry.blobs.bucket_rights import BucketRights
from registry.sandbox.servers.seaweed import ObjectStore
from tests.storage_identities import (
    ADMIN,
    NAMES,
    deny,
    list_actions,
    make_client,
    name_identity,
    read_policies,
    write_identities,
)

pytestmark = pytest.mark.process

DOCUMENTS, SEALS = NAMES
POLICIES = read_policies()
# Rights on a bucket's properties, which the service does not need.
LOOKING = {
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetBucketCORS",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketAcl",
}
# Calls that fail without a right, beside those that say so themselves.
MULTIPART = {"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}
CASES = [
    (bucket, action)
    for bucket, policy in POLICIES.items()
    for action in list_actions(policy)
    if action not in LOOKING
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The store, with both buckets under Object Lock."""
    policies = {name_identity(bucket): POLICIES[bucket] for bucket in NAMES}
    for bucket, action in CASES:
        policies[name_identity(bucket, action)] = deny(POLICIES[bucket], action)
    policies[name_identity(DOCUMENTS, *LOOKING)] = deny(POLICIES[DOCUMENTS], *LOOKING)
    directory = tmp_path_factory.mktemp("identities")
    write_identities(directory, policies)
    with ObjectStore(directory) as started:
        for bucket in NAMES:
            started.create_bucket(bucket, has_object_lock=True)
        yield started


@pytest.fixture
def trial(store):
    """Try the rights that are left without some; no lock is waited for."""
    clients = []

    def begin(bucket, *without, key=None, mode=None, wait=lambda _: None):
        client = make_client(store, key or name_identity(bucket, *without))
        clients.append(client)
        is_seals = bucket == SEALS
        mode = mode or ("COMPLIANCE" if is_seals else "GOVERNANCE")
        return BucketRights(client, bucket, mode, deletes=not is_seals, wait=wait)

    yield begin
    for client in clients:
        client.close()


def run(rights):
    """The findings by their subject, what was put there removed as far as it can be."""
    findings = {finding.subject: finding for finding in rights.run()}
    return findings, list(rights.clean(is_hasty=True))


@pytest.mark.parametrize("bucket", NAMES)
def test_the_policies_of_the_runbook_are_enough(trial, bucket):
    findings, _ = run(trial(bucket))

    assert {finding.outcome for finding in findings.values()} == {BucketOutcome.OK}


@pytest.mark.parametrize(("bucket", "action"), CASES)
def test_each_right_that_is_missing_is_named(trial, bucket, action):
    findings, _ = run(trial(bucket, action))

    missing = {
        subject for subject, finding in findings.items() if finding.outcome is BucketOutcome.MISSING
    }
    needing = {
        subject
        for subject, finding in findings.items()
        if action in str(finding.action).split(", ")
    }
    if bucket == SEALS and action in ("s3:ListBucket", "s3:GetObject"):
        assert missing == needing == set()  # of auditors' tools
    elif action == "s3:PutObject":
        assert missing >= needing - MULTIPART
        assert "CreateMultipartUpload" in missing or bucket == SEALS
    else:
        assert missing == needing != set()


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:PutObjectRetention"])
def test_what_could_not_be_tried_is_not_called_missing(trial, action):
    findings, _ = run(trial(DOCUMENTS, action))

    assert findings["GetObjectRetention"].outcome is BucketOutcome.UNKNOWN
    assert findings["GetObjectRetention"].detail == "Not tried: a call before it is missing."


def test_nothing_stays_where_the_key_may_delete(trial, store):
    waits = []
    rights = trial(DOCUMENTS, wait=waits.append)
    findings = list(rights.run())
    remains = list(rights.clean())

    client = make_client(store, ADMIN)
    (locked_version,) = client.list_object_versions(Bucket=DOCUMENTS, Prefix=rights._canary._key)[
        "Versions"
    ]
    client.close()
    assert locked_version["Key"].endswith("-locked")  # the wait did not wait
    assert waits == [10]
    assert findings[-1].subject == "a lock holds"
    assert [each.outcome for each in remains] == [BucketOutcome.WARNING]


def test_without_a_lock_nothing_is_waited_for_and_nothing_stays(store):
    client = make_client(store, ADMIN)
    store.create_bucket("plain-documents")
    rights = BucketRights(client, "plain-documents", None, deletes=True, wait=pytest.fail)

    findings = list(rights.run())

    assert {finding.outcome for finding in findings} == {BucketOutcome.OK}
    assert list(rights.clean()) == []
    answer = client.list_object_versions(Bucket="plain-documents")
    assert {"Versions", "DeleteMarkers"} & set(answer) == set()
    client.close()


def test_a_bucket_whose_lock_does_not_hold_is_told(store):
    """A key that may bypass the lock stands for a store that does not keep it."""
    client = make_client(store, ADMIN)
    rights = BucketRights(client, DOCUMENTS, "GOVERNANCE", deletes=True, wait=lambda _: None)

    def bypass(params, **_):
        params["headers"]["x-amz-bypass-governance-retention"] = "true"

    client.meta.events.register("before-call.s3.DeleteObject", bypass)
    findings = {finding.subject: finding for finding in rights.run()}

    assert findings["a lock holds"].outcome is BucketOutcome.MISSING
    assert findings["a lock holds"].detail == "A locked object was deleted before its time."
    assert list(rights.clean()) == []
    client.close()


def test_among_seals_what_stays_is_named_and_as_it_should_be(trial):
    _, (remains,) = run(trial(SEALS))

    assert remains.outcome is BucketOutcome.OK
    assert remains.detail.startswith(PROBES)


def test_properties_that_a_key_may_not_look_at_are_unknown(store):
    client = make_client(store, name_identity(DOCUMENTS, *LOOKING))
    plan = BucketPlan(name=DOCUMENTS, has_lock=True, encryption="AES256")

    findings = {each.subject: each for each in BucketCare(client, plan, may_change=False).run()}

    unknown = {
        subject for subject, each in findings.items() if each.outcome is BucketOutcome.UNKNOWN
    }
    assert unknown == {"versioning", "encryption", "unfinished uploads", "CORS", "public access"}
    assert "GetBucketVersioning was answered with AccessDenied" in findings["versioning"].detail
    client.close()
