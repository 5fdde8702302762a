"""Waits for a neighbour: each has an end, and few threads at a time wait for long."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final, TypeVar

# Seconds of silence that count for nothing, however many threads wait; then those that are no long
# wait yet: a neighbour that is well may be so busy.
_MOMENT: Final = 0.5
_PATIENCE: Final = 1.0
# Of a machine that is gone without a word, six seconds after the last sign of life.
_WATCH: Final = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 3,
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 3,
}


_Result = TypeVar("_Result")


class Crowded(TimeoutError):
    """As many threads as may be kept waiting by this neighbour are waiting already."""


class _Places:
    def __init__(self, count: int) -> None:
        self._count, self._free, self._lock = count, count, Lock()

    def count_taken(self) -> int:
        return self._count - self._free

    def check(self) -> None:
        with self._lock:
            if self._free <= 0:
                raise Crowded

    @contextmanager
    def take(self) -> Iterator[None]:
        with self._lock:
            if self._free <= 0:
                raise Crowded
            self._free -= 1
        try:
            yield
        finally:
            with self._lock:
                self._free += 1


class WaitSlots:
    """So many threads may wait long for one neighbour, while all others go on; threads share it.

    A wait is long after a second. Waits of more than half of one may be half as many again
    with the long ones, and shorter ones any number, so that a neighbour that is well serves all.
    """

    def __init__(self, count: int) -> None:
        self._long, self._all = _Places(count), _Places(count + count // 2)

    def count_taken(self) -> int:
        """Count those who have waited long."""
        return self._long.count_taken()

    def check(self) -> None:
        """Raise `Crowded` when all are taken: who comes now would only wait too."""
        self._long.check()

    def wait(
        self, attempt: Callable[[float], _Result | None], seconds: float, delay: float = 0.0
    ) -> _Result:
        """Give what an attempt gives, which gets longer and longer and gives None when it is over.

        Raises `Crowded` when too many others wait by then, `TimeoutError` after so many seconds;
        `delay` are those that the same call has waited before.
        """
        moment, patience = max(0.0, _MOMENT - delay), max(0.0, _PATIENCE - delay)
        result = attempt(min(moment, seconds))
        if result is None and seconds > moment:
            with self._all.take():
                result = attempt(min(patience, seconds) - moment)
                if result is None and seconds > patience:
                    with self._long.take():
                        result = attempt(seconds - patience)
        if result is None:
            raise TimeoutError
        return result

    def connect(self, address: tuple[str, int], seconds: float) -> socket.socket:
        """Connect; raises `OSError`. The kernel notices when the machine there is gone."""

        def attempt(seconds: float) -> socket.socket | None:
            try:
                return socket.create_connection(address, seconds)
            except TimeoutError:
                return None

        connection = self.wait(attempt, seconds)
        for option, value in _WATCH.items():
            connection.setsockopt(*option, value)
        return connection

    def await_input(self, sock: socket.socket, seconds: float, delay: float = 0.0) -> None:
        """Wait until something can be read; raises as `wait` does."""
        if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            self._await(sock, select.POLLIN, seconds, delay)

    def await_room(self, sock: socket.socket, seconds: float, delay: float = 0.0) -> None:
        """Wait until something can be sent; raises as `wait` does."""
        self._await(sock, select.POLLOUT, seconds, delay)

    def _await(self, sock: socket.socket, event: int, seconds: float, delay: float) -> None:
        poll = select.poll()
        poll.register(sock, event)
        self.wait(lambda seconds: poll.poll(1000 * seconds) or None, seconds, delay)


class CallTime:
    """The time of one call: `seconds` until its answer begins, then those of a least pace.

    Each silence in what follows may last as long as `seconds`, and all of them together that and a
    second for each `least_rate` bytes; what the reader takes in between does not count. For a place
    among those that wait its waits count together too, less that second: who gets a byte now and
    then waits as long as who gets none.
    """

    def __init__(
        self, slots: WaitSlots, seconds: float, least_rate: int = 1 << 20, size: int = 0
    ) -> None:
        """`size` counts the bytes of the request, which has a second for each `least_rate` too."""
        self.slots = slots
        self._seconds, self._least_rate = seconds, least_rate
        self._until: float | None = time.monotonic() + seconds + size / least_rate
        self._size, self._wait_time, self._delay = 0, 0.0, 0.0
        self.is_late = False  # or came when too many were waiting

    def compute_rest(self) -> float:
        """Compute the seconds that one more wait may last; raises `TimeoutError` for none."""
        if self._until is None:
            rest = self._seconds + self._size / self._least_rate - self._wait_time
        else:
            rest = self._until - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        return min(rest, self._seconds)

    def begin_body(self) -> None:
        """Begin the second part: the head of the answer is there."""
        self._until, self._wait_time = None, 0.0

    def receive(self, sock: socket.socket, buffer: memoryview) -> int:
        """Receive what comes next; raises `TimeoutError`."""
        self._await(self.slots.await_input, sock)
        size = sock.recv_into(buffer)
        self._size += size
        self._credit(size)
        return size

    def await_room(self, sock: socket.socket, size: int) -> None:
        """Wait until so many bytes more of the request can be sent; raises `TimeoutError`."""
        self._await(self.slots.await_room, sock)
        self._credit(size)

    def _credit(self, size: int) -> None:
        self._delay = max(0.0, self._delay - size / self._least_rate)

    def _await(
        self, wait: Callable[[socket.socket, float, float], None], sock: socket.socket
    ) -> None:
        began = time.monotonic()
        try:
            rest = self.compute_rest()
            wait(sock, rest, self._delay)
        except TimeoutError:
            self.is_late = True
            raise
        seconds = time.monotonic() - began
        self._wait_time += seconds
        self._delay += seconds
        sock.settimeout(rest)  # behind TLS, what has come may be no more than a part of a record
