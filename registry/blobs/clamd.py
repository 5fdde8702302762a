"""Malware: clamd sees every byte of a file while it passes by (its INSTREAM command)."""

import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from registry.blobs.waits import CallTime, WaitSlots
from registry.domain.errors import MalwareFound, NotScanned, Unavailable
from registry.http_client.breaker import Breaker
from registry.telemetry.watch import Watch

_NAME: Final = "malware scanner"
_END_OF_FILE: Final = struct.pack(">I", 0)
_LONGEST: Final = 4096  # bytes of an answer
_PIECE: Final = 64 << 10  # bytes that are sent at a time
# What clamd says of a file that is larger than it looks at: as an error by its StreamMaxLength, as
# something found by its other limits, with AlertExceedsMax. Without that it says OK.
_LIMITS: Final = (b"size limit exceeded", b"heuristics.limits.exceeded")

_CONNECTING: Final = 3.0  # seconds, at most, and for an answer to PING
_FAILURES: Final = 3  # in a row, after which clamd is left alone
_PAUSE: Final = 1.0  # seconds until one scan may try again


@dataclass
class Clamd:
    """A clamd at a TCP address; `timeout` in seconds is what a scan may lose on it in all.

    `file_size` is its MaxFileSize in bytes: of a larger file it may say OK without a look.
    `accepts_unscanned`: what it did not look at whole is accepted, with a mark. Threads share it.
    """

    address: tuple[str, int]
    timeout: float
    file_size: int
    slots: WaitSlots
    accepts_unscanned: bool = False
    breaker: Breaker = field(default_factory=partial(Breaker, _FAILURES, _PAUSE))
    _is_doubtful: bool = False

    def scan(self, chunks: Iterable[bytes], mark: Callable[[], None]) -> Iterator[bytes]:
        """Hand on every chunk but hold back the last until clamd has spoken.

        Raises `MalwareFound`, `Unavailable` when clamd does not answer, and `NotScanned` for a file
        that it did not look at whole, since that is not clean; calls `mark` instead where such
        files are accepted.
        """
        size = 0
        with self._open() as connection:
            stream = _Stream(connection, self._make_time(self.timeout))
            last_chunk = b""  # without it, what clamd finds fault with is not a whole file
            for chunk in chunks:
                size += len(chunk)
                with self._translate_errors():
                    stream.show(chunk)
                if last_chunk:
                    yield last_chunk
                last_chunk = chunk
            with Watch(_NAME, "verdict"), self._translate_errors():
                verdict = stream.read_verdict()
            if not _is_clean(verdict) or size > self.file_size:
                if not self.accepts_unscanned:
                    raise NotScanned
                mark()
            yield last_chunk

    def _open(self) -> socket.socket:
        """Connect, unless clamd is ill or keeps too many waiting; after a fault, look first."""
        with Watch(_NAME, "connect"), self._translate_errors():
            self.slots.check()
            with self.breaker.guard():
                if self._is_doubtful:
                    self._ping()
                return self._connect()

    def _ping(self) -> None:
        with self._connect() as connection:
            exchange = _Exchange(connection, self._make_time(_CONNECTING))
            exchange.send(b"zPING\0")
            if exchange.receive() != b"PONG":
                raise ConnectionError
        self._is_doubtful = False

    def _connect(self) -> socket.socket:
        return self.slots.connect(self.address, min(_CONNECTING, self.timeout))

    def _make_time(self, seconds: float) -> CallTime:
        time = CallTime(self.slots, seconds)
        time.begin_body()  # what the sender of the file takes is not clamd's
        return time

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._is_doubtful = True
            raise Unavailable("The malware scanner does not answer.") from error


class _Exchange:
    """What is said to clamd, and its answer."""

    def __init__(self, connection: socket.socket, time: CallTime) -> None:
        self._connection, self._time = connection, time

    def send(self, content: bytes) -> None:
        """Send it in pieces, for each of which there must soon be room."""
        view = memoryview(content)
        for at in range(0, len(view), _PIECE):
            piece = view[at : at + _PIECE]
            self._time.await_room(self._connection, len(piece))
            self._connection.sendall(piece)

    def receive(self) -> bytes:
        """Receive an answer, without its end."""
        answer, buffer = bytearray(), memoryview(bytearray(_LONGEST))
        while len(answer) < _LONGEST and (size := self._time.receive(self._connection, buffer)):
            answer += buffer[:size]
        return bytes(answer).rstrip(b"\0\n")


class _Stream(_Exchange):
    """A file that is shown, until clamd hangs up because it looks no further."""

    def __init__(self, connection: socket.socket, time: CallTime) -> None:
        super().__init__(connection, time)
        self._is_begun, self._is_watched = False, True

    def show(self, chunk: bytes) -> None:
        """Show a chunk; an empty one would end the file."""
        if chunk:
            self._say(struct.pack(">I", len(chunk)) + chunk)

    def read_verdict(self) -> bytes:
        """Read what clamd says of the file, which ends here."""
        self._say(_END_OF_FILE)
        return self.receive()

    def _say(self, content: bytes) -> None:
        command = b"" if self._is_begun else b"zINSTREAM\0"
        self._is_begun = True
        if self._is_watched:
            try:
                self.send(command + content)
            except (BrokenPipeError, ConnectionResetError):
                self._is_watched = False


def _is_clean(answer: bytes) -> bool:
    """Tell if the answer says so; false when clamd did not look at all of the file."""
    if any(limit in answer.lower() for limit in _LIMITS):
        return False
    if answer.endswith(b" FOUND"):
        raise MalwareFound
    if not answer.endswith(b" OK"):
        raise Unavailable("The malware scanner gives no verdict.")
    return True
