"""`registry fsck`: documents in storage held against the database, and put right."""

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from registry.domain.document_keys import make_key
from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.services.publication.uploads import Uploads
from registry.store.consultation import messages
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from registry.wiring.storage import make_document_store
from tests.databases import migrated_database
from tests.factories import PDF, a_file, a_message, an_ebox
from tests.forked import RegistryProcess
from tests.trail_entries import read_trail

pytestmark = pytest.mark.long

OTHER = PDF.replace(b"a document", b"A document")
AT_ONCE = ("--older-than", "0")


class Place:
    """A registry with a database and a bucket of its own."""

    def __init__(self, settings, environment, owner):
        self.environment, self.owner = environment, owner
        self.blobs = make_document_store(settings)
        self.transactions = Transactions(make_engine(settings))

    def close(self):
        self.blobs.client.close()
        self.transactions.engine.dispose()

    def put(self, ebox=None, content=PDF, **columns):
        """A message with one document; its id and the key."""
        ebox = ebox or an_ebox()
        message = a_message(ebox, **columns)
        key = make_key(message["message_id"], 1)
        self.blobs.put(key, [content])
        self.file(ebox, message, key)
        return message["message_id"], key

    def file(self, ebox, message, key):
        with self.owner.begin() as connection:
            messages.add(connection, ebox, message, [a_file(blob_key=key, file_name="secret.pdf")])

    def list_keys(self, prefix=""):
        pages = self.blobs.client.get_paginator("list_objects_v2")
        listed = pages.paginate(Bucket=self.blobs.bucket, Prefix=prefix)
        return {found["Key"] for page in listed for found in page.get("Contents", ())}

    def read(self, key):
        answer = self.blobs.client.get_object(Bucket=self.blobs.bucket, Key=key)
        return answer["Body"].read()

    def faults(self):
        with self.owner.connect() as connection:
            rows = connection.execute(text("SELECT blob_key, fault FROM attachments"))
            return {key: fault for key, fault in rows if fault}

    def entries(self):
        with self.owner.connect() as connection:
            return [json.loads(row.entry) for row in read_trail(connection)]


def lay_out(cluster, settings, environment, objects, *, is_locked=False):
    bucket = f"fsck-{uuid4().hex[:12]}"
    objects.create_bucket(bucket, has_object_lock=is_locked)
    lock = {"s3_object_lock": "GOVERNANCE", "s3_object_lock_days": 1} if is_locked else {}
    with migrated_database(cluster, "fsck") as urls:
        changes = {
            "database_url": urls.application,
            "database_owner_url": urls.owner,
            "database_worker_url": urls.worker,
        }
        secrets = {name: SecretStr(url) for name, url in changes.items()}
        ours = settings.model_copy(update={**secrets, "s3_bucket": bucket, **lock})
        changed = {**changes, "s3_bucket": bucket, **lock}
        variables = {f"REGISTRY_{name.upper()}": str(value) for name, value in changed.items()}
        owner = make_engine(ours, "owner")
        place = Place(ours, {**environment, **variables}, owner)
        yield place
        place.close()
        owner.dispose()


@pytest.fixture
def place(cluster, settings, environment, objects):
    yield from lay_out(cluster, settings, environment, objects)


@pytest.fixture
def locked_place(cluster, settings, environment, objects):
    yield from lay_out(cluster, settings, environment, objects, is_locked=True)


@pytest.fixture
def check(run):
    """Run `registry fsck --json`; gives exit code, findings by key, and the figures."""

    def fsck(place, *options):
        done = run("fsck", "--json", *options, env=place.environment)
        lines = [json.loads(line) for line in done.out.splitlines()]
        findings = [line for line in lines if "finding" in line]
        assert "secret" not in done.said
        return SimpleNamespace(
            code=done.code,
            found={(line["finding"], line["key"]) for line in findings},
            findings=findings,
            figures=lines[-1] if lines else None,
            err=done.err,
        )

    return fsck


