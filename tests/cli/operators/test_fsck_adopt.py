"""`registry fsck --adopt`: what a restore has lost is filed again, by the records in storage."""

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, insert, text

from registry.api.state import get_state
from registry.app import create_app
from registry.blobs.s3 import PART_SIZE
from registry.domain.document_keys import make_key, make_record_key
from registry.domain.identifiers import EboxKind
from registry.domain.pseudonyms import Pseudonyms
from registry.sandbox.personas import CITIZEN_PORTAL, CONSUMER, SENDER
from registry.sandbox.servers.binaries import Binaries
from registry.services.publication.records import PublicationRecords
from registry.services.publication.uploads import Uploads
from registry.store.reference import make_folded_texts, sender_configurations, sender_organizations
from registry.wiring.pseudonyms import make_pseudonyms
from tests.api.publication import MESSAGES, Document, Sender
from tests.databases import migrated_database
from tests.factories import PDF, an_ebox
from tests.forked import RegistryProcess
from tests.trail_entries import read_trail

pytestmark = pytest.mark.long

NAME = 40 * "\U0001f9fe" + " secret.pdf"
LARGE = b"%PDF-1.4\n".ljust(PART_SIZE + 7, b"x")
TABLE = Document("b", b"a;b\n", "secret.csv", "text/csv", is_main=False)
ALL = ("--older-than", "0")


class Provider:
    """A registry with a bucket of its own, whose database is lost and restored beside it."""

    def __init__(self, cluster, settings, environment, party, database):
        self.cluster, self.party, self.databases = cluster, party, []
        self._settings, self._environment = settings, environment
        self.sender = an_ebox()
        self.open(database)
        name = {"nl": "Organisatie"}
        organization = {"organization_id": self.sender.number, "short_name": name}
        pairs = {"organization_id": self.sender.number, "application_id": "sandbox-sender"}
        with self.owner.begin() as connection:
            connection.execute(
                insert(sender_organizations).values(organization | make_folded_texts(name))
            )
            connection.execute(
                insert(sender_configurations).values(
                    pairs | {"message_type_id": "information-letter"}
                )
            )

    def open(self, database):
        self.database = database
        urls = {
            "database_url": self.cluster.url("application", database),
            "database_owner_url": self.cluster.url("owner", database),
            "database_worker_url": self.cluster.url("worker", database),
        }
        secrets = {name: SecretStr(url) for name, url in urls.items()}
        self.settings = self._settings.model_copy(update=secrets)
        variables = {f"REGISTRY_{name.upper()}": url for name, url in urls.items()}
        bucket = {"REGISTRY_S3_BUCKET": self._settings.s3_bucket}
        self.environment = {**self._environment, **variables, **bucket}
        self.app = create_app(self.settings)
        self.registry = get_state(self.app).registry
        self.blobs = self.registry.uploads.blobs
        self.owner = create_engine(urls["database_owner_url"])

    def close(self):
        self.registry.dispose()
        self.owner.dispose()

    def visitor(self, ebox):
        if ebox.enterprise_number:
            token = self.party(SENDER, CONSUMER, enterprise=ebox.number)
        else:
            token = self.party(CITIZEN_PORTAL, person=ebox.number)
        return Sender(self.app.test_client(), token, ebox)

    def publish(self, to, *documents, **changes):
        return self.visitor(self.sender).published(to, *documents, **changes)

    def backup(self):
        return self._run("pg_dump", "-d", self.cluster.url("postgres", self.database))

    def restore(self, dump):
        """Another database, with what the dump has, and the bucket as it is."""
        self.close()
        name = f"restored_{uuid4().hex[:12]}"
        self.cluster.create_database(name)
        self.databases.append(name)
        url = self.cluster.url("postgres", name)
        self._run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, input=dump)
        self.open(name)

    def _run(self, program, *arguments, **options):
        command = [Binaries.find().directory / program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, **options).stdout

    def show(self, ebox, message_id):
        """All that a reader sees of a message, and the bytes of its documents; None if nothing."""
        reader = self.visitor(ebox)
        answer = reader.get(f"{MESSAGES}/{message_id}")
        if answer.status_code == 404:
            return None
        files = reader.get(f"{MESSAGES}/{message_id}/attachments").json["items"]
        contents = [
            reader.get(f"{MESSAGES}/{message_id}/attachments/{each['attachmentId']}/content").data
            for each in files
        ]
        return answer.json, files, contents

    def rows(self, query, **values):
        with self.owner.connect() as connection:
            return connection.execute(text(query), values).all()

    def entries(self):
        """The texts of all entries of the trail."""
        with self.owner.connect() as connection:
            return [row.entry for row in read_trail(connection)]

    def change(self, query, **values):
        with self.owner.begin() as connection:
            connection.execute(text(query), values)

    @property
    def records(self):
        return PublicationRecords(self.blobs, make_pseudonyms(self.settings))

    def read_record(self, message_id):
        key = make_record_key(UUID(message_id))
        head = self.blobs.client.head_object(Bucket=self.blobs.bucket, Key=key)
        return self.records.read(UUID(message_id), head["ContentLength"])

    def announcements(self):
        """What the federation is, or was, to be told of new messages: by id and e-Box."""
        query = "SELECT correlation_id, ebox FROM outbox WHERE type = 'newDocument' ORDER BY 1"
        return self.rows(query)

    def counts(self):
        """How many rows of each kind a message has: a half one is seen in the numbers."""
        names = ("messages", "attachments", "search_texts", "sent_messages", "outbox")
        return {self.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names}  # noqa: S608


