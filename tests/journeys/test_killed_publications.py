"""A worker killed at each stage of a publication: nothing is lost, doubled, or half there."""

import base64
import hashlib
import os
import random
import signal
import socket
import time
from contextlib import contextmanager
from itertools import cycle, islice

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from registry.cli import registry
from registry.domain.document_keys import PREFIX, RECORDS, find_record_key
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK
from tests.service import PublicationRequest, Service

KILLS = int(os.environ.get("JOURNEY_STAGES", "8"))
LEAST, MOST = 50_000, 20 << 20  # bytes of a document
PIECE = 128 << 10
PATIENCE = 60  # seconds

pytestmark = pytest.mark.journey


class Victim:
    """A client who sends slowly, and shoots the worker that listens to him."""

    def __init__(self, service, owner, publication):
        self.service, self.owner, self.publication = service, owner, publication
        self.token = service.token()

    @contextmanager
    def connected(self):
        with socket.create_connection((LOOPBACK, self.service.port), timeout=PATIENCE) as sock:
            sock.sendall(self.publication.head(self.token))
            yield sock

    def sent(self, sock, upto):
        """Send the body up to an offset, with small pauses."""
        body = memoryview(self.publication.body)
        for start in range(0, upto, PIECE):
            sock.sendall(body[start : min(start + PIECE, upto)])
            time.sleep(random.uniform(0, 0.004))

    def kill(self):
        (worker,) = self.service.workers()
        os.kill(worker, signal.SIGKILL)
        wait(lambda: worker not in self.service.workers(), "the worker did not die")

    def rows(self):
        """How many messages PostgreSQL shows for the key."""
        with self.owner.connect() as connection:
            return connection.execute(
                text("SELECT count(*) FROM sent_messages WHERE idempotency_key = :key"),
                {"key": self.publication.key},
            ).scalar_one()


def wait(is_so, complaint):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.001)


def while_the_file_is_sent(victim):
    at = victim.publication.document_at
    with victim.connected() as sock:
        victim.sent(sock, random.randrange(at, at + len(victim.publication.document)))
        victim.kill()
    return {201}


def while_the_message_is_sent(victim):
    at = victim.publication.message_at
    with victim.connected() as sock:
        victim.sent(sock, random.randrange(at, at + victim.publication.message_size))
        victim.kill()
    return {201}


def at_a_random_moment_after_the_last_byte(victim):
    with victim.connected() as sock:
        victim.sent(sock, len(victim.publication.body))
        time.sleep(random.uniform(0, 0.15))
        victim.kill()
    return {201, 409}


def between_staging_and_commit(victim):
    """The transaction waits for a table that we hold, in the middle of its statements."""
    with victim.connected() as sock, victim.owner.connect() as holder:
        holder.execute(text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        victim.sent(sock, len(victim.publication.body))
        wait(lambda: holder.execute(waiting).scalar_one(), "the publication did not get there")
        victim.kill()
    assert victim.rows() == 0, "a message is visible whose transaction never ended"
    return {201}


def after_the_commit(victim):
    """Whatever answer there may be, nobody reads it."""
    with victim.connected() as sock:
        victim.sent(sock, len(victim.publication.body))
        wait(victim.rows, "the publication was not committed")
        victim.kill()
    return {409}


STAGES = (
    while_the_file_is_sent,
    while_the_message_is_sent,
    between_staging_and_commit,
    after_the_commit,
    at_a_random_moment_after_the_last_byte,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("killed"), durable=True) as service:
        service.serve(workers=1)
        yield service


@pytest.fixture(scope="module")
def owner(service):
    """Sees every e-Box."""
    engine = create_engine(service.cluster.url(SUPERUSER))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def store(service):
    client = service.objects.client()
    yield client
    client.close()


@pytest.fixture(scope="module")
def published(service, owner):
    """What was published in spite of the kills: publications and the ids their senders know."""
    found = []
    for kill in islice(cycle(STAGES), KILLS):
        document = b"%PDF-1.7\n" + random.randbytes(size())
        message_first = kill is not while_the_message_is_sent and random.random() < 0.5
        publication = PublicationRequest(document, message_first=message_first)
        victim = Victim(service, owner, publication)
        expected = kill(victim)

        status, members = publication.send_until_answered(
            service.port, victim.token, within=PATIENCE
        )

        assert status in expected, f"killed {kill.__name__}: {status} {members}"
        publication.body = publication.document = b""  # 50 of them are too much to keep
        found.append((publication, len(document), members["messageId"]))
    return found


def size():
    """As many small documents as large ones: stages of one part, of two, of three."""
    return random.choice((random.randrange(LEAST, 1 << 20), random.randrange(1 << 20, MOST - 100)))


def test_each_publication_is_one_message(published, owner):
    with owner.connect() as connection:
        keys = connection.execute(text("SELECT idempotency_key, message_id FROM sent_messages"))
        listed = connection.execute(text("SELECT message_id FROM messages")).scalars().all()
        announced = connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()

    claimed = sorted((key, str(message)) for key, message in keys)
    assert claimed == sorted((one.key, message) for one, _, message in published)
    assert sorted(map(str, listed)) == sorted(message for _, _, message in published)
    assert announced == len(published), "a message is announced more than once, or not at all"


def test_each_message_has_its_document_as_it_was_sent(published, owner, store, service):
    with owner.connect() as connection:
        rows = connection.execute(
            text("SELECT message_id, size, digest, blob_key FROM attachments")
        ).all()

    found = {
        str(row.message_id): (row.size, row.digest, *stored(store, service, row.blob_key))
        for row in rows
    }
    assert len(rows) == len(published), "a message has no document, or too many"
    assert found == {
        message: (length, one.digest, length, one.digest) for one, length, message in published
    }


def stored(store, service, key):
    """Size and SHA-256 of what S3 has."""
    content = store.get_object(Bucket=service.objects.bucket, Key=key)["Body"].read()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
    return len(content), digest


def test_a_sweep_leaves_what_messages_have(published, owner, store, service):
    with owner.connect() as connection:
        claimed = set(connection.execute(text("SELECT blob_key FROM attachments")).scalars())
    before = keys(store, service)
    assert before > claimed, "no kill left anything behind: this journey proves nothing"

    listed = sweep(service, "--dry-run")
    assert keys(store, service) == before, "a dry run deletes"
    assert set(listed.split()) >= before - claimed
    sweep(service)
    said = sweep(service, "--dry-run")

    assert keys(store, service) == claimed
    assert keys(store, service, RECORDS) == {find_record_key(key) for key in claimed}
    pending = store.list_multipart_uploads(Bucket=service.objects.bucket).get("Uploads", [])
    assert [upload["Key"] for upload in pending] == []
    assert said == "", "a second sweep finds more"


def sweep(service, *options):
    typed = ["jobs", "sweep", "--older-than", "0", *options]
    done = CliRunner().invoke(registry, typed, env=service.env)
    assert done.exit_code == 0, done.output
    return done.stdout


def keys(store, service, prefix=PREFIX):
    pages = store.get_paginator("list_objects_v2").paginate(
        Bucket=service.objects.bucket, Prefix=prefix
    )
    return {found["Key"] for page in pages for found in page.get("Contents", ())}
