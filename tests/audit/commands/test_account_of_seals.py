"""Seals lie in an account of their own, with keys that open nothing else."""

import dataclasses
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import SecretStr

from registry.domain.errors import Unavailable
from registry.sandbox.servers.seaweed import SEALS, ObjectStore
from registry.wiring.storage import make_seal_store

pytestmark = [pytest.mark.long, pytest.mark.process]

_KEYS = {"access_key": "of-the-sealer", "secret_key": "which opens the seal bucket alone"}
# What deploy/runbooks/audit.md has the key do, by the names of SeaweedFS.
_RIGHTS = (
    "Read",
    "Write",
    "List",
    "PutObjectRetention",
    "GetObjectRetention",
    "GetBucketObjectLockConfiguration",
)


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    """A second store, where the keys of documents are unknown and one pair may only seal."""
    directory = tmp_path_factory.mktemp("vault")
    pairs = {
        "owner": {"accessKey": "of-the-owner", "secretKey": "which opens all"},
        "sealer": {"accessKey": _KEYS["access_key"], "secretKey": _KEYS["secret_key"]},
    }
    actions = {
        "owner": ["Admin", "Read", "Write", "List", "Tagging"],
        "sealer": [f"{action}:{SEALS}" for action in _RIGHTS],
    }
    identities = [
        {"name": name, "credentials": [pair], "actions": actions[name]}
        for name, pair in pairs.items()
    ]
    (directory / "s3.json").write_text(json.dumps({"identities": identities}))
    with ObjectStore(directory) as store:
        yield store


@pytest.fixture
def account(vault, alone):
    """The settings with which seals go to the second store."""
    return alone.settings.model_copy(
        update={
            "audit_bucket": vault.seals,
            "audit_s3_endpoint": vault.endpoint,
            "audit_s3_access_key": _KEYS["access_key"],
            "audit_s3_secret_key": SecretStr(_KEYS["secret_key"]),
        }
    )


@pytest.fixture
def store(account):
    """The bucket of seals as the settings make it."""
    store = make_seal_store(account)
    yield store
    store.client.close()


def test_seals_go_to_the_account_of_seals_and_are_verified_there(
    written, sealer, store, vault, verify, objects
):
    written.write(3)
    first = len(list(store.list_objects()))
    # Other tests of this process keep their seals there.
    others = _list_versions(objects)

    assert sealer.seal() == 3
    store.check()
    verdict = verify(
        REGISTRY_AUDIT_S3_ENDPOINT=vault.endpoint,
        REGISTRY_AUDIT_S3_ACCESS_KEY=_KEYS["access_key"],
        REGISTRY_AUDIT_S3_SECRET_KEY=_KEYS["secret_key"],
    )

    assert first == 0
    assert (verdict.code, verdict.found, verdict.told["sealed"]) == (0, [], 3)
    assert _list_versions(objects) == others


def _list_versions(objects):
    """Each version in the account of documents' bucket of seals, by key and id."""
    client = objects.client()
    pages = client.get_paginator("list_object_versions").paginate(Bucket=objects.seals)
    versions = {
        (version["Key"], version["VersionId"])
        for page in pages
        for version in page.get("Versions", ())
    }
    client.close()
    return versions


def test_the_keys_of_documents_open_no_seal(written, sealer, account):
    ours = {"audit_s3_access_key": None, "audit_s3_secret_key": None}
    stranger = make_seal_store(account.model_copy(update=ours))
    written.write(1)

    with pytest.raises(Unavailable, match="refuses"):
        dataclasses.replace(sealer, store=stranger).seal()
    with pytest.raises(Unavailable, match="refuses"):
        list(stranger.list_objects())

    stranger.client.close()


def test_the_keys_of_seals_open_nothing_else(vault):
    client = boto3.client(
        "s3",
        endpoint_url=vault.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=_KEYS["access_key"],
        aws_secret_access_key=_KEYS["secret_key"],
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    place = {"Bucket": vault.bucket, "Key": "documents/1"}

    for call in (
        lambda: client.put_object(**place, Body=b""),
        lambda: client.get_object(**place),
        lambda: client.list_objects_v2(Bucket=vault.bucket),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()

    client.close()