@pytest.fixture
def provider(cluster, settings, environment, objects, party):
    bucket = f"adopt-{uuid4().hex[:12]}"
    objects.create_bucket(bucket)
    ours = settings.model_copy(update={"s3_bucket": bucket})
    with migrated_database(cluster, "adopt") as urls:
        database = urls.owner.rpartition("/")[2].partition("?")[0]
        provider = Provider(cluster, ours, environment, party, database)
        yield provider
        provider.close()
        for name in provider.databases:
            cluster.drop_database(name)


@pytest.fixture
def adopt(run, provider):
    """Run `registry fsck --adopt --json`; gives exit code, outcomes by message, and the figures."""

    def fsck(*options):
        done = run("fsck", "--adopt", "--json", *options, env=provider.environment)
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert "secret" not in done.said
        return SimpleNamespace(
            code=done.code,
            outcomes={line["messageId"]: line["outcome"] for line in lines if "finding" in line},
            lines=lines,
            figures=lines[-1] if lines else None,
            err=done.err,
        )

    return fsck


def test_what_a_restore_lost_is_there_again_byte_for_byte(run, adopt, provider):
    citizen, company = an_ebox(EboxKind.CITIZEN), an_ebox()
    kept = provider.publish(company, isReplyAuthorized=True)
    dump = provider.backup()
    lost = {
        provider.publish(citizen, Document(file_name=NAME), TABLE): citizen,
        provider.publish(company, Document(content=LARGE)): company,
        provider.visitor(company).reply(kept).json["messageId"]: provider.sender,
    }
    before = {message_id: provider.show(ebox, message_id) for message_id, ebox in lost.items()}
    events = provider.announcements()
    provider.restore(dump)
    gone = [provider.show(ebox, message_id) for message_id, ebox in lost.items()]

    seen = adopt(*ALL)
    counts = provider.counts()
    adopted, again = adopt("--yes", *ALL), adopt("--yes", *ALL)

    assert gone == [None] * 3
    assert (seen.code, seen.outcomes) == (1, dict.fromkeys(lost, "can be adopted"))
    assert counts == {1}, "a look changes something"
    assert (adopted.code, adopted.outcomes) == (0, dict.fromkeys(lost, "adopted"))
    assert adopted.figures == {
        "isSound": False,
        "records": 4,
        "lost": 3,
        "adopted": 3,
        "unsettled": 0,
    }
    assert (again.code, again.outcomes, again.figures["isSound"]) == (0, {}, True)
    assert {each: provider.show(ebox, each) for each, ebox in lost.items()} == before
    assert provider.announcements() == events
    stranger = an_ebox()
    assert all(provider.show(stranger, message_id) is None for message_id in lost)
    check = run("fsck", "--deep", *ALL, env=provider.environment)
    assert (check.code, check.err) == (0, "")


