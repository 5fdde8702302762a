"""The event service comes and goes, workers are killed: every message is announced all the same."""

import json
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from registry.sandbox.personas import AGENCY, BAKERY
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK
from tests.service import BASE, BOUNDARY, Service, headers

PUBLICATIONS = int(os.environ.get("JOURNEY_PUBLICATIONS", "200"))
WORKERS, SENDERS = 2, 3
PATIENCE = 300  # seconds for what is left when all is well again
# `lost` carries the batch out and hangs up: the worker cannot know.
WEATHER = ("ok", "ok", "error", "html", "reset", "lost", "busy", "slow", "garbage")

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("flapping")) as service:
        service.serve()
        yield service


@pytest.fixture(scope="module")
def owner(service):
    """Sees every e-Box."""
    engine = create_engine(service.cluster.url(SUPERUSER))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def published(service, owner):
    """The ids of messages that were published in bad weather, once everything is told."""
    with Storm(service) as storm, dying(service) as deaths:
        token = service.token()
        with ThreadPoolExecutor(SENDERS) as senders:
            ids = list(senders.map(lambda _: publish(service, token), range(PUBLICATIONS)))
        wait(lambda: storm.changes > 5 and len(deaths) > 2, "there was hardly any weather")
    service.control("PUT", "/sandbox/faults", {})
    wait(lambda: waiting(owner) == 0, "some events are never told")
    return ids


def test_every_message_is_announced(published, service):
    announced = {
        event["messageId"] for event in received(service) if event["eventType"] == "newDocument"
    }

    assert len(set(published)) == PUBLICATIONS
    assert set(published) <= announced


def test_nothing_is_told_that_did_not_happen(published, service, owner):
    with owner.connect() as connection:
        known = set(connection.execute(text("SELECT correlation_id::text FROM outbox")).scalars())

    assert {event["eventCorrelationId"] for event in received(service)} <= known


def test_nothing_is_given_up(published, owner):
    with owner.connect() as connection:
        states = connection.execute(text("SELECT state, count(*) FROM outbox GROUP BY state"))

        assert dict(states.all()) == {"told": PUBLICATIONS}


class Storm:
    """The event service changes its mind every second or so, until the end."""

    def __init__(self, service):
        self._service = service
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow)
        self.changes = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _blow(self):
        while not self._over.wait(random.uniform(0.2, 2)):
            weather = {"events": random.choice(WEATHER), "seconds": 3}
            self._service.control("PUT", "/sandbox/faults", weather)
            self.changes += 1


@contextmanager
def dying(service):
    """Workers, one of whom is killed every few seconds, and replaced."""
    over, deaths = threading.Event(), []
    workers = [service.start_worker("--only", "deliver") for _ in range(WORKERS)]

    def kill():
        while not over.wait(random.uniform(1, 4)):
            victim = random.randrange(WORKERS)
            os.kill(workers[victim].pid, signal.SIGKILL)
            workers[victim].stop()
            deaths.append(victim)
            workers[victim] = service.start_worker("--only", "deliver")

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield deaths
    finally:
        over.set()
        thread.join()


def publish(service, token):
    """A letter that is all body; again and again until it is published, with the same key."""
    key, deadline = str(uuid4()), time.monotonic() + PATIENCE
    message = json.dumps(
        {
            "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
            "recipient": {"eboxType": "enterprise", "enterpriseNumber": BAKERY.digits},
            "subject": {"nl": "Een brief"},
            "messageTypeId": "information-letter",
            "senderApplicationId": "sandbox-sender",
            "bodyContent": {"nl": "Beste bakker, het brood was goed."},
            "isBodyMainContent": True,
        }
    )
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="messageToPublish"\r\n'
        f"Content-Type: application/json\r\n\r\n{message}\r\n--{BOUNDARY}--\r\n"
    ).encode()
    while time.monotonic() < deadline:
        connection = HTTPConnection(LOOPBACK, service.port, timeout=60)
        try:
            connection.request(
                "POST", f"{BASE}/ebox/messages", body, headers(token, len(body), key)
            )
            answer = connection.getresponse()
            members = json.loads(answer.read())
        except OSError:
            continue
        finally:
            connection.close()
        if answer.status in (201, 409):
            return members["messageId"]
        assert answer.status >= 500, members
    raise AssertionError("a publication was never answered")


def received(service):
    return [event["eventData"] for event in service.control("GET", "/sandbox/events")]


def waiting(owner):
    with owner.connect() as connection:
        left = text("SELECT count(*) FROM outbox WHERE state = 'waiting'")
        return connection.execute(left).scalar_one()


def wait(is_so, complaint):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.2)
