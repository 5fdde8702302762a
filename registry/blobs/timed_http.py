"""HTTP to S3 below botocore: connections on which a call waits no longer than its time.

botocore's timeouts count anew for every read of the socket, and again for each attempt.
"""

import http.client
import io
import socket
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from urllib3.exceptions import ConnectTimeoutError

from registry.blobs.waits import CallTime

call_time: ContextVar[CallTime] = ContextVar("call_time")  # of the call that this thread makes

_CONNECTING: Final = 3.0  # seconds, at most
_PIECE: Final = 64 << 10  # bytes that are sent at a time


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, time: CallTime) -> None:
        super().__init__()
        # as long as it is open, a connection that is given up keeps its socket for us
        self._sock, self._hold, self._time = sock, sock.makefile("rb", buffering=0), time

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._time.receive(self._sock, buffer)

    def close(self) -> None:
        self._hold.close()
        super().close()


class _TimedSocket:
    """As much of a socket as `http.client.HTTPResponse` uses."""

    def __init__(self, sock: socket.socket, time: CallTime) -> None:
        self._sock, self._time = sock, time

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._time))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._time = call_time.get()
        super().__init__(cast("socket.socket", _TimedSocket(sock, self._time)), *args, **kwargs)

    def begin(self) -> None:
        super().begin()
        self._time.begin_body()


if TYPE_CHECKING:
    _Base = http.client.HTTPConnection
else:
    _Base = object


class _CallConnection(_Base):
    """What connections with and without TLS have in common."""

    response_class = _Response
    timeout: float
    sock: Any

    def _new_conn(self) -> socket.socket:
        """Connect; who waits for it holds a slot, and tries anew."""
        time = call_time.get()
        rest = min(_CONNECTING, time.compute_rest())

        def attempt(seconds: float) -> socket.socket | None:
            self.timeout = seconds
            try:
                return self._open(rest)
            except ConnectTimeoutError:
                return None

        try:
            return time.slots.wait(attempt, rest)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "Nobody answers, or too many wait.") from error

    def _open(self, rest: float) -> socket.socket:
        sock = cast("socket.socket", super()._new_conn())  # type: ignore[misc] # urllib3's
        sock.settimeout(rest)  # for TLS, which follows
        return sock

    def send(self, data: Any) -> None:
        """Send bytes in pieces, for each of which there must soon be room."""
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        for at in range(0, len(view), _PIECE):
            piece = view[at : at + _PIECE]
            call_time.get().await_room(self.sock, len(piece))
            super().send(piece)


class _Connection(_CallConnection, AWSHTTPConnection):  # type: ignore[misc] # botocore has no types
    pass


class _SecureConnection(_CallConnection, AWSHTTPSConnection):  # type: ignore[misc] # botocore has no types
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def time_connections(client: Any) -> None:
    """Have a client of botocore make connections like these; it has made none yet."""
    session = client._endpoint.http_session  # noqa: SLF001 - botocore has no other way
    session._pool_classes_by_scheme.update({"http": _Pool, "https": _SecurePool})  # noqa: SLF001
