"""Malware: clamd sees every byte of a file while it passes by (its INSTREAM command)."""

import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from registry.domain.errors import MalwareFound, NotScanned, Unavailable

_END_OF_FILE: Final = struct.pack(">I", 0)
_LONGEST: Final = 4096  # bytes of an answer
# What clamd says of a file that is larger than it looks at: as an error by its StreamMaxLength, as
# something found by its other limits, with AlertExceedsMax. Without that it says OK.
_LIMITS: Final = (b"size limit exceeded", b"heuristics.limits.exceeded")


@dataclass(frozen=True, slots=True)
class Clamd:
    """A clamd at a TCP address; `timeout` in seconds for each of its silences.

    `file_size` is its MaxFileSize in bytes: of a larger file it may say OK without a look.
    `accepts_unscanned`: what it did not look at whole is accepted, with a mark.
    """

    host: str
    port: int
    timeout: float
    file_size: int
    accepts_unscanned: bool = False

    @classmethod
    def at(cls, address: str, timeout: float, file_size: int, *, accepts_unscanned: bool) -> Self:
        """Make the client of the one at `host:port`."""
        host, _, port = address.rpartition(":")
        return cls(host, int(port), timeout, file_size, accepts_unscanned)

    def scan(self, chunks: Iterable[bytes], mark: Callable[[], None]) -> Iterator[bytes]:
        """Hand on every chunk but hold back the last until clamd has spoken.

        Raises `MalwareFound`, `Unavailable` when clamd does not answer, and `NotScanned` for a file
        that it did not look at whole, since that is not clean; calls `mark` instead where such
        files are accepted.
        """
        size = 0
        try:
            with socket.create_connection((self.host, self.port), self.timeout) as connection:
                connection.sendall(b"zINSTREAM\0")
                is_watching = True
                last_chunk = b""  # without it, what clamd finds fault with is not a whole file
                for chunk in chunks:
                    size += len(chunk)
                    is_watching = is_watching and _show(connection, chunk)
                    if last_chunk:
                        yield last_chunk
                    last_chunk = chunk
                verdict = _read_verdict(connection, is_watching=is_watching)
                if not _is_clean(verdict) or size > self.file_size:
                    if not self.accepts_unscanned:
                        raise NotScanned
                    mark()
                yield last_chunk
        except OSError:
            raise Unavailable("The malware scanner does not answer.") from None


def _show(connection: socket.socket, chunk: bytes) -> bool:
    """Show a chunk; false once clamd has hung up because it looks no further."""
    try:
        if chunk:  # an empty one would end the file
            connection.sendall(struct.pack(">I", len(chunk)) + chunk)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _read_verdict(connection: socket.socket, *, is_watching: bool) -> bytes:
    if is_watching:
        connection.sendall(_END_OF_FILE)
    answer = b""
    while len(answer) < _LONGEST and (more := connection.recv(_LONGEST)):
        answer += more
    return answer.rstrip(b"\0\n")


def _is_clean(answer: bytes) -> bool:
    """Tell if the answer says so; false when clamd did not look at all of the file."""
    if any(limit in answer.lower() for limit in _LIMITS):
        return False
    if answer.endswith(b" FOUND"):
        raise MalwareFound
    if not answer.endswith(b" OK"):
        raise Unavailable("The malware scanner gives no verdict.")
    return True
