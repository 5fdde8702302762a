"""Domain values → JSON responses, written by orjson."""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson
from flask import Response, request
from marshmallow import Schema
from werkzeug.exceptions import NotAcceptable

from registry.api.place import base_url
from registry.api.responses.preconditions import check_if_match
from registry.api.responses.serializers import get_dumper

_MEDIA_TYPE: Final = "application/json"
_WEIGHT: Final = re.compile(r"q\s?=\s?([0-9]{1,3}\.?[0-9]{0,9}|\.[0-9]{1,9})")
_OPTIONS: Final = orjson.OPT_OMIT_MICROSECONDS  # date-times to the second, as the schemas say
_PIECE: Final = 1 << 16  # bytes
MINIMUM: Final = "Total-Items-Is-Minimum"
_PRIVATE: Final = {"Cache-Control": "no-store"}
_PUBLIC: Final = {"Cache-Control": "public, no-transform, proxy-revalidate, max-age=86400"}


def render_object(value: Any, schema: type[Schema]) -> Response:
    """Render one object by its schema."""
    return render_json(get_dumper(schema)(value, base_url()))


def render_list(
    values: Iterable[Any], total: int, schema: type[Schema], *, is_total_exact: bool = True
) -> Response:
    """Render a page of a list (contract 6.3), which is held once: as bytes, in pieces.

    A total that is not exact is the least there are, and a header says so.
    """
    dump, base = get_dumper(schema), base_url()
    items = (orjson.dumps(dump(value, base), option=_OPTIONS) for value in values)
    pieces = list(_write_pieces(items, total))
    headers = _PRIVATE if is_total_exact else {**_PRIVATE, MINIMUM: "true"}
    # werkzeug adds up the length of the pieces
    return Response(pieces, mimetype=_MEDIA_TYPE, headers=dict(headers))


def _write_pieces(items: Iterable[bytes], total: int) -> Iterator[bytes]:
    """Write a page around its items, in pieces of 64 KiB or one item: a usual page is one piece."""
    piece = bytearray(b'{"items":[')
    for number, item in enumerate(items):
        if len(piece) + len(item) > _PIECE:
            yield bytes(piece)
            piece.clear()
        piece += b"," + item if number else item
    piece += b'],"totalItems":%d}' % total
    yield bytes(piece)


def render_array(values: Iterable[Any], schema: type[Schema]) -> Response:
    """Render a list without anything around it."""
    dump, base = get_dumper(schema), base_url()
    return render_json([dump(value, base) for value in values])


def render_json(members: Any, headers: Mapping[str, str] = _PRIVATE) -> Response:
    """Render members as JSON; nobody may keep it unless `headers` say so."""
    content = orjson.dumps(members, option=_OPTIONS)
    return Response(content, mimetype=_MEDIA_TYPE, headers=dict(headers))


def render_nothing(status: int = 204) -> Response:
    """Render an answer without content, and so without the type that Flask gives even that."""
    response = Response(status=status, headers=dict(_PRIVATE))
    del response.headers["Content-Type"]
    return response


def make_cacheable(response: Response) -> Response:
    """Let anyone keep an answer with reference data (contract 4.18); 304 when unchanged, or 412."""
    # 128 bits are enough to tell two answers apart.
    tag = sha256(response.get_data()).hexdigest()[:32]
    check_if_match(tag)
    response.headers.update(_PUBLIC)
    response.set_etag(tag)
    if request.if_none_match.contains_weak(tag):
        # Nothing more is needed: werkzeug sends no body with a 304.
        response.status_code = 304
    return response


def accepts(media_type: str) -> bool:
    """Tell if the client takes this media type; a client that says nothing takes all.

    The most specific range that fits decides (RFC 9110, 12.5.1). Parameters other than weights are
    not looked at, and what is malformed refuses nothing: `*; q=.2` is what old Java sends.
    """
    ranges = _parse_accept(request.headers.get("Accept", ""))
    family = media_type.partition("/")[0]
    weights = (ranges[one] for one in (media_type, f"{family}/*", "*/*", "*") if one in ranges)
    return next(weights, 0 if ranges else 1) > 0


def _parse_accept(header: str) -> dict[str, float]:
    """Parse media ranges and their weights, the greatest where a range stands twice."""
    ranges: dict[str, float] = {}
    for entry in header.lower().split(","):
        media_range, *parameters = (part.strip() for part in entry.split(";"))
        if "/" in media_range or media_range == "*":
            weight = next(filter(None, map(_WEIGHT.fullmatch, parameters)), None)
            ranges[media_range] = max(ranges.get(media_range, 0), float(weight[1]) if weight else 1)
    return ranges


def check_accept() -> None:
    """Refuse a client that takes no JSON; bytes are refused to nobody (contract 6.28)."""
    if request.method != "OPTIONS" and not is_for_bytes() and not accepts(_MEDIA_TYPE):
        raise NotAcceptable


def is_for_bytes() -> bool:
    """Tell if the request is for a document or an image, and not for JSON."""
    return (request.endpoint or "").endswith(("content", "image"))
