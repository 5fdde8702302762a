"""How many threads may wait for a neighbour that says nothing."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from registry.blobs.waits import Crowded, WaitSlots


def wait_all(slots, count, seconds):
    """Have so many threads wait for silent neighbours; gives how each wait ended."""

    def wait(sock):
        try:
            slots.await_input(sock, seconds)
        except Crowded:
            return "crowded"
        except TimeoutError:
            return "late"

    with ExitStack() as stack, ThreadPoolExecutor(count) as threads:
        pairs = [socket.socketpair() for _ in range(count)]
        for sock in (sock for pair in pairs for sock in pair):
            stack.enter_context(sock)
        return sorted(threads.map(wait, [ours for ours, _ in pairs]))


@pytest.mark.parametrize(
    ("seconds", "waiting"),
    [(0.4, 8), (0.8, 6), (1.3, 4)],
    ids=["a moment: all", "less than a second: half as many again", "longer: as many as slots"],
)
def test_threads_that_may_wait(seconds, waiting):
    endings = wait_all(WaitSlots(4), 8, seconds)

    assert endings == ["crowded"] * (8 - waiting) + ["late"] * waiting


def test_places_are_given_back():
    slots = WaitSlots(1)

    assert wait_all(slots, 1, 1.1) == wait_all(slots, 1, 1.1) == ["late"]
    slots.check()
