"""HTTP to the federation's services: bounded in time and size, with failures in our words."""

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
from registry.http_client.deadlines import Deadline, Redirected, harden_session
from registry.http_client.threads import CallThreads, PerProcess

T = TypeVar("T")
_ReadAnswer = Callable[[requests.Response], "Answer"]

LIMIT: Final = 64 * 1024  # bytes of an answer
NETWORK: Final = (OSError, urllib3.exceptions.HTTPError)  # what calls through requests may raise
SLACK: Final = 0.25  # seconds: lets a call fail by its own timeout, which knows why

# What a server, or a firewall before it, says to one request that it refuses, being well itself.
_REFUSING_STATUSES: Final = (400, 413, 414, 422, 431)
_INVALID_ANSWERS: Final = (
    Redirected,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.InvalidHeader,
)
_log = logging.getLogger(__name__)


def report_invalid(service: str, reason: str) -> UpstreamInvalid:
    """Log why an answer cannot be right, in fixed words, and make the error to raise."""
    _log.warning("%s: %s", service, reason)
    return UpstreamInvalid()


def report_unavailable(service: str, reason: str) -> Unavailable:
    """Log why there is no answer, in fixed words, and make the error to raise."""
    _log.warning("%s: %s", service, reason)
    return Unavailable()


def translate_network_error(service: str, error: Exception) -> RegistryError:
    """Make our error for one of `NETWORK`, whose text is not repeated: it may quote URL or token.

    Raise it outside the `except` block, or the original stays attached as its context.
    """
    report = report_invalid if isinstance(error, _INVALID_ANSWERS) else report_unavailable
    return report(service, type(error).__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a service; `media_type` in small letters and without parameters.

    From `read_answer`, it is whole and its status is below 500; from `read_any_answer`, the
    status may be any and the body may be cut.
    """

    service: str
    status: int
    body: bytes = field(repr=False)
    media_type: str = field(default="", repr=False)
    retry_after: str | None = field(default=None, repr=False)  # as it came

    @property
    def is_refusal(self) -> bool:
        """Tell if the service, being well itself, finds fault with this one question.

        That is no failure for a breaker to count: whoever can make us ask odd questions could
        otherwise shut the service off for all others.
        """
        return self.status in _REFUSING_STATUSES

    def members(self) -> dict[str, Any]:
        """Read the JSON object of a 200; raises `UpstreamInvalid` for anything else."""
        members = self._read_json()
        if not isinstance(members, dict):
            raise report_invalid(self.service, "not a JSON object")
        return members

    def elements(self) -> list[Any]:
        """Read the JSON array of a 200; raises `UpstreamInvalid` for anything else."""
        elements = self._read_json()
        if not isinstance(elements, list):
            raise report_invalid(self.service, "not a JSON array")
        return elements

    def _read_json(self) -> Any:
        if self.status != 200:
            raise report_invalid(self.service, f"status {self.status}")
        try:
            return orjson.loads(self.body)
        except ValueError:
            return None  # which is neither object nor array


def read_answer(service: str, response: requests.Response, limit: int = LIMIT) -> Answer:
    """Read and close an answer.

    Raises `Unavailable` for 5xx and 429, `UpstreamInvalid` beyond `limit` bytes, and `NETWORK`.
    """
    with closing(response):
        status = response.status_code
        if status >= 500 or status == 429:
            raise report_unavailable(service, f"status {status}")
        answer = _make_answer(service, response, limit)
    if len(answer.body) > limit:
        raise report_invalid(service, "too long an answer")
    return answer


def read_any_answer(service: str, response: requests.Response, limit: int = LIMIT) -> Answer:
    """Read and close an answer of whatever status, the body for about `limit` bytes.

    Raises `NETWORK`.
    """
    with closing(response):
        return _make_answer(service, response, limit)


def read_body(response: requests.Response, limit: int) -> bytes:
    """Read a body as far as the first 16 KiB beyond `limit` bytes, however long it is.

    Longer than `limit` means that it was too long. Raises `NETWORK`.
    """
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)


def _make_answer(service: str, response: requests.Response, limit: int) -> Answer:
    return Answer(
        service,
        response.status_code,
        read_body(response, limit),
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

    `timeout` in seconds is the deadline of a call, and of all calls together in one piece of work
    given to `within`. `threads` is how many calls may be under way at once, and `patience` the
    seconds that one more waits for its turn, if not as long as for its answer. `certificate` is a
    PEM file with our certificate and its key, for a service that wants mutual TLS (contract 6.20).
    """

    def __init__(
        self,
        name: str,
        *,
        timeout: float,
        ca_bundle: Path | None = None,
        certificate: Path | None = None,
        threads: int = 16,
        patience: float | None = None,
    ) -> None:
        self.name, self.timeout = name, timeout
        self._verify: bool | str = str(ca_bundle) if ca_bundle else True
        self._certificate = str(certificate) if certificate else None
        self._threads = CallThreads(threads, patience)
        self._session = PerProcess(lambda: _make_session(threads))

    def get(
        self, url: str, bearer: str, deadline: Deadline | None = None, *, limit: int = LIMIT
    ) -> Answer:
        """GET; raises `Unavailable` or `UpstreamInvalid`.

        `deadline` None gives the call the whole timeout of this service, here and below.
        """
        reader = partial(read_answer, self.name, limit=limit)
        return self._send("GET", url, bearer, deadline, reader)

    def post(
        self, url: str, bearer: str, form: Mapping[str, str], deadline: Deadline | None = None
    ) -> Answer:
        """POST a form, for calls that may be repeated; raises like `get`."""
        return self._send("POST", url, bearer, deadline, partial(read_answer, self.name), data=form)

    def ask(self, url: str, bearer: str, question: Any, deadline: Deadline | None = None) -> Answer:
        """POST a question as JSON, a search that changes nothing; raises like `get`."""
        reader = partial(read_answer, self.name)
        return self._send("POST", url, bearer, deadline, reader, json=question)

    def tell(
        self,
        url: str,
        bearer: str | None,
        content: bytes,
        deadline: Deadline | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST JSON that may be told twice; an answer of any status, its body cut when too long.

        Raises `Unavailable` when there is no answer, `UpstreamInvalid` for a redirect and for a
        header or an encoding that cannot be right.
        """
        ours = {"Content-Type": "application/json", **(headers or {})}
        reader = partial(read_any_answer, self.name)
        return self._send("POST", url, bearer, deadline, reader, data=content, headers=ours)

    def within(self, work: Callable[[Deadline], T]) -> T:
        """Do work that calls this service until the deadline that it is given.

        Raises `Unavailable` when it takes longer, and what the work raises.
        """
        # The deadline ends the calls; the thread ends the waiting, since nothing can interrupt
        # the look-up of a name or the wait for a token that another thread renews.
        deadline = Deadline.after(self.timeout)
        return self._threads.run(partial(work, deadline), self.timeout + SLACK)

    def close(self) -> None:
        """Wait for calls under way, then close threads and connections."""
        self._threads.close()
        if session := self._session.take():
            session.close()

    def _send(
        self,
        method: str,
        url: str,
        bearer: str | None,
        deadline: Deadline | None,
        reader: _ReadAnswer,
        **content: Any,
    ) -> Answer:
        deadline = deadline or Deadline.after(self.timeout)
        for _ in range(2):  # a kept connection may have been closed at the other end meanwhile
            try:
                response = self._session.get().request(
                    method,
                    url,
                    auth=Bearer(bearer),
                    timeout=deadline.as_timeout(),  # type: ignore[arg-type]  # the stubs know floats
                    verify=self._verify,
                    cert=self._certificate,
                    stream=True,
                    allow_redirects=False,
                    **content,
                )
                return reader(response)
            except NETWORK as error:
                failure = translate_network_error(self.name, error)
                if not _is_hang_up(error):
                    break
        # outside the `except` block, so that no traceback leads to the token
        raise failure


def _make_session(connections: int) -> requests.Session:
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    harden_session(session, connections)
    return session


def _is_hang_up(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectionError) and isinstance(
        cause, urllib3.exceptions.ProtocolError
    )
