"""Under requests: answers that are complete in time, no redirects, no cookies, no gossip."""

import http.client
import io
import logging
import socket
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from registry.domain.personal_data import mask_personal_numbers

_GOSSIPS: Final = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


class _Reader(io.RawIOBase):
    """Reads a socket until one moment, whatever the pace: a timeout of a socket is per read."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)
        # urllib3 has just set the time allowed for reading
        self._ends = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Paced:
    """As much of a socket as `http.client.HTTPResponse` uses."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _Paced(sock)), *args, **kwargs)


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


class _Discreet(logging.Filter):
    """urllib3 logs the path of every call, and ours may hold an SSIN."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:  # quotes the headers of an answer that it could not read
            return False
        record.msg, record.args = mask_personal_numbers(record.getMessage()), None
        return True


_DISCREET: Final = _Discreet()


class Redirected(requests.RequestException):
    """The service sent us elsewhere; our token is not for elsewhere."""


def _stay(response: requests.Response, **_: Any) -> None:
    # requests reads all of a redirect's body, however long, before it looks at allow_redirects
    if response.is_redirect:
        response.close()
        raise Redirected


def arm(session: requests.Session, connections: int) -> None:
    """Make a session safe to point at a service that may be slow, broken or hostile.

    The read timeout of its calls becomes the time for the whole answer. The proxies that the
    environment names are kept.
    """
    for name in _GOSSIPS:
        logging.getLogger(name).addFilter(_DISCREET)  # again is harmless: the same filter
    for prefix in ("https://", "http://"):
        session.mount(prefix, _Adapter(pool_connections=4, pool_maxsize=connections))
    session.hooks["response"] = [_stay]
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
