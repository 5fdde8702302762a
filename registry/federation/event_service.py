"""The e-Box Event Service v2: what happened to messages, told to the federation (contract 3.3)."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson

from registry.domain.belgian_time import BELGIUM
from registry.domain.errors import RegistryError, Unavailable, UpstreamInvalid
from registry.domain.events import Announcement, EventServiceResponse, Verdict
from registry.domain.personal_data import mask_personal_numbers
from registry.domain.traces import make_trace_id, make_traceparent
from registry.http_client.access_token import OwnToken
from registry.http_client.client import LIMIT, Answer, Upstream
from registry.http_client.deadlines import Deadline
from registry.http_client.retry_after import parse_retry_after
from registry.telemetry.watch import Watch

LONGEST_WAIT: Final = 3600.0  # seconds, whatever the service asks for
LONGEST_REASON: Final = 200  # characters of the service's own words

_SUCCESSES: Final = frozenset({200, 201, 202, 204})
_DUPLICATE: Final = 409  # "idempotency violation" in version 1.1.1
# Of those that begin with a 4, what finds no fault with the events: a path, a quota, our proxy.
_ILL: Final = frozenset({404, 405, 407, 408, 410, 415, 421, 425, 429})
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_PAGE: Final = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_OUTCOMES: Final = {
    Verdict.SUCCESS: "ok",
    Verdict.DUPLICATE: "ok",
    Verdict.REFUSAL: "refused",
    Verdict.OUTAGE: "unavailable",
}
_WORDS: Final = ("detail", "message", "title", "error")  # members where a refusal says why
_NO_JSON: Final = object()  # what is no JSON, read as JSON

_log = logging.getLogger(__name__)


class _NoToken(Exception):
    """The authorization server gives us none."""


@dataclass(frozen=True, repr=False, eq=False)
class EventServiceClient:
    """The service that notifies recipients; `url` is the whole address that events are sent to.

    `own` None sends no bearer token, to a service that knows us by our certificate alone. `now`
    is aware.
    """

    url: str
    own: OwnToken | None
    upstream: Upstream
    now: Callable[[], datetime]

    def tell(self, announcements: Sequence[Announcement]) -> EventServiceResponse:
        """Tell all of these in one call; whatever network and service do is a verdict.

        Within about the upstream's timeout; after `OUTAGE`, the service may have heard them all the
        same, and may be told again. Raises `ValueError` for a citizen's e-Box: the service is
        about enterprises, and an SSIN is not for it.

        The call carries the trace that all of these have in common, or one of its own.
        """
        content = orjson.dumps([_make_event(announcement) for announcement in announcements])
        traces = {announcement.trace for announcement in announcements}
        trace = (traces.pop() if len(traces) == 1 else None) or make_trace_id()
        with Watch(self.upstream.name, "tell", trace) as watch:
            response = replace(self._send(content, trace), trace=trace)
            watch.outcome = _OUTCOMES[response.verdict]
        if response.verdict is Verdict.OUTAGE:
            _log.warning("%s: %s", self.upstream.name, response.reason)
        return response

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _send(self, content: bytes, trace: str) -> EventServiceResponse:
        try:
            return self.upstream.within(partial(self._call, content, trace))
        except _NoToken:
            return _make_outage("no access token for ourselves")
        except Unavailable:
            return _make_outage("no answer")
        except UpstreamInvalid:
            return _make_outage("an answer that cannot be right")

    def _call(self, content: bytes, trace: str, deadline: Deadline) -> EventServiceResponse:
        token, headers = self._get_token(), {"traceparent": make_traceparent(trace)}
        answer = self.upstream.tell(self.url, token, content, deadline, headers)
        if answer.status == 401 and self.own and token:
            self.own.discard(token)
            answer = self.upstream.tell(self.url, self._get_token(), content, deadline, headers)
        return _judge(answer, self.now())

    def _get_token(self) -> str | None:
        try:
            return self.own.value() if self.own else None
        except RegistryError:
            raise _NoToken from None


def _make_event(announcement: Announcement) -> dict[str, Any]:
    if announcement.ebox.enterprise_number is None:
        raise ValueError("An event of a citizen's e-Box is not for the event service.")
    event = {
        "eventType": announcement.type.value,
        "eventCorrelationId": str(announcement.correlation_id),
        "enterpriseId": announcement.ebox.enterprise_number,
        "messageId": str(announcement.message_id),
        "receiptDate": _write_instant(announcement.received_at),
        "expirationDate": _write_instant(announcement.expires_at),
        "registeredMail": announcement.is_registered,
        "messageTypeId": announcement.message_type_id,
        "senderOrganizationId": announcement.sender,
        "senderApplicationId": announcement.sender_application_id,
        "subject": None if announcement.subject is None else dict(announcement.subject),
    }
    return {name: value for name, value in event.items() if value is not None}


def _write_instant(instant: datetime) -> str:
    """Write an instant as the examples of version 2 do: a numeric offset, and no fraction."""
    return instant.astimezone(BELGIUM).isoformat(timespec="seconds")


def _make_outage(reason: str, wait: float | None = None) -> EventServiceResponse:
    return EventServiceResponse(Verdict.OUTAGE, reason, wait)


def _judge(answer: Answer, now: datetime) -> EventServiceResponse:
    status = answer.status
    if status == _DUPLICATE:
        return EventServiceResponse(Verdict.DUPLICATE)
    if status in _SUCCESSES:
        reason = _find_nonsense(answer)
        if reason is None:
            return EventServiceResponse(Verdict.SUCCESS)
    elif status in (401, 403):
        reason = f"our credentials are refused with status {status}"
    elif 400 <= status < 500 and status not in _ILL:
        return EventServiceResponse(Verdict.REFUSAL, f"status {status}{_read_reason(answer.body)}")
    else:
        reason = f"status {status}"
    wait = parse_retry_after(answer.retry_after, now)
    return _make_outage(reason, None if wait is None else min(wait, LONGEST_WAIT))


def _find_nonsense(answer: Answer) -> str | None:
    """Find out why a success is none: a gateway's words, taken for one, would lose events."""
    if not answer.body:  # which frameworks like to call text/html
        return None
    if answer.media_type in _HTML or _PAGE.match(answer.body):
        return "a page for people"
    is_json = answer.media_type == "application/json" or answer.media_type.endswith("+json")
    if is_json and len(answer.body) <= LIMIT and _read_json(answer.body) is _NO_JSON:
        return "not the JSON it claims to be"
    return None


def _read_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return _NO_JSON


def _read_reason(body: bytes) -> str:
    """Read the service's own words, fit for a log: one line, not long, without an SSIN."""
    members = _read_json(body)
    if not isinstance(members, dict):
        return ""
    words = next((text for text in map(members.get, _WORDS) if isinstance(text, str) and text), "")
    plain = "".join(letter for letter in words if letter.isprintable())
    text = mask_personal_numbers(plain)[:LONGEST_REASON].strip()
    return f": {text}" if text else ""
