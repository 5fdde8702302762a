"""The bodies of this application's requests: how much they may hold, and JSON out of them."""

from typing import Any

from flask import request
from marshmallow import Schema

from registry.api.place import place
from registry.api.requests import strict_json
from registry.api.requests.json_body import BodyRules, load
from registry.api.requests.multipart import BodyLimits
from registry.api.state import get_state
from registry.domain.errors import Invalid, TooLarge, UnsupportedMediaType


def body_limits() -> BodyLimits:
    """Give the limits of bodies in this version (contract 6.24)."""
    return get_state().body_limits[place().version]


def body_rules() -> BodyRules:
    """Give the lengths of texts, and the look at check digits, of this version (4.9, 6.31)."""
    return get_state().body_rules[place().version]


def read_bytes() -> bytes:
    """Read the body of this request; raises `TooLarge` beyond what a description may have."""
    limit = body_limits().message
    # One byte more tells a body that is too large from one that just fits.
    content = request.stream.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(limit, "A request")
    return content


def read_json(schema: Schema, *media_types: str) -> Any:
    """Load this request's JSON body by the schema; raises `Invalid` with every fault.

    The body calls itself one of the media types, application/json if none is named. It is an array
    when the schema is one of many.
    """
    if request.mimetype not in (media_types or ("application/json",)):
        raise UnsupportedMediaType
    under = "body" if schema.many else ""
    parse = strict_json.parse_array if schema.many else strict_json.parse
    members = parse(read_bytes(), under=under)
    value, issues = load(schema, members, rules=body_rules(), under=under)
    if issues:
        raise Invalid(issues)
    return value
