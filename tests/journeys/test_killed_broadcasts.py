"""A process killed in the middle of a broadcast: the rest follows, and nobody gets it twice."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from registry.cli import registry
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK
from tests.factories import an_enterprise
from tests.service import BASE, PublicationRequest, Service

COUNT, BOUND = 3_500, 1_000
IMPOSSIBLE = "0206731646"  # in the third chunk
PATIENCE = 90  # seconds

pytestmark = pytest.mark.journey


class CheckingService(Service):
    """Looks at check digits, as in production."""

    @property
    def env(self):
        return {**super().env, "REGISTRY_CHECK_DIGITS": "true"}


class BroadcastRequest:
    """A message of the agency, and many more who are to get it."""

    def __init__(self, service, owner):
        self.service, self.owner, self.token = service, owner, service.token()
        document = b"%PDF-1.7\n" + uuid4().bytes
        status, members = PublicationRequest(document).send(service.port, self.token)
        assert status == 201, members
        self.message_id = members["messageId"]
        numbers = [an_enterprise() for _ in range(COUNT)]
        numbers.insert(2 * BOUND + 500, IMPOSSIBLE)
        recipients = [{"eboxType": "enterprise", "enterpriseNumber": each} for each in numbers]
        self.body = json.dumps({"recipients": recipients})
        self.expected = {f"enterprise:{each}" for each in numbers if each != IMPOSSIBLE}

    def send(self, key=None):
        """Status and members of the answer; 0 when nobody answers."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": f'"{key}"'} if key else {}
        connection = HTTPConnection(LOOPBACK, self.service.port, timeout=PATIENCE)
        path = f"{BASE}/ebox/messages/{self.message_id}/recipients"
        try:
            connection.request("POST", path, self.body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, HTTPException):
            return 0, {}
        finally:
            connection.close()

    def send_until_answered(self, key):
        deadline = time.monotonic() + PATIENCE
        while not (answer := self.send(key))[0]:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.05)
        return answer

    def ask(self, query):
        with self.owner.connect() as connection:
            return connection.execute(text(query), {"message_id": self.message_id}).all()

    def filed(self):
        return sum(row.filed for row in self.ask(_FILED))

    def kill_in_the_middle(self, key):
        """Send, and shoot who works on it when some have the message, and others not."""
        (worker,) = self.service.workers()
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(self.send, key)
            wait(lambda: self.filed() >= BOUND)
            os.kill(worker, signal.SIGKILL)
            assert sending.result()[0] == 0, "it was answered before it could be killed"
        wait(lambda: worker not in self.service.workers())
        wait(lambda: not self.ask(_ACTIVE))  # PostgreSQL notices, and rolls back
        assert BOUND <= self.filed() < COUNT

    def check(self):
        """Everybody has it once, whole, and is told once; no transaction filed too many."""
        rows = [row for row in self.ask(_COPIES) if row.ebox in self.expected]
        assert len(rows) == COUNT
        assert {row.ebox for row in rows} == self.expected
        assert {(row.events, row.documents, row.texts) for row in rows} == {(1, 1, 1)}
        transactions = [row.xmin for row in rows]
        assert max(transactions.count(xid) for xid in set(transactions)) <= BOUND


_FILED = "SELECT filed FROM broadcasts WHERE message_id = :message_id"
_ACTIVE = (
    "SELECT pid FROM pg_stat_activity WHERE state IN ('active', 'idle in transaction')"
    " AND usename = 'application' AND query LIKE '%broadcast%' AND :message_id <> ''"
)
_COPIES = """
SELECT m.ebox, m.xmin::text,
  (SELECT count(*) FROM outbox o WHERE o.ebox = m.ebox AND o.message_id = m.message_id) AS events,
  (SELECT count(*) FROM attachments a WHERE a.ebox = m.ebox AND a.message_id = m.message_id)
    AS documents,
  (SELECT count(*) FROM search_texts s WHERE s.ebox = m.ebox AND s.message_id = m.message_id)
    AS texts
FROM messages m WHERE m.message_id = :message_id
"""
_STALLED = "UPDATE broadcasts SET moved_at = moved_at - interval '1 minute'"


def wait(is_so):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.001)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with CheckingService(tmp_path_factory.mktemp("killed"), durable=True) as service:
        service.serve(workers=1)
        yield service


@pytest.fixture(scope="module")
def owner(service):
    engine = create_engine(service.cluster.url(SUPERUSER))
    yield engine
    engine.dispose()


@pytest.fixture
def broadcast(service, owner):
    return BroadcastRequest(service, owner)


def is_right(status, members):
    cases = [case["enterpriseNumber"] for case in members["errorCases"]]
    return (status, members["nbSuccessLinks"], cases) == (201, COUNT, [IMPOSSIBLE])


def test_the_same_request_finishes_what_was_killed(broadcast):
    key = uuid4()
    broadcast.kill_in_the_middle(key)

    answer = broadcast.send_until_answered(key)

    assert is_right(*answer), answer
    broadcast.check()
    assert broadcast.send(key) == answer


def test_the_worker_finishes_what_nobody_asks_for_again(broadcast, service, owner):
    broadcast.kill_in_the_middle(None)
    with owner.begin() as connection:
        connection.execute(text(_STALLED))

    worker = service.start_worker("--only", "broadcast")
    wait(lambda: broadcast.filed() == COUNT)
    worker.stop()

    broadcast.check()


def test_a_request_without_a_key_is_exact_too(broadcast):
    broadcast.kill_in_the_middle(None)

    answer = broadcast.send_until_answered(None)

    assert is_right(*answer), answer
    broadcast.check()


def test_a_sweep_in_the_middle_leaves_the_document(broadcast, service):
    broadcast.kill_in_the_middle(key := uuid4())
    typed = ["jobs", "sweep", "--older-than", "0"]
    done = CliRunner().invoke(registry, typed, env=service.env)

    answer = broadcast.send_until_answered(key)

    assert done.exit_code == 0, done.output
    assert is_right(*answer), answer
    (key,) = {row.blob_key for row in broadcast.ask(_BLOBS)}
    client = service.objects.client()
    assert client.head_object(Bucket=service.objects.bucket, Key=key)["ContentLength"] > 0
    client.close()


_BLOBS = "SELECT blob_key FROM attachments WHERE message_id = :message_id"
