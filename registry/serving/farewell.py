"""Farewells: connections on which we have said all, and the client may not have."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 30.0  # seconds that a connection lingers, and seconds without a byte
_LONGEST_SILENCE: Final = 5.0
_MOST: Final = 2 << 30  # bytes read of it: as many as a request may have by default
_PIECE: Final = 256 << 10


@dataclass(slots=True)
class Farewell:
    """A connection on which all has been said, and that may still be sent on.

    `until` and `silent_until` are instants of the monotonic clock; `left` counts bytes.
    """

    sock: socket.socket
    until: float
    silent_until: float
    left: int = _MOST

    @classmethod
    def begin(cls, sock: socket.socket, now: float) -> "Farewell":
        """Say that nothing more will come; raises `OSError` when the client is gone."""
        sock.shutdown(socket.SHUT_WR)
        sock.setblocking(False)
        return cls(sock, now + _LONGEST, now + _LONGEST_SILENCE)

    def listen(self, now: float) -> None:
        """Read what has arrived, and throw it away."""
        try:
            size = len(self.sock.recv(_PIECE))
        except BlockingIOError:
            return
        except OSError:
            size = 0
        self.left = self.left - size if size else 0
        self.silent_until = now + _LONGEST_SILENCE

    def is_over(self, now: float) -> bool:
        """Tell if the client has ended too, or has had enough bytes or time."""
        return self.left <= 0 or now >= min(self.until, self.silent_until)


class Farewells:
    """The farewells of a loop, which listens by its `poller`; `on_end` hears of each that ends."""

    def __init__(self, poller: selectors.BaseSelector, on_end: Callable[[], None]) -> None:
        self._poller, self._on_end = poller, on_end
        self._underway: list[Farewell] = []

    def begin(self, sock: socket.socket, now: float) -> None:
        """Take over a connection; raises `OSError` when the client is gone."""
        farewell = Farewell.begin(sock, now)
        self._underway.append(farewell)
        self._poller.register(sock, selectors.EVENT_READ, lambda _: self._listen(farewell))

    def sweep(self, now: float) -> None:
        """End those whose time is over."""
        for farewell in [each for each in self._underway if each.is_over(now)]:
            self._end(farewell)

    def _listen(self, farewell: Farewell) -> None:
        now = time.monotonic()
        farewell.listen(now)
        if farewell.is_over(now):
            self._end(farewell)

    def _end(self, farewell: Farewell) -> None:
        self._underway.remove(farewell)
        self._poller.unregister(farewell.sock)
        farewell.sock.close()
        self._on_end()
