"""The e-Box Event Service v2 of contract 3.3: takes events, and shows what it took."""

import re
from collections.abc import Callable, Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import orjson
from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from flask import Blueprint, Response, request

from registry.sandbox.federation.addresses import EVENTS, EVENTS_TAKEN, POISON
from registry.sandbox.federation.event_store import CORRELATION, EventStore

LARGEST: Final = 1000  # events of a batch; no limit is published

_TYPES: Final = frozenset(
    {"newDocument", "newDocumentReminder", "readDocument", "documentExpirationAlert"}
)
_NUMBER: Final = re.compile(r"[0-9]{10}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INSTANT: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}[+-][0-9]{2}:[0-9]{2}")


def event_service(store: EventStore, protector: ResourceProtector) -> Blueprint:
    """One operation, for any valid bearer token, and the controls of the stand-in."""
    blueprint = Blueprint("events", __name__)

    @blueprint.post(EVENTS)
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def tell() -> Response:
        return _take_events(store, request.get_data(), current_token.client.client_id)

    @blueprint.get(EVENTS_TAKEN)
    def show() -> Response:
        if request.args.get("count") == "true":
            return _json({"count": len(store)})
        after = request.args.get("after", 0, type=int)
        return Response(store.after(after), content_type="application/json")

    @blueprint.delete(EVENTS_TAKEN)
    def forget() -> Response:
        store.forget()
        return Response(status=204)

    @blueprint.get(POISON)
    def poison() -> Response:
        return _json(sorted(store.poison))

    @blueprint.put(POISON)
    def set_poison() -> Response:
        ids = _parse(request.get_data())
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            return _refusal(400, "A list of messageIds is needed.")
        store.poison = frozenset(ids)
        return poison()

    return blueprint


def _take_events(store: EventStore, body: bytes, provider: str) -> Response:
    events = _parse(body)
    if not isinstance(events, list):
        return _refusal(400, "The body must be a JSON array of events.")
    if len(events) > LARGEST:
        return _refusal(413, f"A batch has at most {LARGEST} events.")
    if detail := _fault(events):
        return _refusal(400, detail)
    if store.poison and any(event["messageId"] in store.poison for event in events):
        return _refusal(400, "An event was refused")
    last = store.take(events, provider, request.headers.get("traceparent"))
    if last is None:
        return _refusal(409, "An eventCorrelationId was used before.")
    # What is said with a 201 is not published; nothing at all would leave nothing to dribble.
    return _json({"accepted": len(events), "lastSequenceNbr": last}, 201)


def _fault(events: list[Any]) -> str | None:
    """Say what is wrong with the first event that is; members that we do not know are fine."""
    for index, event in enumerate(events):
        if not isinstance(event, dict):
            return f"[{index}] is not an object."
        for name, holds, requirement in _CHECKS:
            if name not in event:
                if name in _MANDATORY:
                    return f"[{index}].{name} is missing."
            elif not holds(event[name]):
                return f"[{index}].{name} is not {requirement}."
    return None


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_translated(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _one_of(values: Collection[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


_WHEN: Final = "a date and time without a fraction and with an offset such as +01:00"
_MANDATORY: Final = frozenset(
    {"eventType", "enterpriseId", "messageId", "receiptDate", "expirationDate", "registeredMail"}
)
# A line a member: its name, what must hold of it, and how a refusal says so.
_CHECKS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    ("eventType", _one_of(_TYPES), f"one of {', '.join(sorted(_TYPES))}"),
    (CORRELATION, _matching(_UUID), "a UUID"),
    ("enterpriseId", _matching(_NUMBER), "ten digits"),
    ("messageId", lambda value: _is_text(value) and value != "", "a text"),
    ("receiptDate", _is_instant, _WHEN),
    ("expirationDate", _is_instant, _WHEN),
    ("registeredMail", lambda value: isinstance(value, bool), "true or false"),
    ("messageTypeId", _is_text, "a text"),
    ("senderOrganizationId", _is_text, "a text"),
    ("senderApplicationId", _is_text, "a text"),
    ("subject", _is_translated, "a text for each language"),
)


def _refusal(status: int, detail: str) -> Response:
    answer = _json({"title": HTTPStatus(status).phrase, "status": status, "detail": detail}, status)
    answer.mimetype = "application/problem+json"
    return answer


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, content_type="application/json")


def _parse(body: bytes) -> Any:
    """Parse the JSON; None when it is none."""
    try:
        return orjson.loads(body)
    except ValueError:
        return None
