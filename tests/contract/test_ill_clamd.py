"""A clamd that is ill: a scan has one budget, few threads wait, and most are told at once."""

import socketserver
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from registry.blobs.clamd import Clamd
from registry.blobs.waits import WaitSlots
from registry.domain.errors import Unavailable
from registry.sandbox.servers.processes import LOOPBACK, free_port

pytestmark = pytest.mark.process  # waits by the clock

BUDGET = 1.5
SLACK = 0.7
SLOTS = 2
HEALED = 5.0
FILE = [bytes(1 << 20), b"end"]


class Scanner(socketserver.ThreadingTCPServer):
    """A clamd that is well, or says nothing while `is_silent`."""

    daemon_threads = allow_reuse_address = True
    request_queue_size = 64

    def __init__(self):
        super().__init__((LOOPBACK, 0), _Scan)
        self.is_silent, self.over, self.asked = False, Event(), 0

    def handle_error(self, *_):
        pass  # clients hang up


class _Scan(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.asked += 1
        if self.server.is_silent:
            self.server.over.wait(60)
            return
        command = self.rfile.read(6)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        assert command + self.rfile.read(4) == b"zINSTREAM\0"
        while length := struct.unpack(">I", self.rfile.read(4))[0]:
            self.rfile.read(length)
        self.wfile.write(b"stream: OK\0")


@pytest.fixture
def scanner():
    with Scanner() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


@pytest.fixture
def clamd(scanner):
    return Clamd(scanner.server_address, BUDGET, 100 << 20, WaitSlots(SLOTS))


def scan(clamd, chunks=FILE):
    return sum(map(len, clamd.scan(chunks, lambda: None)))


def fail(clamd):
    """Seconds until the scanner is said not to answer."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        scan(clamd)
    return time.monotonic() - began


def test_a_scan_has_one_budget(clamd, scanner):
    scanner.is_silent = True

    assert fail(clamd) < BUDGET + SLACK


def test_a_sender_who_takes_his_time_is_not_the_scanners_fault(clamd):
    def send_slowly():
        for chunk in FILE:
            time.sleep(BUDGET)
            yield chunk

    assert scan(clamd, send_slowly()) == sum(map(len, FILE))


def test_a_sender_who_breaks_off_is_not_the_scanners_fault(clamd):
    def break_off():
        yield FILE[0]
        raise TimeoutError

    with pytest.raises(TimeoutError):
        scan(clamd, break_off())


def test_few_wait_and_the_others_hear_it_soon(clamd, scanner):
    scanner.is_silent = True

    with ThreadPoolExecutor(6) as pool:
        waits = list(pool.map(fail, [clamd] * 6))

    assert sum(wait > 1.0 + SLACK / 2 for wait in waits) <= SLOTS


def test_it_recovers_by_itself(clamd, scanner):
    scanner.is_silent = True
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(fail, [clamd] * 6))
    for _ in range(3):
        fail(clamd)
    asked = scanner.asked
    assert fail(clamd) < 0.2
    assert scanner.asked == asked
    scanner.is_silent = False
    ends = time.monotonic() + HEALED

    while True:
        try:
            assert scan(clamd)
            break
        except Unavailable:
            assert time.monotonic() < ends
            time.sleep(0.1)


def test_a_scanner_that_is_not_there_costs_nothing():
    absent = Clamd((LOOPBACK, free_port()), BUDGET, 100 << 20, WaitSlots(SLOTS))

    assert fail(absent) < SLACK
