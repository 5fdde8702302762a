"""Pace: how fast a client must at least be, and what becomes of one who is slower."""

import errno
import socket
import time
from dataclasses import dataclass
from typing import Final

from registry.serving.reader_slots import ReaderSlots
from registry.telemetry.metrics import count_slow_client

_PIECE: Final = 64 << 10  # bytes that are sent, and for which a slot is held, at a time


@dataclass(frozen=True, slots=True)
class Pace:
    """The time a client has: `grace` seconds, and one more for each `least_rate` bytes."""

    grace: float
    least_rate: int

    def seconds_for(self, size: int) -> float:
        """Compute the seconds in which so many bytes must have passed."""
        return self.grace + size / self.least_rate


class PacedSocket(socket.socket):
    """A client's connection on which threads wait no longer than the pace allows.

    What counts is the time spent waiting for the client, not the time we take in between. In
    non-blocking mode it is a socket as any other.
    """

    pace: Pace
    slots: ReaderSlots
    received: int = 0  # bytes of this request that a thread waited for
    waited: float = 0.0  # seconds that threads waited for them
    may_wait: bool = True  # until the client reads on; else what it does not take at once ends it

    @classmethod
    def adopt(cls, sock: socket.socket, pace: Pace, slots: ReaderSlots) -> "PacedSocket":
        """Take over a connection; `sock` is of no use after that."""
        paced_socket = cls(fileno=sock.detach())
        paced_socket.pace, paced_socket.slots = pace, slots
        return paced_socket

    def begin_request(self) -> None:
        """Give the client the time of a new request."""
        self.received, self.waited = 0, 0.0

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive at most `size` bytes; raises `TimeoutError` when the client is too slow."""
        timeout = self.gettimeout()
        if timeout == 0:
            return super().recv(size, flags)
        left = self.pace.seconds_for(self.received) - self.waited
        if left <= 0:
            raise TimeoutError
        began = time.monotonic()
        self.settimeout(left if timeout is None else min(left, timeout))
        try:
            piece = super().recv(size, flags)
        finally:
            self.waited += time.monotonic() - began
            self.settimeout(timeout)
        self.received += len(piece)
        return piece

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        """Send all of it; raises `ConnectionResetError` when the client reads too slowly."""
        if self.gettimeout() == 0:
            super().sendall(data, flags)
            return
        view = memoryview(data)
        while view:
            view = view[self._send_at_once(view) :]
            if view:
                self._send_slowly(view[:_PIECE])
                view = view[_PIECE:]

    def _send_at_once(self, view: memoryview) -> int:
        try:
            return self.send(view, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _send_slowly(self, piece: memoryview) -> None:
        if not self.may_wait:
            raise ConnectionResetError(errno.ECONNRESET, "does not read at once")
        with self.slots.hold(self):
            self.settimeout(self.pace.seconds_for(len(piece)))
            try:
                super().sendall(piece)
            except TimeoutError as error:
                count_slow_client("reader")
                raise ConnectionResetError(errno.ECONNRESET, "reads too slowly") from error
            finally:
                self.settimeout(None)
