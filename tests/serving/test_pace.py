"""The least rate of a connection, and the slots of those who read slowly."""

import socket
import threading
import time

import pytest

from registry.serving.pace import Pace, PacedSocket
from registry.serving.reader_slots import ReaderSlots

LARGE = bytes(8 << 20)


@pytest.fixture
def connect():
    """Connections with a pace, and their clients: `connect(pace, slots)`."""
    sockets = []

    def make(pace, slots=None):
        ours, client = socket.socketpair()
        paced_socket = PacedSocket.adopt(ours, pace, slots or ReaderSlots(1))
        paced_socket.setblocking(True)
        sockets.extend([paced_socket, client])
        return paced_socket, client

    yield make
    for each in sockets:
        each.close()


def test_what_is_there_is_received_at_once(connect):
    ours, client = connect(Pace(grace=0.1, least_rate=1))
    client.sendall(b"abc")

    assert ours.recv(2) == b"ab"
    assert ours.recv(2) == b"c"
    assert ours.gettimeout() is None


def test_who_sends_nothing_has_the_grace(connect):
    ours, _ = connect(Pace(grace=0.1, least_rate=1_000_000))

    with pytest.raises(TimeoutError):
        ours.recv(1)
    with pytest.raises(TimeoutError):  # which is used up
        ours.recv(1)


def _receive_byte_by_byte(connection):
    for _ in range(100):
        connection.recv(1)


def test_drops_do_not_renew_the_grace(connect):
    ours, client = connect(Pace(grace=0.3, least_rate=1_000_000))
    stop = threading.Event()

    def drip():
        while not stop.wait(0.05):
            client.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(TimeoutError):
            _receive_byte_by_byte(ours)
    finally:
        stop.set()
        thread.join()
    assert ours.received < 20


def test_our_own_time_does_not_count(connect):
    ours, client = connect(Pace(grace=0.2, least_rate=1_000_000))
    for _ in range(3):
        client.sendall(b"x")
        assert ours.recv(1) == b"x"
        time.sleep(0.15)


def test_a_new_request_has_its_own_time(connect):
    ours, client = connect(Pace(grace=0.1, least_rate=1_000_000))
    with pytest.raises(TimeoutError):
        ours.recv(1)
    client.sendall(b"x")

    ours.begin_request()

    assert ours.recv(1) == b"x"


def test_a_shorter_timeout_of_the_caller_stands(connect):
    ours, _ = connect(Pace(grace=60, least_rate=1))
    ours.settimeout(0.05)

    with pytest.raises(TimeoutError):
        ours.recv(1)
    assert ours.gettimeout() == 0.05


def test_who_reads_gets_all(connect):
    ours, client = connect(Pace(grace=5, least_rate=1_000_000))
    thread = threading.Thread(target=ours.sendall, args=[LARGE])
    thread.start()
    received = 0
    while received < len(LARGE):
        received += len(client.recv(1 << 20))
    thread.join()

    assert received == len(LARGE)


def test_who_does_not_read_is_cut_off(connect):
    ours, _ = connect(Pace(grace=0.1, least_rate=1_000_000))

    with pytest.raises(ConnectionResetError, match="reads too slowly"):
        ours.sendall(LARGE)


def test_who_may_not_be_waited_for_is_cut_off_at_once(connect):
    ours, _ = connect(Pace(grace=60, least_rate=1))
    ours.may_wait = False

    with pytest.raises(ConnectionResetError, match="does not read at once"):
        ours.sendall(LARGE)


def test_who_waits_longest_gives_way_when_all_slots_are_taken(connect):
    slots, patient = ReaderSlots(1), Pace(grace=60, least_rate=1)
    idle, _idle_client = connect(patient, slots)
    errors = []

    def send():
        try:
            idle.sendall(LARGE)
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()  # nobody else needs the slot

    with slots.hold(connect(patient, slots)[0]):
        pass
    thread.join(5)

    assert len(errors) == 1
