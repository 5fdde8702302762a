"""What one caller costs another: quotas of clients, and slots for what is costly."""

import socket
import subprocess
import threading
import time
from shutil import which

import pytest

from registry.api.costly_slots import CostlySlots
from registry.api.quota import WINDOW, Quota
from registry.api.shared_counts import StoredCounts
from registry.api.state import get_state
from registry.domain.access import Caller
from registry.domain.errors import TooManyAtOnce, TooManyRequests
from registry.domain.identifiers import EboxKind, EnterpriseNumber, Ssin
from registry.sandbox.personas import CONSUMER, PERSONAS, SENDER
from registry.sandbox.servers.processes import LOOPBACK, Process, free_port
from registry.sandbox.tokens import fetch
from tests.api.publication import named
from tests.conformance.bases import V2
from tests.conftest import V3
from tests.factories import a_person, an_ebox, an_enterprise

needs_redis = pytest.mark.skipif(which("redis-server") is None, reason="no redis-server here")


def a_caller(client_id="software", **whom):
    return Caller(client_id, frozenset(), "hash", **whom)


def spend(quota, caller, times):
    for number in range(times):
        try:
            quota.spend(caller)
        except TooManyRequests:
            return number
    return times


@pytest.fixture(autouse=True)
def early_in_a_minute():
    """A minute that begins in the midst of a test begins a new quota."""
    if (left := WINDOW - time.time() % WINDOW) < 10:
        time.sleep(left)


def test_a_fresh_token_is_no_fresh_quota(app_with, federation):
    app, persona = app_with(rate_limit=2), PERSONAS["enterprise-consumer"]
    keys = federation.directory / "keys"
    tokens = {fetch(federation.token_url, persona, keys) for _ in range(3)}
    path = f"{V3[EboxKind.ENTERPRISE]}/ebox/messages"

    answers = [
        app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})
        for token in tokens
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


@pytest.mark.parametrize(
    "other",
    [
        a_caller("another", enterprise=EnterpriseNumber("0123456749")),
        a_caller(enterprise=EnterpriseNumber("0206731645")),
        a_caller(person=Ssin("00010100105")),
        a_caller(),
    ],
)
def test_a_quota_is_of_one_client_for_one_enterprise_or_person(other):
    quota = Quota(1)
    assert spend(quota, a_caller(enterprise=EnterpriseNumber("0123456749")), 3) == 1

    assert spend(quota, other, 3) == 1


def test_each_process_has_its_share():
    assert spend(Quota(12, processes=4), a_caller(), 20) == 3
    assert spend(Quota(2, processes=4), a_caller(), 20) == 1


def test_no_number_is_in_the_name_of_a_count():
    person = Ssin(a_person())
    quota = Quota(1, secret=b"secret")
    name = quota.name(a_caller(person=person))

    assert person.digits not in name
    assert name != Quota(1, secret=b"other").name(a_caller(person=person))


def test_what_is_costly_weighs_more(app_with, elsewhere, consumer):
    there = elsewhere(consumer, app_with(rate_limit=10))

    assert there.get("/ebox/messages?q=brief&qlang=nl").status_code == 200  # 5 of 10
    assert there.get("/ebox/statistics").status_code == 200
    assert there.get("/ebox/messages").status_code == 429


