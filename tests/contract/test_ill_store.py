"""An S3 that is ill: each call has one budget, few threads wait, and most are told at once."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.blobs.s3 import PART_SIZE
from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.sandbox.servers.processes import LOOPBACK
from registry.wiring.storage import make_document_store
from tests.fake_s3 import a_fake_s3, cut, drip, fail, hang, page, well

pytestmark = pytest.mark.process  # waits by the clock

BUDGET = 1.5
SLACK = 0.7
SLOTS = 2
HEALED = 5.0


@pytest.fixture
def s3():
    """The server, which is well as long as nothing else is said."""
    with a_fake_s3() as server:
        yield server


@pytest.fixture
def store(settings, s3):
    """A document store at this server."""
    changes = {"s3_endpoint": s3.endpoint, "s3_timeout": BUDGET, "s3_slots": SLOTS}
    opened = make_document_store(settings.model_copy(update=changes))
    yield opened
    opened.client.close()


def fail_at(operation):
    """Seconds until the store is said to be unavailable."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        operation()
    return time.monotonic() - began


def operations(store):
    return {
        "put": lambda: store.put("key", [b"1"]),
        "put in parts": lambda: store.put("key", [bytes(PART_SIZE), b"more"]),
        "open": lambda: store.open("key", 0, 0),
        "sign": lambda: store.sign("key", 1),
        "erase": lambda: store.erase("key"),
        "check": store.check,
        "keys": lambda: list(store.keys("", None)),
    }


NAMES = ["put", "put in parts", "open", "sign", "erase", "check", "keys"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("happens", [hang, drip], ids=["hangs", "drips"])
def test_a_call_has_one_budget(store, s3, happens, name):
    s3.answer = happens

    assert fail_at(operations(store)[name]) < BUDGET + SLACK
    assert s3.asked == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "happens",
    [fail(500), fail(503, "SlowDown"), cut, page],
    ids=["500", "slow down", "cut", "a page"],
)
def test_an_odd_answer_is_no_answer(store, s3, happens, name):
    s3.answer = happens

    assert fail_at(operations(store)[name]) < BUDGET + SLACK
    assert s3.asked <= 2


def test_what_is_cut_once_is_asked_again(store, s3):
    def cut_once(request):
        s3.answer = well
        cut(request)

    s3.answer = cut_once

    store.put("key", [b"1"])

    assert s3.asked == 2


@pytest.mark.parametrize("happens", [cut, fail(503, "SlowDown")], ids=["cut", "slow down"])
def test_a_look_that_fails_once_is_taken_again(store, s3, happens):
    def fail_once(request):
        s3.answer = lambda request: request.say(200, b"1")
        happens(request)

    s3.answer = fail_once

    assert "key?" in store.sign("key", 1)
    assert s3.asked == 2


def test_a_look_that_is_refused_is_not_taken_again(store, s3):
    s3.answer = fail(403, "AccessDenied")

    with pytest.raises(Unavailable):
        store.sign("key", 1)
    assert s3.asked == 1


def test_an_address_that_swallows_everything_costs_one_budget(settings):
    with socket.socket() as full:
        full.bind((LOOPBACK, 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex((LOOPBACK, port))
        changes = {"s3_endpoint": f"http://{LOOPBACK}:{port}", "s3_timeout": BUDGET}
        store = make_document_store(settings.model_copy(update=changes))

        assert fail_at(store.check) < BUDGET + SLACK

        store.client.close()
        for one in waiting:
            one.close()


@pytest.mark.parametrize("happens", [hang, drip], ids=["hangs", "drips"])
def test_few_wait_and_the_others_hear_it_soon(store, s3, happens):
    s3.answer = happens

    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(fail_at, store.check) for _ in range(6)]
        time.sleep(1.2)  # few wait still, before the store may be tried again
        assert fail_at(store.check) < 0.2
    waits = [call.result() for call in calls]

    assert sum(wait > 1.0 + SLACK / 2 for wait in waits) <= SLOTS
    assert s3.asked <= 6


def test_a_store_that_is_well_serves_more_than_may_wait(store, s3):
    def take_a_while(request):
        time.sleep(0.3)
        well(request)

    s3.answer = take_a_while

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.put("key", [b"1"]), range(16)))


@pytest.mark.parametrize("happens", [hang, fail(500), cut], ids=["hangs", "500", "cut"])
def test_it_recovers_by_itself(store, s3, happens):
    s3.answer = happens
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(fail_at, [store.check] * 6))
    s3.answer = well
    ends = time.monotonic() + HEALED

    while True:
        try:
            store.put("key", [b"1"])
            break
        except Unavailable:
            assert time.monotonic() < ends
            time.sleep(0.1)


def test_refusals_shut_the_store_to_nobody(store, s3):
    s3.answer = fail(404, "NoSuchKey")
    for _ in range(10):
        with pytest.raises(DocumentUnavailable):
            store.open("key", 0, 0)
    s3.answer = well

    store.put("key", [b"1"])


def send_slowly(pause, size=64 << 10, total=1 << 20):
    """A document of a megabyte, in pieces with pauses."""

    def answer(request):
        request.send_response(206)
        request.send_header("Content-Length", str(total))
        request.end_headers()
        for _ in range(total // size):
            request.wfile.write(bytes(size))
            request.wfile.flush()
            if request.server.over.wait(pause):
                return

    return answer


def read_all(store, total=1 << 20):
    blob = store.open("key", 0, total - 1)
    try:
        return sum(map(len, blob))
    finally:
        blob.close()


def test_a_download_may_take_longer_than_a_call(store, s3):
    s3.answer = send_slowly(0.15)

    assert read_all(store) == 1 << 20


def test_a_download_that_stalls_has_an_end(store, s3):
    s3.answer = send_slowly(60)

    assert fail_at(lambda: read_all(store)) < 2 * BUDGET + SLACK


def test_a_download_that_drips_has_an_end(store, s3):
    s3.answer = send_slowly(0.2, size=1 << 10)

    assert fail_at(lambda: read_all(store)) < 2 * BUDGET + SLACK


def test_a_reader_who_takes_his_time_is_not_the_stores_fault(store, s3):
    s3.answer = send_slowly(0)
    blob = store.open("key", 0, (1 << 20) - 1)
    chunks = iter(blob)
    next(chunks)

    time.sleep(2 * BUDGET)

    assert sum(map(len, chunks)) > 0
    blob.close()


def test_an_upload_that_nobody_takes_has_an_end(settings):
    with socket.create_server((LOOPBACK, 0)) as deaf:
        changes = {
            "s3_endpoint": f"http://{LOOPBACK}:{deaf.getsockname()[1]}",
            "s3_timeout": BUDGET,
        }
        store = make_document_store(settings.model_copy(update=changes))

        assert fail_at(lambda: store.put("key", [bytes(PART_SIZE)])) < BUDGET + SLACK

        store.client.close()
