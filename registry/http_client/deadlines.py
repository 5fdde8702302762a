"""Deadlines below requests: a call is over by one moment, whatever the pace of the answer."""

import http.client
import io
import logging
import socket
import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Self, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Timeout

from registry.domain.personal_data import mask_personal_numbers

# They log the path of every call, and ours may hold an SSIN.
_CHATTY_LOGGERS: Final = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


@dataclass(frozen=True, slots=True)
class Deadline:
    """One moment by which a call is over: connecting, asking, and the last byte of the answer."""

    moment: float  # seconds of the monotonic clock

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Set the deadline some seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Compute the seconds that remain; raises `TimeoutError` when none do."""
        seconds = self.moment - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def as_timeout(self) -> Timeout:
        """Express the rest as urllib3's timeout, which takes connecting off what it lets read."""
        return Timeout(total=self.remaining())


class _DeadlineReader(io.RawIOBase):
    """A socket that is read until one deadline: its own timeout counts anew for every read.

    A server that sends a byte now and then would otherwise keep a call alive for ever.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)
        # urllib3 has just set what connecting and asking left of the time
        self._deadline = Deadline.after(sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """As much of a socket as `http.client.HTTPResponse` uses."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _DeadlineSocket(sock)), *args, **kwargs)


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Final = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _PersonalNumberFilter(logging.Filter):
    """Masks personal numbers in what the libraries below log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:  # quotes the headers of an answer that it could not read
            return False
        record.msg, record.args = mask_personal_numbers(record.getMessage()), None
        return True


_FILTER: Final = _PersonalNumberFilter()


class Redirected(requests.RequestException):
    """The service sent us elsewhere; our token is not for elsewhere."""


def _refuse_redirect(response: requests.Response, **_: Any) -> None:
    # requests reads all of a redirect's body, however long, before it looks at allow_redirects
    if response.is_redirect:
        response.close()
        raise Redirected


def harden_session(session: requests.Session, connections: int) -> None:
    """Make a session safe to point at a service that may be slow, broken or hostile.

    The read timeout of its calls becomes the time for the whole answer; `Deadline.as_timeout`
    makes connecting part of it. The proxies that the environment names are kept. Cookies are
    refused: a service that knows us by our token needs none.
    """
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)  # again is harmless: the same filter
    for prefix in ("https://", "http://"):
        session.mount(prefix, _Adapter(pool_connections=4, pool_maxsize=connections))
    session.hooks["response"] = [_refuse_redirect]
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
