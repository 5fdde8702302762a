"""Malware: clamd sees every byte of a file while it passes by (its INSTREAM command)."""

import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from registry.domain.errors import MalwareFound, Unavailable

_END_OF_FILE: Final = struct.pack(">I", 0)
_LONGEST: Final = 4096  # bytes of an answer
# What clamd says of a file that is larger than it looks at: it has found nothing so far.
_LIMIT: Final = b"size limit exceeded"


@dataclass(frozen=True, slots=True)
class Clamd:
    """A clamd at a TCP address; `timeout` in seconds for each of its silences."""

    host: str
    port: int
    timeout: float

    @classmethod
    def at(cls, address: str, timeout: float) -> Self:
        """Make the client of the one at `host:port`."""
        host, _, port = address.rpartition(":")
        return cls(host, int(port), timeout)

    def scan(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Hand on every chunk but hold back the last until clamd has spoken.

        Raises `MalwareFound`, and `Unavailable` when clamd does not answer: what was not looked
        at is not published. A file beyond clamd's own limit is not infected for that.
        """
        try:
            with socket.create_connection((self.host, self.port), self.timeout) as connection:
                connection.sendall(b"zINSTREAM\0")
                is_watching = True
                last_chunk = b""  # without it, what clamd finds fault with is not a whole file
                for chunk in chunks:
                    is_watching = is_watching and _show(connection, chunk)
                    if last_chunk:
                        yield last_chunk
                    last_chunk = chunk
                _judge(_read_verdict(connection, is_watching=is_watching))
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


def _judge(answer: bytes) -> None:
    if answer.endswith(b" FOUND"):
        raise MalwareFound
    if not answer.endswith(b" OK") and _LIMIT not in answer.lower():
        raise Unavailable("The malware scanner gives no verdict.")
