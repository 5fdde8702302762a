"""The worker with which gunicorn serves the registry: what it refuses early is heard.

A client that is still sending when its upload is refused hears why only if what it sends is read
on: a connection closed over unread bytes is reset, and the answer lost (RFC 9112, 9.6). gunicorn
reads 64 KiB. And it sends 100 Continue before the application has seen the token (RFC 9110,
10.1.1).
"""

import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from gunicorn.http.body import Body
from gunicorn.workers.gthread import TConn, ThreadWorker

_LONGEST: Final = 30.0  # seconds that a connection lingers, and seconds without a byte
_LONGEST_SILENCE: Final = 5.0
_MOST: Final = 2 << 30  # bytes read of it: as many as a request may have by default
_PIECE: Final = 256 << 10
_DRAINED: Final = (
    64 << 10
)  # bytes of an unread body that gunicorn reads itself to keep the connection
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class AwaitedBody(Body):  # type: ignore[misc] # gunicorn has no types
    """A request's body; a client that waits for 100 Continue gets it when somebody reads."""

    def __init__(self, request: Any, sock: socket.socket) -> None:
        super().__init__(request.body.reader)
        self._request, self._sock = request, sock
        self._is_held_back = bool(request._expected_100_continue)  # noqa: SLF001 - it has no other name
        request._expected_100_continue = False  # noqa: SLF001 - or gunicorn sends it at once

    def begin_answer(self, status: str) -> None:
        """Have the connection closed behind an answer that leaves some of the body unread."""
        is_refusal = status >= "4"
        if self._is_held_back or (is_refusal and self._has_long_rest()):
            self._request.force_close()
        self._is_held_back = False

    def _has_long_rest(self) -> bool:
        length = getattr(self.reader, "length", None)
        if length is None:  # a chunked body ends with its parser
            return getattr(self.reader, "parser", None) is not None
        return bool(length > _DRAINED)

    def _read_reader(self, size: int) -> Any:
        if self._is_held_back:
            self._is_held_back = False
            self._sock.sendall(_CONTINUE)
        return super()._read_reader(size)


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


class LingeringWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Threads, of which none waits for a client that has its answer: the loop that accepts does."""

    wsgi: Any

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._farewells: list[Farewell] = []

    def load_wsgi(self) -> None:
        """Load the application, and look at the beginning of each of its answers."""
        super().load_wsgi()
        self.wsgi = partial(_answer, self.wsgi)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request whose body is asked for when it is read."""
        req.body = AwaitedBody(req, conn.sock)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        """Close the connection in stages, unless another request may come on it."""
        is_kept = fs.cancelled() or fs.exception() or fs.result()
        if is_kept or isinstance(conn.sock, ssl.SSLSocket):
            super().finish_request(conn, fs)
            return
        try:
            farewell = Farewell.begin(conn.sock, time.monotonic())
        except OSError:  # it is closed: by the client, or because an answer broke off
            self.nr_conns -= 1
            conn.close()
            return
        self._farewells.append(farewell)
        self.poller.register(conn.sock, selectors.EVENT_READ, lambda _: self._listen(farewell))

    def murder_pending(self) -> None:
        """End what waits for too long; gunicorn calls this every second, until it is stopped."""
        super().murder_pending()
        now = time.monotonic()
        for farewell in [farewell for farewell in self._farewells if farewell.is_over(now)]:
            self._end(farewell)

    def _listen(self, farewell: Farewell) -> None:
        now = time.monotonic()
        farewell.listen(now)
        if farewell.is_over(now):
            self._end(farewell)

    def _end(self, farewell: Farewell) -> None:
        self._farewells.remove(farewell)
        self.poller.unregister(farewell.sock)
        farewell.sock.close()
        self.nr_conns -= 1


def _answer(
    app: Callable[..., Iterable[bytes]], environ: dict[str, Any], start: Callable[..., Any]
) -> Iterable[bytes]:
    def begin(status: str, *rest: Any) -> Any:
        body = environ["wsgi.input"]
        if isinstance(body, AwaitedBody):  # HTTP/2, which is off, has its own
            body.begin_answer(status)
        return start(status, *rest)

    return app(environ, begin)
