"""Arrivals: requests of which not all has come that must be there before a thread takes them."""

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from registry.serving.pace import Pace

_PIECE: Final = 64 << 10
_SHORT: Final = 64 << 10  # bytes of a body that is awaited before a thread is taken
# As much as four headers of gunicorn's limit: what a proxy in front lets through, too.
_LONGEST_HEAD: Final = 72 << 10
_END: Final = b"\r\n\r\n"
# Only to know what to wait for. What the request really says, gunicorn's own parser decides.
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_UNMEASURED: Final = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)


class Stage(Enum):
    """How far a request has come."""

    UNDERWAY = auto()
    READY = auto()  # a thread can answer without waiting for the client
    LONG = auto()  # so can it, but for the body, which it must wait for
    ENDED = auto()  # the client went away
    OVERLONG = auto()  # a head without an end


@dataclass(slots=True, eq=False)
class Arrival:
    """What has come of a request on a connection, read without waiting.

    `connection` is gunicorn's; `began` an instant of the monotonic clock.
    """

    connection: Any
    began: float
    received: bytearray = field(default_factory=bytearray)
    _head: int = -1  # bytes of the head, with its empty line; -1 while that has not come
    _size: int = 0  # bytes of head and body together, once the head is there

    def advance(self) -> Stage:
        """Take in what is there."""
        try:
            piece = self.connection.sock.recv(_PIECE)
        except BlockingIOError:
            return Stage.UNDERWAY
        except OSError:
            return Stage.ENDED
        return self.take(piece) if piece else Stage.ENDED

    def take(self, piece: bytes) -> Stage:
        """Take in these bytes."""
        searched = max(0, len(self.received) - len(_END))
        self.received += piece
        if self._head < 0:
            end = self.received.find(_END, searched)
            if end < 0:
                is_overlong = len(self.received) > _LONGEST_HEAD
                return Stage.OVERLONG if is_overlong else Stage.UNDERWAY
            self._head = end + len(_END)
            self._size = self._measure()
        if self._size - self._head > _SHORT:
            return Stage.LONG
        return Stage.READY if len(self.received) >= self._size else Stage.UNDERWAY

    def is_late(self, now: float, pace: Pace) -> bool:
        """Tell if the client has had its time for what it sent."""
        return now - self.began > pace.seconds_for(len(self.received))

    def head(self) -> bytes:
        """Get the request line and headers, with their empty line; empty while they are coming."""
        return bytes(self.received[: self._head]) if self._head > 0 else b""

    def _measure(self) -> int:
        head = bytes(self.received[: self._head - 2])  # each line with its end, and no empty one
        if _UNMEASURED.search(head):
            return self._head + _SHORT + 1
        length = _LENGTH.search(head)
        return self._head + (int(length[1]) if length else 0)