def test_it_is_recorded_with_the_name_of_the_operator(run, provider):
    citizen = an_ebox(EboxKind.CITIZEN)
    dump = provider.backup()
    message_id = provider.publish(citizen)
    provider.restore(dump)

    done = run("fsck", "--adopt", "--yes", "--as", "An", *ALL, env=provider.environment)

    assert done.code == 0
    (entry,) = [json.loads(entry) for entry in provider.entries() if "fsck/adopt" in entry]
    assert entry["API_CALL_DETAILS"]["operator"] == "An"
    assert entry["API_CALL_DETAILS"]["messageId"] == message_id
    assert citizen.number not in json.dumps(entry)


def test_a_person_sees_a_table_that_names_nobody(run, provider):
    citizen = an_ebox(EboxKind.CITIZEN)
    dump = provider.backup()
    message_id = provider.publish(citizen, Document(file_name="secret.pdf"))
    provider.restore(dump)

    done = run("fsck", "--adopt", *ALL, env=provider.environment)

    head, line, sums = done.out.splitlines()
    assert head.split() == ["message", "received", "to", "documents", "bytes", "outcome"]
    assert line.split()[:1] == [message_id]
    assert line.endswith(f"citizen             1  {len(PDF):>13}  can be adopted")
    assert sums == "Records of publications: 1; lost: 1; adopted: 0."
    assert done.err == (
        "Error: 1 lost publication is left. Nothing was changed; --yes files again what can be.\n"
    )
    for secret in (citizen.number, provider.sender.number, "secret", "Aanslagbiljet"):
        assert secret not in done.said


def test_what_is_not_complete_is_not_adopted(adopt, provider):
    dump = provider.backup()
    missing, short, altered, well = (provider.publish(an_ebox(), Document(), TABLE) for _ in "1234")
    provider.restore(dump)
    provider.blobs.erase(make_key(UUID(missing), 2))
    provider.blobs.put(make_key(UUID(short), 1), [PDF[:-1]])
    provider.blobs.put(make_key(UUID(altered), 1), [PDF.replace(b"a doc", b"A doc")])

    seen, done = adopt(*ALL), adopt("--yes", *ALL)

    faults = {
        missing: "left: document 2 of 2 is not there",
        short: "left: document 1 of 2 has another size",
    }
    assert seen.outcomes == {**faults, altered: "can be adopted", well: "can be adopted"}
    assert done.outcomes == {
        **faults,
        altered: "left: document 1 of 2 has other bytes",
        well: "adopted",
    }
    assert (done.code, done.figures["unsettled"]) == (1, 3)
    assert provider.rows("SELECT message_id FROM messages") == [(UUID(well),)]


def test_what_its_sender_published_again_is_not_adopted(adopt, provider):
    recipient, key = an_ebox(), {"Idempotency-Key": str(uuid4())}
    dump = provider.backup()
    lost = provider.visitor(provider.sender).publish(recipient, headers=key).json["messageId"]
    provider.restore(dump)
    new = provider.visitor(provider.sender).publish(recipient, headers=key).json["messageId"]

    done = adopt("--yes", *ALL)

    assert done.outcomes == {lost: f"left: its sender published it again as {new}"}
    assert provider.rows("SELECT message_id FROM messages") == [(UUID(new),)]


def test_who_publishes_again_after_an_adoption_is_told_of_it(adopt, provider):
    recipient, key = an_ebox(), {"Idempotency-Key": str(uuid4())}
    dump = provider.backup()
    lost = provider.visitor(provider.sender).publish(recipient, headers=key).json["messageId"]
    provider.restore(dump)
    adopt("--yes", *ALL)

    answer = provider.visitor(provider.sender).publish(recipient, headers=key)

    assert answer.status_code == 409
    assert lost in answer.text


