"""`registry jobs`: sweep, route."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.sandbox.files import write_private
from registry.sandbox.processes import LOOPBACK, free_port
from tests.factories import PDF, a_file, an_ebox, an_enterprise

NOW = ("--older-than", "0")


def stored(blobs):
    client = blobs.client
    listed = client.get_paginator("list_objects_v2").paginate(
        Bucket=blobs.bucket, Prefix="documents/"
    )
    return {found["Key"] for page in listed for found in page.get("Contents", ())}


def uploads(blobs):
    listed = blobs.client.list_multipart_uploads(Bucket=blobs.bucket, Prefix="documents/")
    return {upload["Key"] for upload in listed.get("Uploads", ())}


@pytest.fixture
def unclaimed(blobs):
    key = f"documents/{uuid4()}"
    blobs.put(key, [PDF])
    yield key
    blobs.delete(key)


@pytest.fixture
def claimed(blobs, deliver):
    key = f"documents/{uuid4()}"
    deliver(an_ebox(), a_file(blob_key=key))
    return key


@pytest.fixture
def unfinished(blobs):
    """An upload whose worker died after its first part."""
    named = {"Bucket": blobs.bucket, "Key": f"documents/{uuid4()}"}
    named["UploadId"] = blobs.client.create_multipart_upload(**named)["UploadId"]
    blobs.client.upload_part(**named, PartNumber=1, Body=bytes(5 << 20))
    yield named["Key"]
    if named["Key"] in uploads(blobs):
        blobs.client.abort_multipart_upload(**named)


def test_a_dry_run_lists_what_nobody_claims_and_deletes_nothing(
    run, environment, blobs, unclaimed, claimed, unfinished
):
    done = run("jobs", "sweep", "--dry-run", *NOW, env=environment)

    *listed, summary = done.said.splitlines()
    assert done.code == 0
    assert {unclaimed, unfinished} <= set(listed)
    assert claimed not in listed
    assert summary == f"{len(listed)} documents and uploads would be deleted."
    assert {unclaimed, claimed} <= stored(blobs)
    assert unfinished in uploads(blobs)


def test_a_sweep_deletes_what_nobody_claims(
    run, environment, blobs, unclaimed, claimed, unfinished
):
    done = run("jobs", "sweep", *NOW, env=environment)

    *listed, summary = done.said.splitlines()
    assert done.code == 0
    assert {unclaimed, unfinished} <= set(listed)
    assert summary == f"{len(listed)} documents and uploads were deleted."
    assert claimed in stored(blobs)
    assert unclaimed not in stored(blobs)
    assert uploads(blobs) == set()


def test_a_second_sweep_finds_nothing(run, environment, unclaimed):
    run("jobs", "sweep", *NOW, env=environment)

    done = run("jobs", "sweep", *NOW, env=environment)

    assert (done.code, done.said) == (0, "0 documents and uploads were deleted.\n")


def test_what_is_younger_than_a_day_stays(run, environment, blobs, unclaimed, unfinished):
    done = run("jobs", "sweep", env=environment)

    assert (done.code, done.said) == (0, "0 documents and uploads were deleted.\n")
    assert unclaimed in stored(blobs)
    assert unfinished in uploads(blobs)


def test_what_is_not_a_document_stays(run, environment, blobs):
    key = f"elsewhere/{uuid4()}"
    blobs.put(key, [PDF])

    done = run("jobs", "sweep", *NOW, env=environment)

    assert key not in done.said
    blobs.open(key, 0, len(PDF) - 1).close()


def test_a_store_that_is_away_is_told_in_one_line(run, environment):
    away = environment | {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}

    done = run("jobs", "sweep", *NOW, env=away)

    assert done.code == 1
    assert done.said.splitlines()[-1] == "Error: The document store does not answer."


def test_a_database_that_is_away_deletes_nothing(run, environment, blobs, unclaimed):
    url = f"postgresql://nobody@{LOOPBACK}:{free_port()}/registry"

    done = run("jobs", "sweep", *NOW, env=environment | {"REGISTRY_DATABASE_URL": url})

    assert done.code == 1
    assert done.said.splitlines()[-1].startswith("Error: The database does not")
    assert unclaimed in stored(blobs)


@pytest.mark.parametrize("hours", ["-1", "1e9", "nan", "yesterday"])
def test_an_age_that_is_none_is_refused(run, environment, hours):
    assert run("jobs", "sweep", "--older-than", hours, env=environment).code == 2


@pytest.fixture
def rules(federation):
    """Tell the Partition API the rules of an enterprise."""

    def tell(enterprise, *rules):
        path = federation.directory / "partitions.json"
        known = json.loads(path.read_text())
        partitions = ["GENERAL", *(rule["partition"] for rule in rules)]
        known[enterprise] = {"partitions": partitions, "users": {}, "routingRules": rules}
        write_private(path, json.dumps(known))

    return tell


def test_routing_again_routes_what_waited(run, environment, deliver, owner, rules):
    ebox = an_ebox()
    message_id = deliver(ebox, a_file(), is_routing_pending=True)
    rules(ebox.number, {"routingRuleId": 1, "messageTypeId": "tax-assessment", "partition": "tax"})

    done = run("jobs", "route", ebox.number, env=environment)

    assert (done.code, done.said) == (0, f"{ebox.number}: its rules are known, nothing waits.\n")
    with owner.connect() as connection:
        found = connection.execute(
            text("SELECT partition, is_routing_pending FROM messages WHERE message_id = :id"),
            {"id": message_id},
        ).one()
    assert found == ("tax", False)


def test_routing_again_says_when_nobody_answers(run, environment):
    number = an_enterprise()
    away = environment | {"REGISTRY_PARTITION_URL": f"http://{LOOPBACK}:{free_port()}"}

    done = run("jobs", "route", number, env=away)

    assert done.code == 1
    assert done.said == f"{number}: nobody tells its rules.\nError: No answer for 1 of 1.\n"


def test_routing_for_what_is_no_enterprise_is_refused(run, environment):
    assert run("jobs", "route", "bakery", env=environment).code == 2
