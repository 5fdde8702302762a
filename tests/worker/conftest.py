"""Workers as processes, on a database that nobody else looks at."""

import signal
import time
from uuid import uuid4

import pytest
import requests
from pydantic import SecretStr

from registry.settings.fault import PREFIX
from registry.wiring.worker import assemble_worker
from tests.alone import a_database
from tests.forked import RegistryProcess

PATIENCE = 60  # seconds


def variables(settings):
    """The settings as a process finds them."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        PREFIX + name.upper(): value.get_secret_value()
        if isinstance(value, SecretStr)
        else str(value)
        for name, value in values.items()
    }


def wait(is_so, complaint, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


class Running:
    """A worker in a process of its own."""

    def __init__(self, log, options, environment):
        self.path = log
        log.touch()
        self.process = RegistryProcess(["worker", *options], environment, log)

    @property
    def log(self):
        return self.path.read_text()

    def says(self, text):
        """Wait until the log has this."""
        wait(lambda: text in self.log or self.process.poll() is not None, f"no {text!r}")
        assert text in self.log, self.log
        return self

    def hang_up(self):
        """What tells others to read their settings again."""
        self.process.send_signal(signal.SIGHUP)

    def end(self, *, signals=1):
        """Ask it to stop; exit code, and seconds that it took."""
        began = time.monotonic()
        for _ in range(signals):
            self.process.send_signal(signal.SIGTERM)
            time.sleep(0.3 if signals > 1 else 0)
        return self.process.wait(PATIENCE), time.monotonic() - began

    def finish(self):
        """Wait for the end; exit code."""
        return self.process.wait(PATIENCE)


class StandIn:
    """The event service's stand-in: its faults, and what it took."""

    def __init__(self, federation):
        self._origin = federation.base_url
        self._http = requests.Session()
        self._http.trust_env = False

    def fault(self, **faults):
        self._http.put(f"{self._origin}/sandbox/faults", json=faults).raise_for_status()

    def calls(self):
        return self._http.get(f"{self._origin}/sandbox/calls").json()["events"]

    def received(self):
        """What was told: type and message."""
        told = self._http.get(f"{self._origin}/sandbox/events").json()
        return [(item["eventData"]["eventType"], item["eventData"]["messageId"]) for item in told]

    def clear(self):
        self.fault()
        self._http.delete(f"{self._origin}/sandbox/events")
        self._http.delete(f"{self._origin}/sandbox/calls")

    def close(self):
        self._http.close()


@pytest.fixture(scope="module")
def database_alone(cluster, settings, objects):
    """A database and buckets of the module's own."""
    bucket = f"worker-{uuid4().hex[:12]}"
    seals = f"{bucket}-seals"
    objects.create_bucket(bucket)
    objects.create_bucket(seals, has_object_lock=True)
    with a_database(cluster, settings, s3_bucket=bucket, audit_bucket=seals) as alone:
        yield alone


@pytest.fixture
def alone(database_alone):
    database_alone.clear()
    return database_alone


@pytest.fixture
def worker_services(alone):
    """The worker's services, on that database."""
    assembled = assemble_worker(alone.settings)
    yield assembled
    assembled.dispose()


@pytest.fixture
def stand_in(federation):
    """Well, and with nothing received."""
    stand_in = StandIn(federation)
    stand_in.clear()
    yield stand_in
    stand_in.clear()
    stand_in.close()


@pytest.fixture
def start(alone, tmp_path):
    """Starts workers: `start(*options, VARIABLE=…)`; None takes a variable away."""
    started = []

    def begin(*options, **changes):
        environment = {**variables(alone.settings), **changes}
        given = {name: value for name, value in environment.items() if value is not None}
        started.append(Running(tmp_path / f"worker-{len(started)}.log", options, given))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait()
