"""Asks the registry: each answer within a time, and up to a size, whatever the server does."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import requests
from requests.structures import CaseInsensitiveDict

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.request_body import RequestBody

LARGEST_BODY: Final = 32 * 2**20  # bytes of an answer that are kept
_AGENT: Final = "registry-conformance"
_PIECE: Final = 64 * 1024

_Result = TypeVar("_Result")


class Unreachable(Exception):
    """There was no answer; `cause` is what requests raised, or None when time was up."""

    def __init__(self, text: str, cause: BaseException | None = None) -> None:
        self.cause = cause
        super().__init__(text)


@dataclass
class Journal:
    """The exchanges of the check that runs, and all that there ever were."""

    current: list[Exchange] = field(default_factory=list)
    everything: list[Exchange] = field(default_factory=list)

    def add(self, exchange: Exchange) -> None:
        """Note one that took place now."""
        self.current.append(exchange)
        self.everything.append(exchange)

    def forget(self) -> None:
        """Forget all of them."""
        self.current.clear()
        self.everything.clear()

    def recall(self, exchange: Exchange) -> Exchange:
        """Note one of earlier among those of this check, which is decided by it too."""
        if exchange not in self.current:
            self.current.append(exchange)
        return exchange


class Browser:
    """Asks below a base URL; `patience` is how many seconds one answer has, all of it.

    `end` is when the whole run must be over, by the monotonic clock.
    """

    def __init__(self, base: str, *, patience: float, end: float, ca_bundle: Path | None) -> None:
        self.base, self.patience, self.end = base, patience, end
        self.ca_bundle = ca_bundle
        self.journal = Journal()
        self._session = requests.Session()
        self._session.verify = str(ca_bundle) if ca_bundle else True
        # Set, so that no .netrc adds credentials of its own to a request without a token.
        self._session.auth = _leave_alone

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: RequestBody | None = None,
        caller: str = "",
    ) -> Exchange:
        """Ask, and note the exchange; `path` may be a whole URL. Raises `Unreachable`."""
        url = path if "://" in path else f"{self.base}{path}"
        pairs = [(name, value) for name, value in (query or {}).items() if value is not None]
        if pairs:
            url += f"?{urlencode(pairs, doseq=True)}"
        all_headers = {"User-Agent": _AGENT, "Accept": "*/*", **(headers or {})}
        if body:
            all_headers["Content-Type"] = body.media_type
        exchange = self._perform(method, url, all_headers, body, caller)
        self.journal.add(exchange)
        return exchange

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _perform(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: RequestBody | None,
        caller: str,
    ) -> Exchange:
        seconds = min(self.patience, self.end - time.monotonic())
        if seconds <= 0:
            raise Unreachable("The time of the run is up.")
        beginning = time.monotonic()
        request = requests.Request(
            method, url, headers, data=body.content if body else None, auth=_leave_alone
        ).prepare()
        response, content, is_whole = _wait_for(
            lambda: self._fetch(request, seconds, beginning), seconds
        )
        return Exchange(
            method=method,
            url=url,
            request_headers=dict(request.headers),
            request_note=body.note if body else "",
            status=response.status_code,
            headers=CaseInsensitiveDict(response.headers),
            body=content,
            seconds=time.monotonic() - beginning,
            is_whole=is_whole,
            caller=caller,
        )

    def _fetch(
        self, request: requests.PreparedRequest, seconds: float, beginning: float
    ) -> tuple[requests.Response, bytes, bool]:
        settings = self._session.merge_environment_settings(
            str(request.url), {}, True, self._session.verify, None
        )
        response = self._session.send(
            request, timeout=(seconds, seconds), allow_redirects=False, **settings
        )
        with response:
            pieces, size = [], 0
            for piece in response.iter_content(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST_BODY or time.monotonic() - beginning > seconds:
                    return response, b"".join(pieces), False
            return response, b"".join(pieces), True


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _wait_for(action: Callable[[], _Result], seconds: float) -> _Result:
    """Do it in a thread, since a name server or a dripping header heeds no timeout of sockets."""
    results: list[_Result] = []
    errors: list[BaseException] = []

    def act() -> None:
        try:
            results.append(action())
        except (requests.RequestException, OSError, ValueError) as error:
            errors.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(seconds + 0.5)
    if errors:
        raise Unreachable(f"No answer: {type(errors[0]).__name__}.", errors[0])
    if not results:
        raise Unreachable(f"No answer within {seconds:.0f} seconds.")
    return results[0]


@contextmanager
def collect_exchanges(journal: Journal) -> Iterator[list[Exchange]]:
    """Collect the exchanges of one check."""
    journal.current = []
    yield journal.current