def test_what_no_record_of_ours_describes_is_not_adopted(adopt, provider):
    dump = provider.backup()
    forged, foreign, garbage, none = (provider.publish(an_ebox()) for _ in "1234")
    provider.restore(dump)
    other_key = PublicationRecords(provider.blobs, Pseudonyms(32 * "x"))
    message = provider.read_record(foreign)
    other_key.store(message)
    record = make_record_key(UUID(forged))
    content = b"".join(provider.blobs.open(record, 0, 99))
    provider.blobs.put(record, [content[:99]])
    provider.blobs.put(make_record_key(UUID(garbage)), [b"\xff\x00{}"])
    provider.blobs.erase(make_record_key(UUID(none)))
    provider.blobs.put("records/elsewhere", [b"{}"])
    stray = make_key(uuid4(), 1)
    provider.blobs.put(stray, [PDF])

    done = adopt("--yes", *ALL)

    assert done.code == 1
    assert done.outcomes == {
        forged: "left: the record has no seal of this hash key",
        foreign: "left: the record has no seal of this hash key",
        garbage: "left: the record is none, or of a later version",
    }
    assert provider.rows("SELECT message_id FROM messages") == []
    assert b"".join(provider.blobs.open(stray, 0, len(PDF) - 1)) == PDF


def test_what_was_deleted_or_is_under_way_is_not_lost(adopt, provider):
    dump = provider.backup()
    deleted, doomed, expired, under_way = (provider.publish(an_ebox()) for _ in "1234")
    provider.restore(dump)
    provider.change(
        "INSERT INTO deletions VALUES ('x', :id, '[]', now(), now(), 'expired')", id=UUID(deleted)
    )
    provider.change(
        "INSERT INTO doomed_documents (blob_key, due_at) VALUES (:key, now())",
        key=make_key(UUID(doomed), 1),
    )
    long_ago = datetime.now(UTC) - timedelta(days=40 * 366)
    provider.records.store(replace(provider.read_record(expired), received_at=long_ago))
    transactions = provider.registry.uploads.transactions
    upload = Uploads(transactions, provider.blobs, None).begin(provider.sender)
    upload.message_id = UUID(under_way)
    upload.stage("part", "a.pdf", "application/pdf", [PDF])

    seen, done = adopt(*ALL), adopt("--yes", *ALL)

    assert seen.outcomes == done.outcomes == {expired: "left: it has expired"}
    assert provider.rows("SELECT message_id FROM messages") == []


def test_what_filing_refuses_adoption_refuses(adopt, provider):
    dump = provider.backup()
    message_id = provider.publish(an_ebox())
    provider.restore(dump)
    provider.change("DELETE FROM sender_configurations")

    done = adopt("--yes", *ALL)

    assert done.outcomes == {message_id: "left: senderApplicationId: Invalid message configuration"}
    assert provider.counts() == {0}


def test_a_part_can_be_adopted(adopt, provider):
    citizen = an_ebox(EboxKind.CITIZEN)
    dump = provider.backup()
    first, second, third = (provider.publish(ebox) for ebox in (citizen, an_ebox(), an_ebox()))
    provider.restore(dump)
    now = datetime.now(UTC)
    for message_id, days in ((first, 3), (second, 2), (third, 1)):
        message = provider.read_record(message_id)
        provider.records.store(replace(message, received_at=now - timedelta(days=days)))

    def at(days):
        return (now - timedelta(days=days)).isoformat(timespec="seconds")

    window = ("--published-after", at(2.5), "--published-before", at(1.5))
    seen = [
        set(adopt(*options, *ALL).outcomes)
        for options in (
            (),
            window,
            ("--ebox", f"citizen:{citizen.number}"),
            ("--message", third),
            ("--message", first, "--message", second),
            ("--message", third, *window),
        )
    ]
    young, nowhere = adopt(), str(uuid4())
    unknown = adopt("--message", nowhere)
    done = adopt("--yes", "--message", second, *ALL)

    assert seen == [{first, second, third}, {second}, {first}, {third}, {first, second}, set()]
    assert set(young.outcomes.values()) == {"left: younger than --older-than"}
    assert (unknown.code, unknown.outcomes) == (
        1,
        {nowhere: "left: storage has no record of it"},
    )
    assert (done.code, done.outcomes) == (0, {second: "adopted"})
    assert provider.rows("SELECT message_id FROM messages") == [(UUID(second),)]


