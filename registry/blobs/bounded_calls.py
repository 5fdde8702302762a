"""Calls of an S3 client: a budget for each, few that wait at a time, and a breaker before all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, HTTPClientError
from botocore.parsers import ResponseParserError

from registry.blobs.timed_http import call_time, time_connections
from registry.blobs.waits import CallTime, Crowded, WaitSlots
from registry.domain.errors import Unavailable
from registry.http_client.breaker import Breaker
from registry.telemetry.watch import Watch

_DOUBTFUL: Final = 3.0  # seconds for a call after one that failed: so long an ill store costs
_FAILURES: Final = 3  # in a row, after which the store is left alone
_PAUSE: Final = 1.0  # seconds until one call may try again
SECOND_TRY: Final = 0.1  # seconds before it
BUSY: Final = (500, 502, 503, 504)  # answers that a second try may change
_DOWNLOADS: Final = ("GetObject", "HeadObject")  # whose type is that of a document, if it is one


@dataclass
class CallLimits:
    """Limits of the calls to one store: `seconds` for each, and one more for `least_rate` bytes.

    Threads share it.
    """

    slots: WaitSlots
    seconds: float
    least_rate: int
    breaker: Breaker = field(default_factory=partial(Breaker, _FAILURES, _PAUSE))
    _is_doubtful: bool = False

    def run(self, call: Callable[[], Any], size: int) -> Any:
        """Make a call that sends so many bytes.

        Raises `Unavailable` at once while the store is ill or keeps too many waiting, and what
        boto3 does. A store that refuses one request, 5xx excepted, is well.
        """
        seconds = min(self.seconds, _DOUBTFUL) if self._is_doubtful else self.seconds
        try:
            self.slots.check()
            with self.breaker.guard():
                token = call_time.set(CallTime(self.slots, seconds, self.least_rate, size))
                try:
                    answer = self._judge(call)
                finally:
                    call_time.reset(token)
        except (Crowded, Unavailable) as error:
            raise Unavailable("The document store keeps others waiting.") from error
        try:
            if isinstance(answer, ClientError):
                raise answer
            return answer
        finally:
            del answer  # which would keep its own traceback, and that the connection

    def _judge(self, call: Callable[[], Any]) -> Any:
        """Give the answer, were it an error for this one request; raises when the store is ill."""
        try:
            answer = call()
        except ClientError as error:
            self._is_doubtful = _get_status(error.response) >= 500
            if self._is_doubtful:
                raise
            return error
        except BotoCoreError:
            self._is_doubtful = True
            raise
        except ResponseParserError as error:
            self._is_doubtful = True
            raise HTTPClientError(error=error) from error
        self._is_doubtful = False
        return answer


class BoundedCalls:
    """Base of a botocore client whose calls have limits."""

    call_limits: CallLimits

    def _make_api_call(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        # botocore's own, behind which everything happens that a call does
        call = partial(super()._make_api_call, operation, parameters)  # type: ignore[misc]

        def make_call() -> Any:
            answer = call()
            headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            refuse_page(headers, is_download=operation in _DOWNLOADS)
            return answer

        with Watch("storage", operation) as watch:
            try:
                return self.call_limits.run(make_call, len(parameters.get("Body", b"")))
            except (BotoCoreError, ClientError) as error:
                watch.outcome = _name_outcome(error)
                raise


def add_base(base_classes: list[type], **_: Any) -> None:
    """Add our base to a client's class, for botocore's event `creating-client-class`."""
    base_classes.insert(0, BoundedCalls)


def bound_calls(client: Any, limits: CallLimits) -> None:
    """Give limits to a client with our base, before its first call. It retries nothing itself."""
    client.call_limits = limits
    time_connections(client)
    client.meta.events.register("needs-retry.s3", _retry_once)


def _retry_once(
    attempts: int, response: Any = None, caught_exception: Exception | None = None, **_: Any
) -> float | None:
    """Try again what a kept connection or a busy server ended at once; what was late is over."""
    is_busy = response is not None and response[0].status_code in BUSY
    is_cut = isinstance(caught_exception, ConnectionClosedError) and not call_time.get().is_late
    return SECOND_TRY if attempts == 1 and (is_busy or is_cut) else None


def _name_outcome(error: BotoCoreError | ClientError) -> str:
    """Name how a call ended: a store that refuses one request is well."""
    is_refusal = isinstance(error, ClientError) and _get_status(error.response) < 500
    return "refused" if is_refusal else "unavailable"


def _get_status(response: Mapping[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def refuse_page(headers: Mapping[str, str], *, is_download: bool) -> None:
    """Raise `HTTPClientError` for a page for people, which a proxy says in the name of S3.

    `headers` are found by names in small letters. A document may be HTML too, and has an ETag.
    """
    is_html = headers.get("content-type", "").startswith("text/html")
    if is_html and not (is_download and "etag" in headers):
        raise HTTPClientError(error="a page for people, in the name of S3")