def test_where_all_is_well_it_says_so(run, check, place):
    place.put()
    place.put(an_ebox(EboxKind.CITIZEN))

    done = run("fsck", "--deep", env=place.environment)

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"Documents checked: 2; objects: 2; bytes read: {2 * len(PDF)}.",
        "Storage has what the database promises.",
    ]
    assert check(place).figures == {
        "isSound": True,
        "documents": 2,
        "objects": 2,
        "bytesRead": 0,
        "findings": {},
        "unsettled": 0,
    }


def test_what_is_missing_or_wrong_is_found_by_message_and_key(run, check, place):
    _, well = place.put()
    lost_id, lost = place.put()
    _, short = place.put()
    _, altered = place.put()
    place.blobs.erase(lost)
    place.blobs.put(short, [PDF[:-1]])
    place.blobs.put(altered, [OTHER])

    shallow, deep = check(place), check(place, "--deep")
    said = run("fsck", env=place.environment)

    assert shallow.code == deep.code == 1
    assert shallow.found == {("missing", lost), ("wrongSize", short)}
    assert deep.found == {*shallow.found, ("wrongDigest", altered)}
    assert deep.figures["bytesRead"] == 2 * len(PDF)
    assert str(lost_id) in {line["messageId"] for line in deep.findings}
    assert f"missing            {lost}  message {lost_id}" in said.out.splitlines()
    assert "missing: 1. A message has this document, and storage has not." in said.out.splitlines()
    assert said.err == "Error: 2 findings are left.\n"
    assert place.faults() == {}, "a check without --repair changes something"
    assert well in place.list_keys()


def test_a_broadcast_is_one_document(check, place):
    message = a_message(an_ebox())
    key = make_key(message["message_id"], 1)
    for _ in range(3):
        place.file(an_ebox(), message, key)

    done = check(place)

    assert done.found == {("missing", key)}
    assert done.figures["documents"] == 1


def test_a_stray_is_what_no_message_has_and_no_upload_that_is_noted(check, place):
    strays = {f"documents/{uuid4()}", make_key(uuid4(), 1)}
    for key in strays:
        place.blobs.put(key, [PDF])
    place.blobs.put("elsewhere", [PDF])
    place.put()
    upload = Uploads(place.transactions, place.blobs, None).begin(an_ebox())
    upload.stage("part", "secret.pdf", "application/pdf", [PDF])

    young, old = check(place), check(place, *AT_ONCE)

    assert (young.code, young.found) == (0, set())
    assert (old.code, old.found) == (1, {("stray", key) for key in strays})


def test_an_upload_that_a_backup_brought_back_is_a_stray(check, place):
    upload = Uploads(place.transactions, place.blobs, None).begin(an_ebox())
    upload.stage("part", "secret.pdf", "application/pdf", [PDF])
    with place.owner.begin() as connection:
        connection.execute(text("UPDATE upload_notes SET noted_at = noted_at"))  # as COPY: anew

    assert check(place, *AT_ONCE).found == {("stray", upload.files[0].blob_key)}


def test_a_stray_is_moved_into_quarantine_byte_for_byte(check, place):
    small, large = f"documents/{uuid4()}", f"documents/{uuid4()}"
    contents = {small: PDF, large: os.urandom((33 << 20) + 7)}
    for key, content in contents.items():
        place.blobs.put(key, [content])

    repaired, again = check(place, "--repair", *AT_ONCE), check(place, *AT_ONCE)

    assert (repaired.code, again.code, again.found) == (0, 0, set())
    assert place.list_keys() == {f"quarantine/{key}" for key in contents}
    assert {key: place.read(f"quarantine/{key}") for key in contents} == contents
    assert {line["outcome"] for line in repaired.findings} == {
        f"moved to quarantine/{key}" for key in contents
    }
    moved = [
        entry
        for entry in place.entries()
        if entry["API_CALL_REQUEST_URL"] == "urn:registry:fsck/quarantine"
    ]
    assert {entry["API_CALL_DETAILS"]["key"] for entry in moved} == set(contents)