def test_a_broadcast_weighs_more(publishing_with, elsewhere, a_sender):
    there = elsewhere(a_sender(SENDER), publishing_with(rate_limit=15))
    path = "/ebox/messages/0c7a1f0e-6f0b-4c7f-9b51-5b7f3a2d9f10/recipients"
    body = {"recipients": [named(an_ebox())]}

    answers = [there.ask("POST", path, json=body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [404, 429]


# Slots


def test_costly_requests_have_slots_by_client_and_by_ebox():
    slots = CostlySlots(2)
    with slots.hold("a", "x"), slots.hold("a", "y"):
        with pytest.raises(TooManyAtOnce), slots.hold("a", "z"):
            pass
        with slots.hold("b", "x"), pytest.raises(TooManyAtOnce), slots.hold("c", "x"):
            pass
    with slots.hold("a", "x"):
        pass
    assert not slots._counts


def test_a_slot_is_free_again_after_a_failure():
    slots = CostlySlots(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), slots.hold("a"):
            raise ZeroDivisionError


def test_no_limit_is_no_limit():
    slots = CostlySlots(0)
    with slots.hold("a"), slots.hold("a"):
        pass


COSTLY = [
    ("v3", "/ebox/messages?q=brief&qlang=nl"),
    ("v3", "/ebox/messages?page=41&pageSize=25"),
    ("v3", "/ebox/statistics"),
    ("v2", "/ebox"),
    ("v2", "/ebox/messages?page=41&pageSize=25"),
]


@pytest.mark.parametrize(("version", "path"), COSTLY)
def test_who_holds_all_slots_waits_and_others_do_not(app_with, visitor, version, path):
    app = app_with(costly_requests=1)
    busy, other = visitor(CONSUMER, ebox=an_ebox()), visitor(CONSUMER, ebox=an_ebox())

    def ask(who, path):
        base = V2[who.ebox.kind] if version == "v2" else who.base
        headers = {"Authorization": f"Bearer {who.token}"}
        return app.test_client().get(base + path, headers=headers)

    with get_state(app).costly_slots.hold(f"ebox {busy.ebox.key}"):
        refused = ask(busy, path)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "1"
        assert ask(busy, "/ebox/messages").status_code == 200
        assert ask(other, path).status_code == 200
    assert ask(busy, path).status_code == 200


# The shared store


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    port = free_port()
    process = Process("redis", folder / "log", grace=2)
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    process.start([*command, "--bind", LOOPBACK, "--dir", str(folder)], env={})
    try:
        process.wait_until(lambda: _accepts(port), timeout=30)
        yield port
    finally:
        process.stop()


def _accepts(port):
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def shared_quota(port, limit=4):
    return Quota(limit, processes=4, shared=StoredCounts(f"redis://{LOOPBACK}:{port}/0"))


@needs_redis
def test_processes_count_together(redis_port):
    """Each with its own connections, as two processes have."""
    first, second = shared_quota(redis_port), shared_quota(redis_port)
    caller = a_caller(enterprise=EnterpriseNumber(an_enterprise()))

    assert spend(first, caller, 3) == 3
    assert spend(second, caller, 3) == 1
    assert spend(first, caller, 3) == 0


@needs_redis
def test_a_count_is_forgotten_after_its_minute(redis_port):
    spend(shared_quota(redis_port), a_caller(enterprise=EnterpriseNumber(an_enterprise())), 1)

    command = ["redis-cli", "-p", str(redis_port), "--raw"]
    keys = subprocess.run([*command, "keys", "*"], capture_output=True, check=True).stdout.split()
    for key in keys:
        left = subprocess.run([*command, "ttl", key], capture_output=True, check=True).stdout
        assert 0 < int(left) <= WINDOW


def test_a_store_that_is_away_stops_nobody_and_each_process_has_its_share():
    quota = shared_quota(free_port())

    assert spend(quota, a_caller(), 5) == 1


def test_a_silent_store_costs_a_tenth_of_a_second_now_and_then():
    with socket.create_server((LOOPBACK, 0)) as server:
        quota = shared_quota(server.getsockname()[1], limit=1000)
        began = time.monotonic()

        assert spend(quota, a_caller(), 100) == 100

        assert time.monotonic() - began < 1


@needs_redis
@pytest.mark.long
def test_a_store_that_comes_back_is_asked_again(redis_port):
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        quota = shared_quota(port, limit=40)
        caller = a_caller(enterprise=EnterpriseNumber(an_enterprise()))
        assert spend(quota, caller, 1) == 1
        stop = threading.Event()
        thread = threading.Thread(target=_relay, args=(server, redis_port, stop))
        thread.start()
        try:
            time.sleep(5.5)
            assert spend(quota, caller, 30) == 30  # more than a share of ten
        finally:
            stop.set()
            thread.join()


def _relay(server, port, stop):
    """Pass every connection on to the store."""
    server.settimeout(0.1)
    threads = []
    while not stop.is_set():
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        upstream = socket.create_connection((LOOPBACK, port))
        for source, sink in ((client, upstream), (upstream, client)):
            threads.append(threading.Thread(target=_copy, args=(source, sink, stop)))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _copy(source, sink, stop):
    source.settimeout(0.1)
    with source:
        while not stop.is_set():
            try:
                piece = source.recv(65536)
                if not piece:
                    return
                sink.sendall(piece)
            except TimeoutError:
                continue
            except OSError:
                return
