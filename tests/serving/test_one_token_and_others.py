"""Cached callers are served whatever others bring, and whatever becomes of introspection."""

import json
import threading
import time
from http.client import HTTPConnection
from itertools import count

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.federation.addresses import CALLS
from registry.sandbox.personas import CONSUMER
from registry.sandbox.servers.processes import LOOPBACK
from tests.conftest import V3
from tests.factories import an_ebox
from tests.gunicorn import run_gunicorn

pytestmark = pytest.mark.process

LISTING = f"{V3[EboxKind.ENTERPRISE]}/ebox/messages"
LIMIT = 20  # refused tokens that an address may bring
TIMEOUT = 3  # seconds that introspection may take
AT_ONCE = 2  # seconds in which an answer comes that waits for nobody
LONG = 15  # seconds: more than anything here takes


@pytest.fixture(scope="module")
def port(settings, tmp_path_factory):
    more = {"REGISTRY_UNKNOWN_TOKENS": str(LIMIT), "REGISTRY_TOKEN_CACHE_READS": "600"}
    folder = tmp_path_factory.mktemp("gunicorn")
    with run_gunicorn(settings, folder, "--threads", "4", **more) as port:
        yield port


@pytest.fixture
def ask(port):
    """Lists messages from an address: status, seconds, and Retry-After."""

    def send(token, address, timeout=LONG):
        connection = HTTPConnection(LOOPBACK, port, timeout=timeout)
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        try:
            connection.request("GET", LISTING, headers=headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        return answer.status, time.monotonic() - began, answer.headers["Retry-After"]

    return send


@pytest.fixture
def flood(ask):
    """Brings made-up tokens from an address without a pause, on many connections."""
    over, answers, numbers = threading.Event(), [], count()
    threads = []

    def start(address, connections=16):
        def bring():
            while not over.is_set():
                answers.append(ask(f"random-{address}-{next(numbers)}", address))

        threads.extend(threading.Thread(target=bring) for _ in range(connections))
        for thread in threads:
            thread.start()
        return answers

    def stop():
        over.set()
        for thread in threads:
            thread.join()

    start.stop = stop
    yield start
    stop()


@pytest.fixture
def known(ask, party):
    """A caller whose token is cached."""
    token = party(CONSUMER, enterprise=an_ebox().number)
    assert ask(token, "192.0.2.250")[0] == 200
    return token


@pytest.fixture
def introspections(federation):
    def look():
        connection = HTTPConnection(LOOPBACK, federation.port, timeout=5)
        try:
            connection.request("GET", CALLS)
            return json.loads(connection.getresponse().read()).get("introspect", 0)
        finally:
            connection.close()

    return look


def test_a_flood_of_made_up_tokens_is_stopped_before_the_server(
    ask, flood, known, party, introspections
):
    before = introspections()
    answers = flood("192.0.2.1")

    for _ in range(100):
        assert ask(known, "192.0.2.2", AT_ONCE)[0] == 200
    flood.stop()

    statuses = [status for status, _, _ in answers]
    assert set(statuses) <= {401, 429, 503}
    assert len(statuses) > 3 * LIMIT
    assert all(wait for status, _, wait in answers if status != 401)
    assert introspections() - before < LIMIT + 4  # so many threads were asking already
    assert ask(party(CONSUMER, enterprise=an_ebox().number), "192.0.2.2")[0] == 200


def test_a_portal_is_served_after_a_restart_when_nobody_is_known(ask, party):
    tokens = [party(CONSUMER, enterprise=an_ebox().number) for _ in range(24)]
    start, statuses = threading.Barrier(len(tokens)), []

    def read(token):
        start.wait()
        statuses.extend(ask(token, "192.0.2.4")[0] for _ in range(3))

    threads = [threading.Thread(target=read, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 3 * len(tokens)


@pytest.mark.parametrize("fault", ["slow", "error", "reset"])
def test_cached_callers_are_served_while_nobody_answers(ask, flood, known, party, faults, fault):
    new = party(CONSUMER, enterprise=an_ebox().number)
    faults(introspect=fault, seconds=LONG)
    answers = flood(f"198.51.100.{len(fault)}")

    ends = time.monotonic() + 2 * TIMEOUT
    while time.monotonic() < ends:
        assert ask(known, "192.0.2.2", AT_ONCE)[0] == 200
        time.sleep(0.02)
    flood.stop()

    assert {status for status, _, _ in answers} <= {429, 503}
    assert all(wait for _, _, wait in answers)
    assert max(seconds for _, seconds, _ in answers) < TIMEOUT + 1
    faults()
    healed_at = time.monotonic()
    while ask(new, "192.0.2.3")[0] != 200:
        assert time.monotonic() < healed_at + 5
        time.sleep(0.1)