def test_a_document_that_cannot_be_read_is_marked_until_it_can_be_again(check, place):
    _, lost = place.put()
    _, altered = place.put()
    place.blobs.erase(lost)
    place.blobs.put(altered, [OTHER])

    marked = check(place, "--repair", "--deep")
    faults = place.faults()
    place.blobs.put(lost, [PDF])
    place.blobs.put(altered, [PDF])
    seen = check(place)
    mended = check(place, "--repair")

    assert marked.code == 1, "a document that is lost is not put right by a mark"
    assert faults == {lost: "missing", altered: "wrongDigest"}
    assert seen.found == {("markedThoughSound", key) for key in (lost, altered)}
    assert (mended.code, place.faults()) == (0, {})
    assert [entry["API_CALL_REQUEST_URL"] for entry in place.entries()] == [
        *["urn:registry:fsck/mark"] * 2,
        *["urn:registry:fsck/unmark"] * 2,
    ]


def test_a_mark_for_other_bytes_stays_though_nobody_reads_all(check, place):
    _, altered = place.put()
    place.blobs.put(altered, [OTHER])
    check(place, "--repair", "--deep")

    shallow = check(place, "--repair")

    assert shallow.found == {("wrongDigest", altered)}
    assert place.faults() == {altered: "wrongDigest"}


def test_an_expired_message_that_is_still_there_is_found_unless_it_is_held(run, check, place):
    yesterday = datetime.now(UTC) - timedelta(days=2)
    held = an_ebox()
    _, key = place.put(expires_at=yesterday)
    place.put(held, expires_at=yesterday)
    place.put(expires_at=datetime.now(UTC) - timedelta(hours=1))
    hold = ("hold", "set", "--ebox", f"enterprise:{held.number}", "--why", "a lawsuit")
    assert run(*hold, env=place.environment).code == 0

    assert check(place).found == {("expired", key)}


def test_an_erasure_that_nobody_does_is_found(check, place):
    late, due = f"documents/{uuid4()}", f"documents/{uuid4()}"
    with place.owner.begin() as connection:
        for key, age in ((late, "2 days"), (due, "1 hour")):
            place.blobs.put(key, [PDF])
            connection.execute(
                text(
                    "INSERT INTO doomed_documents (blob_key, due_at)"
                    " VALUES (:key, now() - CAST(:age AS interval))"
                ),
                {"key": key, "age": age},
            )

    assert check(place, *AT_ONCE).found == {("expired", late)}


def test_locks_and_holds_are_those_that_the_database_asks_for(run, check, locked_place):
    place, held, released = locked_place, an_ebox(), an_ebox()
    place.put()
    _, unheld = place.put(held)
    _, still = place.put(released)
    unlocked_id, unlocked = uuid4(), make_key(uuid4(), 1)
    client, bucket = place.blobs.client, place.blobs.bucket
    client.put_object(Bucket=bucket, Key=unlocked, Body=PDF)
    place.file(an_ebox(), a_message(an_ebox(), message_id=unlocked_id), unlocked)
    hold = ("hold", "set", "--ebox", f"enterprise:{held.number}", "--why", "a lawsuit")
    assert run(*hold, env=place.environment).code == 0
    place.blobs.hold(unheld, is_held=False)
    place.blobs.hold(still, is_held=True)

    seen, repaired = check(place), check(place, "--repair")
    again = check(place)

    expected = {("unlocked", unlocked), ("notHeld", unheld), ("heldForNobody", still)}
    assert (seen.code, seen.found) == (1, expected)
    assert repaired.found == expected
    assert again.found == expected - {("notHeld", unheld)}
    place.blobs.hold(unheld, is_held=False)
    place.blobs.hold(still, is_held=False)


def test_a_stray_that_storage_must_keep_stays(check, locked_place):
    key = f"documents/{uuid4()}"
    locked_place.blobs.put(key, [PDF])

    done = check(locked_place, "--repair", *AT_ONCE)

    assert (done.code, done.found) == (1, {("stray", key)})
    assert done.findings[0]["outcome"] == "left: storage must still keep it"
    assert locked_place.list_keys() == {key}


