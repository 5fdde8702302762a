"""Reads of many small objects, one after the other, by requests that are under way together.

A call of botocore's client takes more CPU than all else that is done with a small object, and
threads that share a processor take as much again. So requests go out on several connections of the
standard library, and their answers are taken in order. What does not come as it should is asked for
once more in the usual way, with its limits and its errors.
"""

import ssl
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path

from registry.blobs.signed_urls import read_version
from registry.blobs.url_signer import UrlSigner

_AHEAD: Final = 16  # requests that are under way at once

Tag = TypeVar("Tag")


class StoredVersion(NamedTuple):
    """A version of an object; names of headers are in small letters."""

    content: bytes
    headers: Mapping[str, str]


class VersionName(NamedTuple):
    """The name of a version."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class _Request:
    name: VersionName
    connection: HTTPConnection | None  # None where there is none for it


@dataclass
class VersionReader:
    """Reads versions of one bucket; for one thread. `client` is one of `wiring.storage`."""

    client: Any
    bucket: str
    _idle: list[HTTPConnection] = field(default_factory=list)
    _count: int = 0  # of connections, idle and busy

    def __post_init__(self) -> None:
        self._signer = UrlSigner(self.client, self.bucket)

    def read(
        self, groups: Iterable[tuple[Tag, Sequence[VersionName]]]
    ) -> Iterator[tuple[Tag, Sequence[StoredVersion]]]:
        """Read the versions of each group, in their order; raises as `read_version` does.

        Groups are taken from the iterable before those that were taken earlier are read.
        """
        under_way: deque[tuple[Tag, list[_Request]]] = deque()
        try:
            for tag, names in groups:
                if len(under_way) >= _AHEAD:
                    yield self._finish(*under_way.popleft())
                under_way.append((tag, [self._begin(name) for name in names]))
            while under_way:
                yield self._finish(*under_way.popleft())
        finally:  # whoever stops in between leaves answers that nobody takes
            for _, requests in under_way:
                for request in requests:
                    self._drop(request.connection)

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._drop(self._idle.pop())

    def _begin(self, name: VersionName) -> _Request:
        connection = self._take()
        if connection is None:
            return _Request(name, None)
        try:
            connection.request("GET", self._signer.sign(name.key, name.version))
        except (OSError, HTTPException):
            self._drop(connection)
            return _Request(name, None)
        return _Request(name, connection)

    def _finish(
        self, tag: Tag, requests: Sequence[_Request]
    ) -> tuple[Tag, Sequence[StoredVersion]]:
        return tag, [self._take_answer(request) or self._read_anew(request) for request in requests]

    def _take_answer(self, request: _Request) -> StoredVersion | None:
        connection = request.connection
        if connection is None:
            return None
        try:
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._drop(connection)
            return None
        if answer.will_close:
            self._drop(connection)
        else:
            self._idle.append(connection)
        if answer.status != 200:
            return None
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return StoredVersion(content, headers)

    def _read_anew(self, request: _Request) -> StoredVersion:
        answer = read_version(self.client, self.bucket, request.name.key, request.name.version)
        return StoredVersion(answer.content, answer.headers)

    def _take(self) -> HTTPConnection | None:
        if self._idle:
            return self._idle.pop()
        if self._count >= _AHEAD:
            return None
        connection = _connect(self.client, self._signer.base)
        self._count += connection is not None
        return connection

    def _drop(self, connection: HTTPConnection | None) -> None:
        if connection is not None:
            connection.close()
            self._count -= 1


def _connect(client: Any, base: str) -> HTTPConnection | None:
    """Make a connection to the store of a client, as it would; None where a proxy is between."""
    session = client._endpoint.http_session  # noqa: SLF001 - botocore has no other way
    if session._proxy_config.proxy_url_for(base):  # noqa: SLF001
        return None
    address, seconds = urlsplit(base), client.call_limits.seconds
    if address.scheme != "https":
        return HTTPConnection(address.netloc, timeout=seconds)
    authorities = get_cert_path(session._verify)  # noqa: SLF001
    context = ssl.create_default_context(cafile=authorities)
    return HTTPSConnection(address.netloc, timeout=seconds, context=context)
