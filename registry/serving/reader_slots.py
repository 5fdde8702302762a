"""Slots for slow readers: fewer threads wait for those who read than there are threads."""

import contextlib
import socket
import time
from collections.abc import Iterator
from threading import Condition
from typing import Final

from registry.telemetry.metrics import count_slow_client

_PATIENCE: Final = 0.1  # seconds that a piece has before its reader may have to give way


class ReaderSlots:
    """So many threads may wait until a client reads on; threads share it.

    When all slots are taken, the reader who has let one piece wait the longest gives way: his
    connection is ended, and he may go on with a range. Those who keep up are never that one.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._changed = Condition()
        self._waiting: dict[socket.socket, float] = {}  # since when, by the monotonic clock

    def count_waiting(self) -> int:
        """Count the threads that wait."""
        return len(self._waiting)

    @contextlib.contextmanager
    def hold(self, reader: socket.socket) -> Iterator[None]:
        """Hold a slot while waiting for this reader; the time until there is one counts too."""
        since = time.monotonic()
        with self._changed:
            while len(self._waiting) >= self._count:
                self._changed.wait(self._make_room())
            self._waiting[reader] = since
        try:
            yield
        finally:
            with self._changed:
                del self._waiting[reader]
                self._changed.notify()

    def _make_room(self) -> float:
        """End the connection that has waited too long; else compute the seconds until there is one.

        It stays among those who wait until its thread has noticed.
        """
        slowest = min(self._waiting, key=self._waiting.__getitem__)
        age = time.monotonic() - self._waiting[slowest]
        if age < _PATIENCE:
            return _PATIENCE - age
        count_slow_client("reader")
        with contextlib.suppress(OSError):
            slowest.shutdown(socket.SHUT_RDWR)
        return _PATIENCE
