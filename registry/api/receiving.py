"""The bodies of this application's requests: how much they may hold, and JSON out of them."""

from typing import Any, Final, cast

from flask import current_app, request
from marshmallow import Schema

from registry.api import strictjson
from registry.api.bodies import BodyRules, load
from registry.api.multipart import Limits
from registry.domain.errors import Invalid, TooLarge, UnsupportedMediaType

LIMITS: Final = "body limits"
RULES: Final = "body rules"


def body_limits() -> Limits:
    """How many bytes a body may hold (contract 6.24)."""
    return cast(Limits, current_app.extensions[LIMITS])


def body_rules() -> BodyRules:
    """How long texts may be, and whether check digits are looked at (contract 4.9, 6.31)."""
    return cast(BodyRules, current_app.extensions[RULES])


def read_bytes() -> bytes:
    """The body of this request; raises `TooLarge` beyond what a description may have."""
    limit = body_limits().message
    content = request.stream.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(limit, "A request")
    return content


def read_json(schema: Schema) -> Any:
    """What the schema makes of this request's JSON body; raises `Invalid` with every fault."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    value, issues = load(schema, strictjson.parse(read_bytes()), rules=body_rules())
    if issues:
        raise Invalid(issues)
    return value