def test_the_federation_need_not_be_told(adopt, provider):
    dump = provider.backup()
    provider.publish(an_ebox())
    provider.restore(dump)

    done = adopt("--yes", "--without-events", *ALL)

    assert done.code == 0
    assert provider.rows("SELECT type FROM outbox") == []


def test_a_note_that_the_backup_brought_back_goes_with_the_adoption(adopt, provider):
    recipient = an_ebox()
    message_id = provider.publish(recipient)
    provider.change("DELETE FROM messages")
    provider.change("DELETE FROM sent_messages")
    provider.change(
        "INSERT INTO upload_notes (ebox, message_id, written_in) VALUES (:ebox, :id, 'elsewhere')",
        ebox=provider.sender.key,
        id=UUID(message_id),
    )

    done = adopt("--yes", *ALL)

    assert done.outcomes == {message_id: "adopted"}
    assert provider.rows("SELECT * FROM upload_notes") == []


def test_a_process_that_is_killed_leaves_nothing_half(adopt, provider, tmp_path):
    dump = provider.backup()
    recipient, count = an_ebox(), 30
    visitor = provider.visitor(provider.sender)
    for _ in range(count):
        visitor.published(recipient)
    provider.restore(dump)
    log = tmp_path / "log"
    log.touch()
    process = RegistryProcess(["fsck", "--adopt", "--yes", *ALL], provider.environment, log)
    deadline = time.monotonic() + 60
    while not provider.rows("SELECT message_id FROM messages"):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    first = provider.counts()
    noted = sum("fsck/adopt" in entry for entry in provider.entries())

    rest = adopt("--yes", *ALL)

    assert len(first) == 1, first
    assert 0 < noted < count
    assert first == {noted}
    assert rest.figures["adopted"] == count - noted
    assert provider.counts() == {count}


def test_two_at_once_adopt_each_once(provider, start):
    dump = provider.backup()
    recipient, count = an_ebox(), 12
    visitor = provider.visitor(provider.sender)
    for _ in range(count):
        visitor.published(recipient)
    provider.restore(dump)

    with ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(start, "fsck", "--adopt", "--yes", *ALL, env=provider.environment)
            for _ in range(2)
        ]
        codes = [run.result(timeout=60).returncode for run in runs]

    assert codes == [0, 0]
    assert provider.counts() == {count}


def test_a_stray_that_is_moved_takes_its_record_along(run, adopt, provider):
    dump = provider.backup()
    message_id = provider.publish(an_ebox(), Document(), TABLE)
    provider.restore(dump)

    moved = run("fsck", "--repair", *ALL, env=provider.environment)

    assert moved.code == 0
    keys = list(provider.blobs.keys("", datetime.now(UTC) + timedelta(days=1)))
    originals = [
        *(make_key(UUID(message_id), n) for n in (1, 2)),
        make_record_key(UUID(message_id)),
    ]
    assert sorted(keys) == sorted(f"quarantine/{key}" for key in originals)
    copy = provider.blobs.client.head_object(Bucket=provider.blobs.bucket, Key=keys[0])
    assert copy["Metadata"]["message-id"] == message_id
    assert adopt("--yes", *ALL).figures["records"] == 0


def test_a_store_that_is_away_is_told_in_one_line(run, provider):
    away = {"REGISTRY_S3_ENDPOINT": "http://127.0.0.1:9"}

    done = run("fsck", "--adopt", env=provider.environment | away)

    assert done.code == 3
    assert done.err.splitlines()[-1] == (
        "Error: The document store does not answer. "
        "What was adopted stays; the same call goes on with the rest."
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--yes",), "belong to --adopt"),
        (("--message", str(uuid4())), "belong to --adopt"),
        (("--without-events",), "belong to --adopt"),
        (("--adopt", "--deep"), "goes without --deep"),
        (("--adopt", "--repair"), "goes without --deep"),
        (("--adopt", "--message", "1"), "not a valid UUID"),
        (("--adopt", "--published-after", "2026-11-27T09:00"), "does not match the formats"),
    ],
)
def test_what_does_not_go_together_is_refused(run, environment, options, fault):
    done = run("fsck", *options, env=environment)

    assert done.code == 2
    assert fault in done.err
