"""The database goes away under a worker, and comes back: nothing is lost."""

import socket
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine, func, select

from registry import migrations
from registry.domain.events import Event, EventType
from registry.sandbox.seeds import reference
from registry.sandbox.servers.postgres import APPLICATION_ROLE, SUPERUSER, Cluster
from registry.sandbox.servers.processes import LOOPBACK
from registry.store.consultation import messages
from registry.store.events import outbox
from tests.factories import a_message, an_ebox
from tests.worker.conftest import wait

pytestmark = pytest.mark.journey  # servers that stop and come back, a minute long


class Road:
    """An address that leads to the cluster, wherever it is now, and to nobody while it is down."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._lead, daemon=True)
        self._thread.start()

    def _lead(self):
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            try:
                there = socket.create_connection((LOOPBACK, self._cluster.port), timeout=5)
            except OSError:
                here.close()
                continue
            there.settimeout(None)
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=_carry, args=(source, target), daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def _carry(source, target):
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def reachable():
    """A directory for every user: else the data would go when the server stops."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def own():
    """A server of the test's own, with its tables, which are there when it comes back."""
    with reachable() as directory, Cluster(directory / "postgres", durable=True) as cluster:
        engine = create_engine(cluster.url("owner"))
        migrations.upgrade(engine, APPLICATION_ROLE)
        with engine.begin() as connection:
            reference.plant(connection)
        engine.dispose()
        yield cluster


@pytest.fixture
def road(own):
    road = Road(own)
    yield road
    road.close()


def announce(cluster, count):
    """Messages that were just published."""
    engine, now = create_engine(cluster.url(SUPERUSER)), datetime.now(UTC)
    for _ in range(count):
        ebox = an_ebox()
        message = a_message(ebox, received_at=now, expires_at=now + timedelta(days=90))
        with engine.begin() as connection:
            messages.add(connection, ebox, message, [])
            event = Event(EventType.NEW_DOCUMENT, ebox, message["message_id"])
            outbox.add(connection, event, due_at=now)
    engine.dispose()


def told(cluster):
    engine = create_engine(cluster.url(SUPERUSER))
    with engine.connect() as connection:
        count = select(func.count()).where(outbox.outbox.c.state == "told")
        found = connection.execute(count).scalar_one()
    engine.dispose()
    return found


def test_a_database_that_restarts_loses_nothing(own, road, start, stand_in):
    url = f"postgresql://worker@{LOOPBACK}:{road.port}/registry"
    announce(own, 200)
    stand_in.fault(events="slow", seconds=0.2)
    worker = start(REGISTRY_DATABASE_WORKER_URL=url, REGISTRY_EVENTS_BATCH="10")
    wait(lambda: told(own) >= 20, "nothing is told")

    own.stop()
    worker.says('"event":"failed"')
    own.start()
    announce(own, 20)

    stand_in.fault()
    wait(lambda: told(own) == 220, "not all is told", 120)
    assert len(set(stand_in.received())) == 220
    assert worker.process.poll() is None
    assert "unexpectedly" not in worker.log
    assert worker.end()[0] == 0


def test_a_database_that_is_started_later_is_waited_for(own, road, start, stand_in):
    url = f"postgresql://worker@{LOOPBACK}:{road.port}/registry"
    announce(own, 1)
    own.stop()
    worker = start(REGISTRY_DATABASE_WORKER_URL=url).says('"event":"waiting"')

    own.start()

    worker.says('"event":"started"')
    wait(lambda: told(own) == 1, "the event is not told")
