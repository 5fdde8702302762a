"""Domain values → JSON responses, written by orjson."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson
from flask import Response, request
from marshmallow import Schema
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

from registry.api.place import base_url
from registry.api.responses.serializers import get_dumper

_MEDIA_TYPE: Final = "application/json"
_OPTIONS: Final = orjson.OPT_OMIT_MICROSECONDS  # date-times to the second, as the schemas say
_PRIVATE: Final = {"Cache-Control": "no-store"}
_PUBLIC: Final = {"Cache-Control": "public, no-transform, proxy-revalidate, max-age=86400"}


def render_object(value: Any, schema: type[Schema]) -> Response:
    """Render one object by its schema."""
    return render_json(get_dumper(schema)(value, base_url()))


def render_list(values: Iterable[Any], total: int, schema: type[Schema]) -> Response:
    """Render a page of a list (contract 6.3)."""
    dump, base = get_dumper(schema), base_url()
    return render_json({"items": [dump(value, base) for value in values], "totalItems": total})


def render_array(values: Iterable[Any], schema: type[Schema]) -> Response:
    """Render a list without anything around it."""
    dump, base = get_dumper(schema), base_url()
    return render_json([dump(value, base) for value in values])


def render_json(members: Any, headers: Mapping[str, str] = _PRIVATE) -> Response:
    """Render members as JSON; nobody may keep it unless `headers` say so."""
    content = orjson.dumps(members, option=_OPTIONS)
    return Response(content, mimetype=_MEDIA_TYPE, headers=dict(headers))


def make_cacheable(response: Response) -> Response:
    """Let anyone keep an answer with reference data (contract 4.18); 304 when it is unchanged."""
    # 128 bits are enough to tell two answers apart.
    tag = sha256(response.get_data()).hexdigest()[:32]
    response.headers.update(_PUBLIC)
    response.set_etag(tag)
    if request.if_none_match.contains_weak(tag):
        # Nothing more is needed: werkzeug sends no body with a 304.
        response.status_code = 304
    return response


def accepts(media_type: str) -> bool:
    """Tell if the client takes this media type; a client that says nothing takes all.

    Parameters are not looked at: whoever asks for JSON in UTF-8 gets what he asks for.
    """
    if request.headers.get("Accept") in (None, "", "*/*"):
        return True
    accepted_types = [
        (kind.partition(";")[0], quality) for kind, quality in request.accept_mimetypes
    ]
    return bool(MIMEAccept(accepted_types)[media_type])


def check_accept() -> None:
    """Refuse a client that takes no JSON; documents and logos check for their own media type."""
    # Their views know the media type only when they have found the document.
    is_document = (request.endpoint or "").endswith(("content", "image"))
    if request.method != "OPTIONS" and not is_document and not accepts(_MEDIA_TYPE):
        raise NotAcceptable
