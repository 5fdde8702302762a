"""`registry jobs`: sweep, route, purge, verify, remind."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.domain.document_keys import make_key
from registry.sandbox.files import write_private
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.services.publication.uploads import Uploads
from registry.store.consultation import messages
from registry.store.publication import upload_notes
from registry.store.publication.upload_notes import UploadNote
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from tests.factories import PDF, a_file, a_message, an_ebox, an_enterprise

pytestmark = pytest.mark.long

NOW = ("--older-than", "0")


def stored_keys(blobs):
    client = blobs.client
    listed = client.get_paginator("list_objects_v2").paginate(
        Bucket=blobs.bucket, Prefix="documents/"
    )
    return {found["Key"] for page in listed for found in page.get("Contents", ())}


def uploads(blobs):
    listed = blobs.client.list_multipart_uploads(Bucket=blobs.bucket, Prefix="documents/")
    return {upload["Key"] for upload in listed.get("Uploads", ())}


@pytest.fixture(scope="module")
def transactions(settings):
    opened = Transactions(make_engine(settings))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def unclaimed(blobs, transactions):
    """A document whose publication never came to its end."""
    upload = Uploads(transactions, blobs, None).begin(an_ebox())
    upload.stage("part", "letter.pdf", "application/pdf", [PDF])
    yield upload.files[0].blob_key
    upload.discard()


@pytest.fixture
def claimed(blobs, deliver):
    key = f"documents/{uuid4()}"
    deliver(an_ebox(), a_file(blob_key=key))
    return key


@pytest.fixture
def unfinished(blobs, transactions):
    """An upload whose worker died after its first part."""
    note = UploadNote(an_ebox(), uuid4())
    upload_notes.add(transactions, note)
    named = {"Bucket": blobs.bucket, "Key": make_key(note.message_id, 1)}
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
    assert {unclaimed, claimed} <= stored_keys(blobs)
    assert unfinished in uploads(blobs)


def test_a_sweep_deletes_what_nobody_claims(
    run, environment, blobs, unclaimed, claimed, unfinished
):
    done = run("jobs", "sweep", *NOW, env=environment)

    *listed, summary = done.said.splitlines()
    assert done.code == 0
    assert {unclaimed, unfinished} <= set(listed)
    assert summary == f"{len(listed)} documents and uploads were deleted."
    assert claimed in stored_keys(blobs)
    assert unclaimed not in stored_keys(blobs)
    assert unfinished not in uploads(blobs)


def test_a_second_sweep_finds_nothing(run, environment, unclaimed):
    run("jobs", "sweep", *NOW, env=environment)

    done = run("jobs", "sweep", *NOW, env=environment)

    assert (done.code, done.said) == (0, "0 documents and uploads were deleted.\n")


def test_what_is_younger_than_a_day_stays(run, environment, blobs, unclaimed, unfinished):
    done = run("jobs", "sweep", env=environment)

    assert (done.code, done.said) == (0, "0 documents and uploads were deleted.\n")
    assert unclaimed in stored_keys(blobs)
    assert unfinished in uploads(blobs)


@pytest.mark.parametrize("form", ["elsewhere/{}", "documents/{}", "documents/{}-1"])
def test_what_the_database_does_not_know_stays(run, environment, blobs, unclaimed, form):
    key = form.format(uuid4())
    blobs.put(key, [PDF])

    done = run("jobs", "sweep", *NOW, env=environment)

    assert key not in done.said
    blobs.open(key, 0, len(PDF) - 1).close()


def test_a_store_that_is_away_is_told_in_one_line(run, environment, unclaimed):
    away = environment | {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}

    done = run("jobs", "sweep", *NOW, env=away)

    assert done.code == 1
    assert done.said.splitlines()[-1] == "Error: The document store does not answer."


def test_a_database_that_is_away_deletes_nothing(run, environment, blobs, unclaimed):
    url = f"postgresql://nobody@{LOOPBACK}:{free_port()}/registry"

    done = run("jobs", "sweep", *NOW, env=environment | {"REGISTRY_DATABASE_WORKER_URL": url})

    assert done.code == 1
    assert done.said.splitlines()[-1].startswith("Error: The database does not")
    assert unclaimed in stored_keys(blobs)


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


@pytest.fixture
def old(alone, blobs):
    """Put a message that has expired and its document where nothing else is; gives both names."""

    def put(key=None, **columns):
        ebox, file = an_ebox(), a_file(blob_key=key or f"documents/{uuid4()}")
        blobs.put(file["blob_key"], [PDF])
        expired = {"expires_at": datetime.now(UTC) - timedelta(days=1)}
        message = a_message(ebox, **(expired | columns))
        with alone.owner.begin() as connection:
            messages.add(connection, ebox, message, [file])
        return message["message_id"], file["blob_key"]

    return put


@pytest.fixture
def left(alone):
    """The messages that are there."""

    def look():
        with alone.owner.connect() as connection:
            return set(connection.execute(text("SELECT message_id FROM messages")).scalars())

    return look


def test_a_purge_deletes_what_has_expired_and_then_its_documents(run, alone, blobs, old, left):
    later = {"expires_at": datetime.now(UTC) + timedelta(days=1)}
    _, gone = old()
    kept, document = old(**later)
    _, shared = old()
    another, _ = old(shared, **later)

    done = run("jobs", "purge", env=alone.environment)

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Messages deleted: 2.",
        "Documents erased: 1; still of other messages: 1, kept by storage for now: 0.",
    ]
    assert left() == {kept, another}
    assert stored_keys(blobs) & {gone, document, shared} == {document, shared}


def test_purging_again_finds_nothing(run, alone, old):
    old()
    run("jobs", "purge", env=alone.environment)

    done = run("jobs", "purge", env=alone.environment)

    assert (done.code, done.out.splitlines()[0]) == (0, "Messages deleted: 0.")


def test_a_purge_goes_on_to_the_last_batch_unless_it_is_limited(run, alone, left):
    ebox, expired = an_ebox(), datetime.now(UTC) - timedelta(days=1)
    with alone.owner.begin() as connection:
        for _ in range(1001):
            messages.add(connection, ebox, a_message(ebox, expires_at=expired), [])

    limited = run("jobs", "purge", "--limit", "1", env=alone.environment)
    whole = run("jobs", "purge", env=alone.environment)

    assert limited.out.startswith("Messages deleted: 500.\n")
    assert whole.out.startswith("Messages deleted: 501.\n")
    assert left() == set()


def test_a_purge_without_storage_says_how_far_it_came_and_goes_on_later(run, alone, blobs, old):
    _, key = old()
    away = alone.environment | {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}

    broken = run("jobs", "purge", env=away)
    with alone.owner.begin() as connection:  # the lease is over
        connection.execute(text("UPDATE doomed_documents SET due_at = now()"))
    later = run("jobs", "purge", env=alone.environment)

    assert broken.code == 1
    assert broken.out.splitlines()[0] == "Messages deleted: 1."
    assert broken.err == "Error: The document store does not answer.\n"
    assert later.out.splitlines()[1].startswith("Documents erased: 1;")
    assert key not in stored_keys(blobs)


def test_reminders_and_alerts_are_put_into_the_outbox_once(run, alone):
    now = datetime.now(UTC)
    unread = [{"received_at": now - timedelta(days=40)}, {"expires_at": now + timedelta(days=1)}]
    with alone.owner.begin() as connection:
        for columns in (unread[0], *unread):
            ebox = an_ebox()
            messages.add(connection, ebox, a_message(ebox, **columns), [])

    first, again = (run("jobs", "remind", env=alone.environment) for _ in range(2))

    listed = json.loads(run("events", "list", "--json", env=alone.environment).out)
    assert (first.code, first.out, first.err) == (0, "Reminders: 2.\nAlerts: 1.\n", "")
    assert again.out == "Reminders: 0.\nAlerts: 0.\n"
    assert sorted(event["type"] for event in listed) == (
        ["documentExpirationAlert", "newDocumentReminder", "newDocumentReminder"]
    )


@pytest.mark.parametrize("job", ["purge", "remind", "sweep"])
def test_what_the_worker_does_needs_the_role_of_the_worker(start, environment, job):
    without = {k: v for k, v in environment.items() if k != "REGISTRY_DATABASE_WORKER_URL"}

    done = start("jobs", job, env=without)

    assert done.returncode == 2
    assert done.stderr.startswith("REGISTRY_DATABASE_WORKER_URL: ")


# verify


@pytest.fixture
def stored(alone, blobs):
    """File a document of which storage has this; gives its key and message."""

    def put(content):
        ebox, file = an_ebox(), a_file(blob_key=f"documents/{uuid4()}")
        message = a_message(ebox)
        with alone.owner.begin() as connection:
            messages.add(connection, ebox, message, [file])
        if content is not None:
            blobs.put(file["blob_key"], [content])
        return file["blob_key"], message["message_id"]

    return put


def test_documents_that_are_as_they_were_filed_are_counted(run, alone, stored):
    for _ in range(3):
        stored(PDF)

    done = run("jobs", "verify", "--rate", "1000", env=alone.environment)

    assert (done.code, done.out) == (0, "")
    assert done.err == f"Documents read: 3, with {3 * len(PDF)} bytes.\n"


def test_those_that_are_not_are_listed_with_a_message_that_has_them(run, alone, stored):
    stored(PDF)
    altered, message = stored(PDF[:-1] + b"?")
    lost, other = stored(None)

    done = run("jobs", "verify", env=alone.environment)

    assert done.code == 1
    assert sorted(done.out.splitlines()) == [
        f"altered {altered}, of message {message}",
        f"unavailable {lost}, of message {other}",
    ]
    assert done.err.endswith("Error: 2 of 3 are not as they were filed.\n")


def test_a_program_is_told_in_json(run, alone, stored):
    altered, message = stored(PDF[:-1] + b"?")

    done = run("jobs", "verify", "--json", env=alone.environment)

    assert done.code == 1
    assert json.loads(done.out) == {
        "documents": 1,
        "bytes": len(PDF),
        "faults": [{"fault": "altered", "key": altered, "messageId": str(message)}],
    }


def test_a_second_command_waits_for_no_other(run, alone, stored):
    stored(PDF)
    with alone.owner.begin() as connection:
        begun = "INSERT INTO document_rounds (claimed_until) VALUES (now() + interval '1 hour')"
        connection.execute(text(begun))

    done = run("jobs", "verify", env=alone.environment)

    assert done.code == 1
    assert done.err == "Error: Another process is reading them; try again in some minutes.\n"


def test_a_store_that_is_away_is_told_in_one_line_by_verify_too(run, alone, stored):
    stored(PDF)
    away = alone.environment | {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}

    done = run("jobs", "verify", env=away)

    assert done.code == 1
    assert done.err.splitlines()[-1] == "Error: The document store does not answer."
