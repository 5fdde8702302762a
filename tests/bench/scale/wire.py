"""HTTP/1.1 over a socket that is kept, with as little work as a client can have."""

import socket
from collections.abc import Mapping
from typing import Final

from registry.sandbox.servers.processes import LOOPBACK

_PIECE: Final = 1 << 18
_LENGTH: Final = b"content-length:"


class KeptConnection:
    """A connection to one port, opened when it is needed, and again when the server closed it."""

    def __init__(self, port: int, *, timeout: float = 60) -> None:
        self._port, self._timeout = port, timeout
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, int]:
        """Send a request and read all of the answer: its status and the bytes of its body."""
        try:
            return self._ask(request)
        except (BrokenPipeError, ConnectionResetError):
            self.close()
            return self._ask(request)

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _ask(self, request: bytes) -> tuple[int, int]:
        if self._socket is None:
            self._socket = socket.create_connection((LOOPBACK, self._port), self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._socket
        connection.sendall(request)
        answer = connection.recv(_PIECE)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            if not (piece := connection.recv(_PIECE)):
                raise ConnectionResetError
            answer += piece
        head = answer[:end].lower()
        count = len(answer) - end - 4
        if (at := head.find(_LENGTH)) >= 0:
            length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
            while count < length:
                count += self._receive(connection)
        elif b"chunked" in head:
            count = self._read_chunks(connection, answer)
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), count

    @staticmethod
    def _receive(connection: socket.socket) -> int:
        if not (piece := connection.recv(_PIECE)):
            raise ConnectionResetError
        return len(piece)

    @staticmethod
    def _read_chunks(connection: socket.socket, answer: bytes) -> int:
        """Read up to the last, empty chunk; gives the bytes with what is between them."""
        tail, count = answer[-7:], len(answer)
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            if not (piece := connection.recv(_PIECE)):
                raise ConnectionResetError
            tail, count = (tail + piece)[-7:], count + len(piece)
        return count


def make_get(
    path: str, token: str | None = None, *, headers: Mapping[str, str] | None = None
) -> bytes:
    """Make the bytes of a GET."""
    return make_request("GET", path, token, headers=headers)


def make_request(
    method: str,
    path: str,
    token: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> bytes:
    """Make the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body
