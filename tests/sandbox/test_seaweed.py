import os
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from registry.sandbox.servers.processes import StartFailed
from registry.sandbox.servers.seaweed import ObjectStore

pytestmark = pytest.mark.process

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="module")
def store(directory):
    with ObjectStore(directory) as started:
        yield started


@pytest.fixture
def client(store):
    client = store.client()
    yield client
    client.close()


def test_what_goes_in_comes_out(store, client):
    content = os.urandom(MEBIBYTE)
    client.put_object(Bucket=store.bucket, Key="a/b", Body=content)

    whole = client.get_object(Bucket=store.bucket, Key="a/b")
    part = client.get_object(Bucket=store.bucket, Key="a/b", Range="bytes=10-19")

    assert whole["Body"].read() == content
    assert part["Body"].read() == content[10:20]


def test_wrong_secrets_are_refused(store):
    stranger = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=store.access_key,
        aws_secret_access_key="wrong",
        config=Config(proxies={}, s3={"addressing_style": "path"}),
    )

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.list_objects_v2(Bucket=store.bucket)
    stranger.close()


def test_a_bucket_may_be_asked_for_twice(store):
    store.create_bucket(store.bucket)


def test_other_faults_of_a_bucket_are_not_hidden(store):
    with pytest.raises(StartFailed, match="InvalidBucketName"):
        store.create_bucket("A_B")


def test_objects_may_be_locked(store, client):
    store.create_bucket("locked", has_object_lock=True)

    answer = client.get_object_lock_configuration(Bucket="locked")
    assert answer["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"


def test_credentials_are_for_our_eyes(store, directory):
    assert (directory / "s3.json").stat().st_mode & 0o077 == 0
    assert len(store.secret_key) >= 40


def test_it_goes_on_after_a_stop_and_leaves_nothing(tmp_path):
    with ObjectStore(tmp_path) as store:
        pid, leftovers = store.pid, list(store._leftovers)
        client = store.client()
        client.put_object(Bucket=store.bucket, Key="kept", Body=b"still here")
        client.close()
        assert store.running
        assert sum(path.exists() for path in leftovers) > 4
    assert not Path(f"/proc/{pid}").exists()
    assert not any(path.exists() for path in leftovers)

    with ObjectStore(tmp_path) as store:
        client = store.client()
        answer = client.get_object(Bucket=store.bucket, Key="kept")
        assert answer["Body"].read() == b"still here"
        client.close()
