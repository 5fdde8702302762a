"""Buckets are made as they must be, and what is there stays."""

from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from registry.blobs.bucket_access import find_openings
from registry.blobs.bucket_care import BucketCare, BucketPlan
from registry.blobs.bucket_findings import BucketOutcome
from tests.fake_s3 import a_fake_s3

NOT_BLOCKED = b"""<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>"""
NO_BUCKET = b"<Error><Code>NoSuchBucket</Code></Error>"
SUBJECTS = [
    "bucket",
    "versioning",
    "Object Lock",
    "encryption",
    "unfinished uploads",
    "CORS",
    "public access",
]
EVERYBODY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
  "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"}]}"""


@pytest.fixture
def client(objects):
    client = objects.client()
    yield client
    client.close()


@pytest.fixture
def name():
    return f"care-{uuid4().hex}"


def care(client, name, *, may_change=True, **changes):
    """The findings by their subject."""
    plan = BucketPlan(**{"name": name, "has_lock": True, "encryption": "AES256", **changes})
    findings = list(BucketCare(client, plan, may_change).run())
    return {finding.subject: finding for finding in findings}


def outcomes(findings):
    return {subject: finding.outcome.value for subject, finding in findings.items()}


def test_a_bucket_is_made_with_all_that_it_must_have(client, name):
    findings = care(client, name)

    assert list(findings) == SUBJECTS
    assert {"missing", "unknown"} & set(outcomes(findings).values()) == set()
    lock = client.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    (rule,) = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    stored = client.put_object(Bucket=name, Key="a", Body=b"a")
    assert client.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert lock == {"ObjectLockEnabled": "Enabled"}  # no retention for what says none
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert "Expiration" not in rule
    assert stored["ServerSideEncryption"] == "AES256"


def test_a_second_time_nothing_is_changed(client, name):
    care(client, name)

    again = outcomes(care(client, name))

    # SeaweedFS has no public access block, which is said each time.
    assert again == {**dict.fromkeys(SUBJECTS, "ok"), "public access": "warning"}
    assert outcomes(care(client, name, may_change=False)) == again


def test_a_bucket_that_is_there_gets_what_it_lacks_and_keeps_its_objects(client, name):
    client.create_bucket(Bucket=name)
    client.put_object(Bucket=name, Key="before", Body=b"before")

    looked = outcomes(care(client, name, may_change=False))
    made = outcomes(care(client, name))

    expected = {"versioning": "missing", "Object Lock": "missing", "encryption": "warning"}
    assert expected.items() <= looked.items()
    assert looked["unfinished uploads"] == "warning"
    assert {subject for subject, outcome in made.items() if outcome == "made"} == {
        "versioning",
        "Object Lock",
        "encryption",
        "unfinished uploads",
    }
    assert client.get_object(Bucket=name, Key="before")["Body"].read() == b"before"


def test_looking_changes_nothing(client, name):
    findings = care(client, name, may_change=False)

    assert outcomes(findings) == {"bucket": "missing"}
    assert name not in [each["Name"] for each in client.list_buckets()["Buckets"]]


def test_a_bucket_is_left_without_what_is_not_asked_for(client, name):
    findings = care(client, name, has_lock=False, is_versioned=False, encryption=None)

    assert {"versioning", "Object Lock", "encryption"} & set(findings) == set()
    assert "Status" not in client.get_bucket_versioning(Bucket=name)


# lifecycle


def put_rule(client, name, **rule):
    whole = {"ID": "ours", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, **rule}
    client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [whole]}
    )


def test_other_rules_stay(client, name):
    client.create_bucket(Bucket=name)
    put_rule(client, name, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})

    findings = care(client, name, has_lock=False)

    rules = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert findings["unfinished uploads"].outcome is BucketOutcome.MADE
    assert [rule["ID"] for rule in rules] == ["ours", "registry-unfinished-uploads"]


def test_a_rule_that_deletes_documents_is_told_and_left_alone(client, name):
    client.create_bucket(Bucket=name)
    put_rule(client, name, Expiration={"Days": 30})

    finding = care(client, name, has_lock=False)["unfinished uploads"]

    assert finding.outcome is BucketOutcome.MISSING
    assert finding.detail.endswith("which only the registry may: ours.")
    assert len(client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]) == 1


# CORS and public access


def test_pages_of_others_are_locked_out(client, name):
    client.create_bucket(Bucket=name)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})

    looked = care(client, name, has_lock=False, may_change=False)["CORS"]
    made = care(client, name, has_lock=False)["CORS"]

    assert (looked.outcome, made.outcome) == (BucketOutcome.MISSING, BucketOutcome.MADE)
    assert care(client, name, has_lock=False)["CORS"].outcome is BucketOutcome.OK


@pytest.mark.parametrize(
    ("call", "arguments", "what"),
    [
        ("put_bucket_policy", {"Policy": EVERYBODY}, "the bucket policy lets everybody in."),
        ("put_bucket_acl", {"ACL": "public-read"}, "the access list lets everybody in."),
    ],
)
def test_a_bucket_that_is_open_is_told(client, name, call, arguments, what):
    client.create_bucket(Bucket=name)
    named = {key: value.replace("BUCKET", name) for key, value in arguments.items()}
    getattr(client, call)(Bucket=name, **named)

    finding = care(client, name, has_lock=False)["public access"]

    assert finding.outcome is BucketOutcome.MISSING
    assert finding.detail == f"The store cannot block it (NotImplemented); {what}"


@pytest.fixture
def elsewhere():
    """A store that answers as a test says, and a client of it."""
    with a_fake_s3() as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(
                s3={"addressing_style": "path"}, proxies={}, retries={"total_max_attempts": 1}
            ),
        )
        yield server, client
        client.close()


def test_public_access_is_blocked_where_a_store_can(elsewhere):
    server, client = elsewhere
    bodies = []

    def answer(request):
        if request.command == "GET":
            request.say(404, NOT_BLOCKED)
        else:
            bodies.append(request.body)
            request.say(200)

    server.answer = answer

    assert find_openings(client, "a-bucket", may_change=True) == (BucketOutcome.MADE, "blocked")
    assert [body.count(b">true<") for body in bodies] == [4]


def test_a_bucket_is_made_in_the_region_that_is_named(elsewhere):
    server, client = elsewhere
    bodies = []

    def answer(request):
        bodies.append(request.body)
        request.say(*((404, NO_BUCKET) if request.command == "GET" else (403, b"")))

    server.answer = answer
    care(client, "a-bucket", region="eu-west-1")
    care(client, "a-bucket", region="us-east-1")

    assert [b"eu-west-1" in body for body in bodies if body] == [True]


# what stores do not do


def test_encryption_with_which_nothing_can_be_stored_is_taken_back(client, name):
    finding = care(client, name, encryption="aws:kms")["encryption"]

    assert finding.outcome is BucketOutcome.WARNING
    assert finding.detail == "Not set: with it, PutObject is answered with InternalError."
    assert "VersionId" in client.put_object(Bucket=name, Key="a", Body=b"a")


def test_what_the_store_says_of_a_name_is_told(client):
    finding = care(client, "A_B")["bucket"]

    assert finding.outcome is BucketOutcome.MISSING
    assert "CreateBucket was answered with InvalidBucketName." in finding.detail
