"""`registry storage create` and `check`, on real stores with identities."""

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace
from uuid import uuid4

import pytest
from click.testing import CliRunner

from registry.cli import registry
from registry.domain.errors import SettingsError
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.sandbox.servers.seaweed import ObjectStore
from tests.storage_identities import (
    ADMIN,
    NAMES,
    deny,
    make_client,
    name_identity,
    read_policies,
    secret_of,
    write_identities,
)

pytestmark = pytest.mark.process

DOCUMENTS, SEALS = NAMES
POLICIES = read_policies()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with the identities of the runbook, and one with two rights fewer."""
    directory = tmp_path_factory.mktemp("storage")
    policies = {name_identity(bucket): POLICIES[bucket] for bucket in NAMES}
    missing = ("s3:GetObject", "s3:DeleteObject")
    policies[name_identity(DOCUMENTS, *missing)] = deny(POLICIES[DOCUMENTS], *missing)
    write_identities(directory, policies)
    with ObjectStore(directory) as started:
        yield started


@pytest.fixture
def environment(store):
    """The settings of the store with an administrator's key, and no others."""
    return {
        "REGISTRY_ENVIRONMENT": "test",
        "REGISTRY_S3_ENDPOINT": store.endpoint,
        "REGISTRY_S3_BUCKET": DOCUMENTS,
        "REGISTRY_AUDIT_BUCKET": SEALS,
        **key(ADMIN),
    }


@pytest.fixture
def typed(environment):
    """Type `registry storage …`; gives exit code and what was said."""

    def run(*command, **changes):
        env = {"COLUMNS": None, **environment, **changes}
        done = CliRunner().invoke(registry, ["storage", *command], env=env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


def key(name, prefix="REGISTRY_S3"):
    return {f"{prefix}_ACCESS_KEY": name, f"{prefix}_SECRET_KEY": secret_of(name)}


def outcomes(done):
    """The outcomes that a program is told, by bucket and subject."""
    return {
        (each["bucket"], each["subject"]): each["outcome"]
        for each in json.loads(done.out)["findings"]
    }


def test_both_buckets_are_made_and_then_checked_with_keys_of_their_own(typed, store):
    created = typed("create", "--json")
    checked = typed("check", **key(name_identity(DOCUMENTS)), **key(name_identity(SEALS), AUDIT))

    assert created.code == 0
    assert outcomes(created)[DOCUMENTS, "bucket"] == "made"
    assert outcomes(created)[SEALS, "Object Lock"] in ("ok", "made")
    assert (DOCUMENTS, "Object Lock") not in outcomes(created)
    assert (checked.code, checked.err) == (0, "")
    assert "missing" not in checked.out
    assert [line for line in checked.out.splitlines() if line.startswith("unknown")] == []
    # What was tried among documents is gone; among seals nobody deletes.
    client = make_client(store, ADMIN)
    assert "Versions" not in client.list_object_versions(Bucket=DOCUMENTS)
    keys = {each["Key"] for each in client.list_object_versions(Bucket=SEALS)["Versions"]}
    client.close()
    assert len(keys) == 2
    assert all(each in checked.out for each in keys)


AUDIT = "REGISTRY_AUDIT_S3"


def test_a_second_time_nothing_is_made(typed):
    typed("create")

    done = typed("create", "--json")

    assert done.code == 0
    assert "made" not in outcomes(done).values()


def test_rights_that_are_missing_are_told_with_what_to_grant(typed):
    typed("create")

    done = typed(
        "check",
        "--only",
        "documents",
        **key(name_identity(DOCUMENTS, "s3:GetObject", "s3:DeleteObject")),
    )

    assert done.code == 1
    assert done.err == (
        f"Grant s3:GetObject on arn:aws:s3:::{DOCUMENTS}/*.\n"
        f"Grant s3:DeleteObject on arn:aws:s3:::{DOCUMENTS}/*.\n"
        "deploy/runbooks/storage.md has whole policies.\n"
    )
    lines = [line.split() for line in done.out.splitlines()]
    wanted = ["missing", DOCUMENTS, "GetObject", "s3:GetObject", "downloads"]
    assert wanted in [line[:5] for line in lines]


def test_documents_under_a_lock_are_removed_when_it_ends(typed, store):
    name = f"locked-{uuid4().hex}"
    changes = {"REGISTRY_S3_BUCKET": name, "REGISTRY_S3_OBJECT_LOCK": "COMPLIANCE"}
    typed("create", "--only", "documents", **changes)

    done = typed("check", "--only", "documents", **changes)

    assert done.code == 0
    assert done.err == "Waiting for 10 s, until an object under a lock can go …\n"
    assert "a lock holds" in done.out
    client = make_client(store, ADMIN)
    answer = client.list_object_versions(Bucket=name)
    client.close()
    assert {"Versions", "DeleteMarkers"} & set(answer) == set()


def test_interrupted_it_leaves_no_more_than_what_is_under_the_lock(typed, store, environment):
    name = f"locked-{uuid4().hex}"
    changes = {"REGISTRY_S3_BUCKET": name, "REGISTRY_S3_OBJECT_LOCK": "GOVERNANCE"}
    typed("create", "--only", "documents", **changes)
    command = [sys.executable, "-m", "registry", "storage", "check", "--only", "documents"]
    env = {"PATH": os.environ["PATH"], **environment, **changes}

    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().startswith("Waiting for 10 s")
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    client = make_client(store, ADMIN)
    (version,) = client.list_object_versions(Bucket=name)["Versions"]
    client.close()
    assert process.returncode != 0
    assert "Traceback" not in said
    assert version["Key"].endswith("-locked")


def test_a_bucket_that_is_not_there_is_told_and_not_tried(typed):
    done = typed("check", "--json", "--only", "documents", REGISTRY_S3_BUCKET=f"no-{uuid4().hex}")

    assert done.code == 1
    assert json.loads(done.out)["isFit"] is False
    assert list(outcomes(done).values()) == ["missing"]


def test_whoever_may_not_make_buckets_is_told(typed):
    name = f"no-{uuid4().hex}"

    done = typed(
        "create", "--only", "seals", REGISTRY_AUDIT_BUCKET=name, **key(name_identity(SEALS))
    )

    assert done.code == 1
    assert "missing" in done.out
    assert " was answered with AccessDenied: this key may not." in done.out


@pytest.mark.parametrize("command", ["create", "check"])
def test_an_unknown_key_is_told_in_one_line(typed, command):
    done = typed(command, **key("nobody"))

    assert done.code == 1
    assert done.err.startswith(f"Error: {DOCUMENTS}: ")
    assert len(done.err.splitlines()) == 1
    assert secret_of("nobody") not in done.err


def test_a_store_that_is_away_is_told_in_one_line(typed):
    done = typed("check", REGISTRY_S3_ENDPOINT=f"http://{LOOPBACK}:{free_port()}")

    assert done.code == 1
    assert done.err.startswith(f"Error: {DOCUMENTS}: ")
    assert len(done.err.splitlines()) == 1


def test_seals_alone_need_no_setting_of_documents(typed):
    done = typed("create", "--only", "seals", REGISTRY_S3_BUCKET=None)

    assert done.code == 0
    assert DOCUMENTS not in done.out


def test_a_bucket_that_is_not_set_is_told(typed):
    with pytest.raises(SettingsError) as error:
        typed("create", REGISTRY_AUDIT_BUCKET=None)

    assert error.value.faults == ["REGISTRY_AUDIT_BUCKET: is needed here and not set"]
