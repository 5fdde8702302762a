"""The bodies of this application's requests: how much they may hold, and JSON out of them."""

from typing import Any, Final, cast

from flask import current_app, request
from marshmallow import Schema

from registry.api.context import version
from registry.api.requests import strict_json
from registry.api.requests.json_body import BodyRules, load
from registry.api.requests.multipart import Limits
from registry.domain.errors import Invalid, TooLarge, UnsupportedMediaType

LIMITS: Final = "body limits"
RULES: Final = "body rules"


def body_limits() -> Limits:
    """How much a body of this version may hold (contract 6.24)."""
    return cast(Limits, current_app.extensions[LIMITS][version()])


def body_rules() -> BodyRules:
    """How long texts may be, and whether check digits are looked at (contract 4.9, 6.31)."""
    return cast(BodyRules, current_app.extensions[RULES][version()])


def read_bytes() -> bytes:
    """The body of this request; raises `TooLarge` beyond what a description may have."""
    limit = body_limits().message
    content = request.stream.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(limit, "A request")
    return content


def read_json(schema: Schema, *media_types: str) -> Any:
    """What the schema makes of this request's JSON body; raises `Invalid` with every fault.

    The body calls itself one of the media types, application/json if none is named. It is an array
    when the schema is one of many.
    """
    if request.mimetype not in (media_types or ("application/json",)):
        raise UnsupportedMediaType
    under = "body" if schema.many else ""
    read = strict_json.parse_array if schema.many else strict_json.parse
    members = read(read_bytes(), under=under)
    value, issues = load(schema, members, rules=body_rules(), under=under)
    if issues:
        raise Invalid(issues)
    return value
