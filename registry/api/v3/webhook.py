"""The webhook: the federation tells one CloudEvent a call (contract 3.5, 6.19)."""

from typing import Any, Final

from flask import Blueprint, Response, request

from registry.api.authentication import needs
from registry.api.context import call, registry
from registry.api.requests import strict_json
from registry.api.requests.body import read_bytes
from registry.api.requests.json_body import load
from registry.api.requests.parameters import reads
from registry.api.responses.json_response import render_nothing
from registry.api.v3.schemas.events import EventDataSchema, NotificationSchema
from registry.api.v3.schemas.parameters import PathSchema
from registry.domain.access import Operation
from registry.domain.errors import Invalid, Issue, UnsupportedMediaType, UpstreamInvalid
from registry.domain.identifiers import Ebox
from registry.domain.notifications import Notification

_CLOUDEVENT: Final = "application/cloudevents+json"
_JSON: Final = "application/json"
_ATTRIBUTES: Final = ("specversion", "id", "source", "type", "time")
_PATH: Final = PathSchema()


def add_resources(blueprint: Blueprint) -> None:
    """Route the webhook."""
    blueprint.post("/eventNotifications")(notify)


@needs(Operation.NOTIFY)
@reads(_PATH)
def notify() -> Response:
    """Apply an event; a duplicate or an old one is taken and ignored."""
    notification = _read_notification()
    registry().routing.apply(call(204), notification, _read_ebox(notification))
    return render_nothing()


def _read_ebox(notification: Notification) -> Ebox:
    """Read the e-Box that an event is about; nothing can be done about one that names none."""
    try:
        number = registry().routing.events.find_enterprise(notification.data)
    except UpstreamInvalid:
        # The service blames the federation's server; here the members came with the request.
        fault = "data names two enterprises"
        raise Invalid([Issue("body", "data.enterpriseNumber", fault)]) from None
    members = {} if number is None else {"enterpriseNumber": number}
    ebox, issues = load(EventDataSchema(), members, under="data")
    if issues:
        raise Invalid(issues)
    typed_ebox: Ebox = ebox
    return typed_ebox


def _read_notification() -> Notification:
    """Read the event, in structured or binary mode (CloudEvents HTTP binding 1.0, section 3)."""
    if request.mimetype not in (_CLOUDEVENT, _JSON):
        raise UnsupportedMediaType
    # CloudEvents allows null attributes; the schema drops them.
    members = strict_json.parse(read_bytes(), nulls=True)
    if request.mimetype == _JSON and "Ce-Id" in request.headers:
        members = _read_attributes(members)
    notification, issues = load(NotificationSchema(), members)
    if issues:
        raise Invalid(issues)
    typed_notification: Notification = notification
    return typed_notification


def _read_attributes(data: dict[str, Any]) -> dict[str, Any]:
    attributes = {name: request.headers.get(f"Ce-{name}") for name in _ATTRIBUTES}
    return {**{name: value for name, value in attributes.items() if value}, "data": data}
