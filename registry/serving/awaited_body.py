"""A request's body as the application reads it: asked for in time, and at the client's pace."""

import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from gunicorn.http.body import Body

from registry.domain.errors import RequestTimeout
from registry.telemetry.metrics import count_cut, count_slow_client

_DRAINED: Final = 64 << 10  # bytes of an unread body that gunicorn reads to keep the connection
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class AwaitedBody(Body):  # type: ignore[misc] # gunicorn has no types
    """A request's body; a client that waits for 100 Continue gets it when somebody reads."""

    def __init__(self, request: Any, sock: socket.socket) -> None:
        super().__init__(request.body.reader)
        self._request, self._sock = request, sock
        self._is_cut = False
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
        """Read some bytes; raises `RequestTimeout` when the client sends too slowly."""
        if self._is_held_back:
            self._is_held_back = False
            self._sock.sendall(_CONTINUE)
        due = min(size, getattr(self.reader, "length", 0) or 0)
        try:
            content = super()._read_reader(size)
        except TimeoutError:
            # Nothing more can be read in order, nor a second request on this connection.
            self._request.force_close()
            count_slow_client("body")
            raise RequestTimeout from None
        if len(content) < due and not self._is_cut:
            self._is_cut = True
            count_cut("upload", "client")
        return content


def watch_answers(app: App) -> App:
    """Have each body told when the answer to its request begins."""
    return partial(_answer, app)


def _answer(app: App, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    def begin(status: str, *rest: Any) -> Any:
        body = environ["wsgi.input"]
        if isinstance(body, AwaitedBody):  # HTTP/2, which is off, has its own
            body.begin_answer(status)
        return start(status, *rest)

    return app(environ, begin)