def test_of_one_ebox_its_documents_are_checked_and_nothing_else(check, place):
    ebox = an_ebox()
    _, lost = place.put(ebox)
    place.put(ebox)
    _, elsewhere = place.put()
    place.blobs.put(f"documents/{uuid4()}", [PDF])
    for key in (lost, elsewhere):
        place.blobs.erase(key)

    done = check(place, "--ebox", f"enterprise:{ebox.number}", *AT_ONCE)

    assert (done.code, done.found) == (1, {("missing", lost)})
    assert (done.figures["documents"], done.figures["objects"]) == (2, 0)


def test_a_check_that_is_stopped_goes_on_where_it_was(place, check, tmp_path):
    state, total = tmp_path / "fsck.json", 2000
    ebox = an_ebox()
    with place.owner.begin() as connection:
        for _ in range(total):
            message = a_message(ebox)
            messages.add(
                connection, ebox, message, [a_file(blob_key=make_key(message["message_id"], 1))]
            )
    log = tmp_path / "log"
    log.touch()
    process = RegistryProcess(["fsck", "--state", str(state)], place.environment, log)
    deadline = time.monotonic() + 60
    while not state.exists():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code = process.wait(60)
    first = json.loads(state.read_text())

    rest = check(place, "--state", str(state))

    assert code == 130, log.read_text()
    assert "the same call goes on from here" in log.read_text()
    assert 0 < first["documents"] < total
    assert len(rest.findings) == total - first["documents"]
    assert rest.figures["findings"] == {"missing": total}
    assert not state.exists()


def test_the_state_names_nobody_and_is_for_our_eyes(run, place, tmp_path):
    state, ebox = tmp_path / "fsck.json", an_ebox(EboxKind.CITIZEN)
    away = {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}
    place.put(ebox)
    options = ("--ebox", f"citizen:{ebox.number}", "--state", str(state))
    state.write_text("")

    empty = run("fsck", *options, env=place.environment)
    state.unlink()
    with place.owner.begin() as connection:  # so that there is a first batch
        for _ in range(400):
            message = a_message(ebox)
            files = [a_file(blob_key=f"a/{message['message_id']}")]
            messages.add(connection, ebox, message, files)
    ended = run("fsck", *options, env=place.environment | away)

    assert empty.code == 2
    assert ended.code == 3
    assert ended.err.splitlines()[-1] == (
        "Error: The document store does not answer. "
        "The check is not finished; the same call goes on from here."
    )
    assert ebox.number not in ended.said
    assert not state.exists() or ebox.number not in state.read_text()


def test_a_state_of_another_check_is_refused(run, place, tmp_path):
    state = tmp_path / "fsck.json"
    members = {"scope": "all", "is_deep": True, "step": "objects", "after": "", "documents": 1}
    rest = {"objects": 0, "bytes_read": 0, "findings": {}, "unsettled_count": 0, "form": 1}
    state.write_text(json.dumps(members | rest))

    other = run("fsck", "--state", str(state), env=place.environment)
    same = run("fsck", "--deep", "--state", str(state), env=place.environment)

    assert other.code == 2
    assert "is of a check with other options" in other.err
    assert same.code == 0
    assert same.out.startswith("Documents checked: 1; objects: 0;")


def test_a_database_that_is_away_is_told_in_one_line(run, place):
    url = f"postgresql://nobody@{LOOPBACK}:{free_port()}/registry"

    done = run("fsck", env=place.environment | {"REGISTRY_DATABASE_WORKER_URL": url})

    assert done.code == 3
    assert done.err.splitlines()[-1].startswith("Error: The database does not")


def test_a_number_that_was_mistyped_is_not_repeated(run, place):
    for typed in (("--ebox", "citizen:85041299768x"), ("citizen:85041299768",)):
        done = run("fsck", *typed, env=place.environment)

        assert done.code == 2
        assert "85041299768" not in done.said


def test_help_shows_how_it_is_called(run):
    done = run("fsck", "--help")

    assert done.code == 0
    assert "Example: registry fsck --deep --state" in done.out
