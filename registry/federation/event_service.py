"""The e-Box Event Service v2: what happened to messages, told to the federation (contract 3.3)."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

import orjson

from registry.domain.belgian_time import BELGIUM
from registry.domain.errors import RegistryError, Unavailable, UpstreamInvalid
from registry.domain.events import Announcement, EventServiceResponse, Verdict
from registry.domain.personal_data import mask_personal_numbers
from registry.http_client.access_token import OwnToken
from registry.http_client.client import LIMIT, Answer, Upstream

LONGEST_WAIT: Final = 3600.0  # seconds, whatever the service asks for
LONGEST_REASON: Final = 200  # characters of the service's own words

_ACCEPTED: Final = frozenset({200, 201, 202, 204})
_KNOWN: Final = 409  # "idempotency violation" in version 1.1.1
# Of those that begin with a 4, what finds no fault with the events: a path, a quota, our proxy.
_ILL: Final = frozenset({404, 405, 407, 408, 410, 415, 421, 425, 429})
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_PAGE: Final = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_WORDS: Final = ("detail", "message", "title", "error")  # members where a refusal says why
_SECONDS: Final = re.compile(r"[0-9]+")
_BROKEN: Final = object()  # what is no JSON, read as JSON

_log = logging.getLogger(__name__)


class _NoToken(Exception):
    """The authorization server gives us none."""


@dataclass(frozen=True, repr=False, eq=False)
class EventService:
    """The service that tells recipients; `url` is the whole address that events are sent to.

    `own` None sends no bearer token, to a service that knows us by our certificate alone. `now`
    is aware.
    """

    url: str
    own: OwnToken | None
    upstream: Upstream
    now: Callable[[], datetime]

    def tell(self, announcements: Sequence[Announcement]) -> EventServiceResponse:
        """Tell all of these in one call; whatever network and service do is a verdict.

        Within about the upstream's timeout; after `AWAY`, the service may have heard them all the
        same, and may be told again. Raises `ValueError` for a citizen's e-Box: the service is
        about enterprises, and an SSIN is not for it.
        """
        content = orjson.dumps([_event(announcement) for announcement in announcements])
        try:
            response = self.upstream.within(partial(self._told, content))
        except _NoToken:
            response = _away("no access token for ourselves")
        except Unavailable:
            response = _away("no answer")
        except UpstreamInvalid:
            response = _away("an answer that cannot be right")
        if response.verdict is Verdict.OUTAGE:
            _log.warning("%s: %s", self.upstream.name, response.reason)
        return response

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _told(self, content: bytes) -> EventServiceResponse:
        token = self._token()
        answer = self.upstream.tell(self.url, token, content)
        if answer.status == 401 and self.own and token:
            self.own.discard(token)
            answer = self.upstream.tell(self.url, self._token(), content)
        return _judged(answer, self.now())

    def _token(self) -> str | None:
        try:
            return self.own.value() if self.own else None
        except RegistryError:
            raise _NoToken from None


def _event(told: Announcement) -> dict[str, Any]:
    if told.ebox.enterprise_number is None:
        raise ValueError("An event of a citizen's e-Box is not for the event service.")
    event = {
        "eventType": told.type.value,
        "eventCorrelationId": str(told.correlation_id),
        "enterpriseId": told.ebox.enterprise_number,
        "messageId": str(told.message_id),
        "receiptDate": _local(told.received_at),
        "expirationDate": _local(told.expires_at),
        "registeredMail": told.is_registered,
        "messageTypeId": told.message_type_id,
        "senderOrganizationId": told.sender,
        "senderApplicationId": told.sender_application_id,
        "subject": None if told.subject is None else dict(told.subject),
    }
    return {name: value for name, value in event.items() if value is not None}


def _local(instant: datetime) -> str:
    """As the examples of version 2 have it: a numeric offset, and no fraction."""
    return instant.astimezone(BELGIUM).isoformat(timespec="seconds")


def _away(reason: str, wait: float | None = None) -> EventServiceResponse:
    return EventServiceResponse(Verdict.OUTAGE, reason, wait)


def _judged(answer: Answer, now: datetime) -> EventServiceResponse:
    status = answer.status
    if status == _KNOWN:
        return EventServiceResponse(Verdict.DUPLICATE)
    if status in _ACCEPTED:
        reason = _nonsense(answer)
        if reason is None:
            return EventServiceResponse(Verdict.SUCCESS)
    elif status in (401, 403):
        reason = f"our credentials are refused with status {status}"
    elif 400 <= status < 500 and status not in _ILL:
        return EventServiceResponse(Verdict.REFUSAL, f"status {status}{_why(answer.body)}")
    else:
        reason = f"status {status}"
    return _away(reason, _wait(answer.retry_after, now))


def _nonsense(answer: Answer) -> str | None:
    """Why a success is none; events would be lost if a gateway's words were taken for one."""
    if not answer.body:  # which frameworks like to call text/html
        return None
    if answer.media_type in _HTML or _PAGE.match(answer.body):
        return "a page for people"
    is_json = answer.media_type == "application/json" or answer.media_type.endswith("+json")
    if is_json and len(answer.body) <= LIMIT and _read(answer.body) is _BROKEN:
        return "not the JSON it claims to be"
    return None


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return _BROKEN


def _why(body: bytes) -> str:
    """The service's own words, fit for a log: one line, not long, without an SSIN."""
    members = _read(body)
    if not isinstance(members, dict):
        return ""
    said = next((text for text in map(members.get, _WORDS) if isinstance(text, str) and text), "")
    plain = "".join(letter for letter in said if letter.isprintable())
    text = mask_personal_numbers(plain)[:LONGEST_REASON].strip()
    return f": {text}" if text else ""


def _wait(retry_after: str | None, now: datetime) -> float | None:
    """The seconds of a Retry-After header, in either of its forms (RFC 9110 section 10.2.3)."""
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None
    wait = seconds.total_seconds()
    return min(wait, LONGEST_WAIT) if wait >= 0 else None
