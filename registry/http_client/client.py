"""HTTP to the federation's services: bounded in time and size, failures told in our words."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import requests
import urllib3.exceptions
from requests.auth import AuthBase

from registry.domain.errors import RegistryError, Unavailable, UpstreamInvalid
from registry.http_client.deadlines import Redirected, arm
from registry.http_client.threads import PerProcess, Workers

T = TypeVar("T")
_Take = Callable[[requests.Response], "Answer"]

LIMIT: Final = 64 * 1024  # bytes of an answer
NETWORK: Final = (OSError, urllib3.exceptions.HTTPError)  # what calls through requests may raise
SLACK: Final = 0.25  # seconds: lets a call fail by its own timeout, which knows why

# What a server, or a firewall before it, says to one request it dislikes, being well itself.
_DISLIKED: Final = (400, 413, 414, 422, 431)
_LIES: Final = (
    Redirected,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.InvalidHeader,
)
_log = logging.getLogger(__name__)


def lied(service: str, reason: str) -> UpstreamInvalid:
    """The error for an answer that cannot be right; the log has the reason, in fixed words."""
    _log.warning("%s: %s", service, reason)
    return UpstreamInvalid()


def down(service: str, reason: str) -> Unavailable:
    """The error for no answer; the log has the reason, in fixed words."""
    _log.warning("%s: %s", service, reason)
    return Unavailable()


def translated(service: str, error: Exception) -> RegistryError:
    """Our error for one of `NETWORK`, whose text is not repeated: it may quote URL or token.

    Raise it outside the `except` block, or the original stays attached as its context.
    """
    tell = lied if isinstance(error, _LIES) else down
    return tell(service, type(error).__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said; `media_type` in small letters and without parameters.

    From `read`, it is whole and its status is below 500; from `heard`, any.
    """

    service: str
    status: int
    body: bytes = field(repr=False)
    media_type: str = field(default="", repr=False)
    retry_after: str | None = field(default=None, repr=False)  # as it came

    @property
    def dislikes(self) -> bool:
        """Whether the service, being well itself, finds fault with this one question.

        That is no failure for a breaker to count: whoever can make us ask odd questions could
        otherwise shut the service off for all others.
        """
        return self.status in _DISLIKED

    def members(self) -> dict[str, Any]:
        """The JSON object of a 200; raises `UpstreamInvalid` for anything else."""
        members = self._json()
        if not isinstance(members, dict):
            raise lied(self.service, "not a JSON object")
        return members

    def elements(self) -> list[Any]:
        """The JSON array of a 200; raises `UpstreamInvalid` for anything else."""
        elements = self._json()
        if not isinstance(elements, list):
            raise lied(self.service, "not a JSON array")
        return elements

    def _json(self) -> Any:
        if self.status != 200:
            raise lied(self.service, f"status {self.status}")
        try:
            return orjson.loads(self.body)
        except ValueError:
            return None  # which is neither object nor array


def read(service: str, response: requests.Response, limit: int = LIMIT) -> Answer:
    """Read and close an answer.

    Raises `Unavailable` for 5xx and 429, `UpstreamInvalid` beyond `limit` bytes, and `NETWORK`.
    """
    with closing(response):
        status = response.status_code
        if status >= 500 or status == 429:
            raise down(service, f"status {status}")
        answer = _taken(service, response, limit)
    if len(answer.body) > limit:
        raise lied(service, "too long an answer")
    return answer


def heard(service: str, response: requests.Response, limit: int = LIMIT) -> Answer:
    """Read and close an answer of whatever status, the body for about `limit` bytes.

    Raises `NETWORK`.
    """
    with closing(response):
        return _taken(service, response, limit)


def _taken(service: str, response: requests.Response, limit: int) -> Answer:
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > limit:
            break
    return Answer(
        service,
        response.status_code,
        bytes(body),
        response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        response.headers.get("Retry-After"),
    )


class Bearer(AuthBase):
    """Given as `auth`, so that requests does not look for another password in a .netrc file.

    Without a token it says nothing, for a service to which a certificate is enough.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Upstream:
    """One federal service; its threads and connections are made on first use, in each process.

    `timeout` in seconds bounds connecting, the whole answer, and what `within` waits. `workers` is
    how many calls may be under way at once. `certificate` is a PEM file with our certificate and
    its key, for a service that wants mutual TLS (contract 6.20).
    """

    def __init__(
        self,
        name: str,
        *,
        timeout: float,
        ca_bundle: Path | None = None,
        certificate: Path | None = None,
        workers: int = 16,
    ) -> None:
        self.name, self.timeout = name, timeout
        self._verify: bool | str = str(ca_bundle) if ca_bundle else True
        self._certificate = str(certificate) if certificate else None
        self._workers = Workers(workers)
        self._session = PerProcess(lambda: _session(workers))

    def get(self, url: str, bearer: str, *, limit: int = LIMIT) -> Answer:
        """GET; raises `Unavailable` or `UpstreamInvalid`."""
        return self._send("GET", url, bearer, partial(read, self.name, limit=limit))

    def post(self, url: str, bearer: str, form: Mapping[str, str]) -> Answer:
        """POST a form, for calls that may be repeated; raises like `get`."""
        return self._send("POST", url, bearer, partial(read, self.name), data=form)

    def ask(self, url: str, bearer: str, question: Any, *, limit: int = LIMIT) -> Answer:
        """POST a question as JSON, a search that changes nothing; raises like `get`."""
        take = partial(read, self.name, limit=limit)
        return self._send("POST", url, bearer, take, json=question)

    def tell(self, url: str, bearer: str | None, content: bytes) -> Answer:
        """POST JSON that may be told twice; an answer of any status, its body cut when too long.

        Raises `Unavailable` when there is no answer, `UpstreamInvalid` for a redirect and for a
        header or an encoding that cannot be right.
        """
        kind = {"Content-Type": "application/json"}
        take = partial(heard, self.name)
        return self._send("POST", url, bearer, take, data=content, headers=kind)

    def within(self, work: Callable[[], T]) -> T:
        """Do work that calls this service; raises `Unavailable` when it takes too long."""
        return self._workers.run(work, self.timeout + SLACK)

    def close(self) -> None:
        """Wait for calls under way, then close threads and connections."""
        self._workers.close()
        if session := self._session.take():
            session.close()

    def _send(
        self, method: str, url: str, bearer: str | None, take: _Take, **content: Any
    ) -> Answer:
        for _ in range(2):  # a kept connection may have been closed at the other end meanwhile
            try:
                response = self._session.get().request(
                    method,
                    url,
                    auth=Bearer(bearer),
                    timeout=self.timeout,
                    verify=self._verify,
                    cert=self._certificate,
                    stream=True,
                    allow_redirects=False,
                    **content,
                )
                return take(response)
            except NETWORK as error:
                failure = translated(self.name, error)
                if not _hung_up(error):
                    break
        raise failure


def _session(connections: int) -> requests.Session:
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    arm(session, connections)
    return session


def _hung_up(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectionError) and isinstance(
        cause, urllib3.exceptions.ProtocolError
    )
