"""Domain values → JSON responses, written by orjson."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson
from flask import Response, request
from marshmallow import Schema

from registry.api.context import base_url
from registry.api.responses.serializers import dumper

_OPTIONS: Final = orjson.OPT_OMIT_MICROSECONDS  # date-times to the second, as the schemas say
_PRIVATE: Final = {"Cache-Control": "no-store"}
_CACHED: Final = {"Cache-Control": "public, no-transform, proxy-revalidate, max-age=86400"}


def shown(value: Any, schema: type[Schema]) -> Response:
    """One object, shown by its schema."""
    return answered(dumper(schema)(value, base_url()))


def listed(values: Iterable[Any], total: int, schema: type[Schema]) -> Response:
    """A page of a list (contract 6.3)."""
    dump, base = dumper(schema), base_url()
    return answered({"items": [dump(value, base) for value in values], "totalItems": total})


def arrayed(values: Iterable[Any], schema: type[Schema]) -> Response:
    """A list without anything around it."""
    dump, base = dumper(schema), base_url()
    return answered([dump(value, base) for value in values])


def answered(members: Any, headers: Mapping[str, str] = _PRIVATE) -> Response:
    """A JSON answer; nobody may keep it unless `headers` say so."""
    content = orjson.dumps(members, option=_OPTIONS)
    return Response(content, mimetype="application/json", headers=dict(headers))


def cacheable(response: Response) -> Response:
    """The same answer for reference data: kept by anyone (contract 4.18), 304 when unchanged."""
    tag = sha256(response.get_data()).hexdigest()[:32]
    response.headers.update(_CACHED)
    response.set_etag(tag)
    if request.if_none_match.contains_weak(tag):
        response.status_code = 304
    return response
