"""The page at /doc/, on which people read the interface and try it with a token of their own.

Swagger UI (Apache-2.0) draws it. Nothing comes from elsewhere, and nothing in the page is a script
or a style by itself: its policy lets it load the files of this folder, and call this registry.
"""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import NotAcceptable, NotFound

from registry.api.place import PlacedBlueprint, place
from registry.api.responses.json_response import accepts
from registry.domain.identifiers import EboxKind

_MEDIA_TYPES: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_SAFE: Final = {
    # `data:` are the small pictures in the style of Swagger UI.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ALWAYS_ASKED: Final = "no-cache"
_KEPT: Final = "public, max-age=31536000, immutable"  # a changed file has another URL
_FAMILIES: Final = {EboxKind.ENTERPRISE: "Enterprises", EboxKind.CITIZEN: "Citizens"}


def add_page(blueprint: Blueprint) -> None:
    """Route the page and its files."""
    blueprint.get("/doc/", strict_slashes=False)(get_doc_page)
    blueprint.get("/doc/<digest>/<name>")(get_doc_file)


def get_doc_page() -> Response:
    """Show the interface of this base path; whoever has the page asks if it is still the same."""
    if not accepts("text/html"):
        raise NotAcceptable
    response = _render(_write_page().encode(), "text/html", _ALWAYS_ASKED)
    response.add_etag()
    response.make_conditional(request)
    return response


def get_doc_file(digest: str, name: str) -> Response:
    """Give a file of the page; `digest` is that of all of them."""
    if name not in _MEDIA_TYPES or digest != _compute_digest():
        raise NotFound
    return _render(_read_files()[name], _MEDIA_TYPES[name], _KEPT)


def _render(content: bytes, media_type: str, caching: str) -> Response:
    response = Response(content, mimetype=media_type, headers=_SAFE)
    response.headers["Cache-Control"] = caching
    return response


def _write_page() -> str:
    here = place()
    base = _find_path(here)
    return Template(files(__name__).joinpath("page.html").read_text("utf-8")).substitute(
        title=escape(_name_interface(here)),
        files=escape(f"{base}/doc/{_compute_digest()}"),
        links="".join(_list_links(here)),
        document=escape(f"{base}/doc/openapi.json"),
        yaml=escape(f"{base}/doc/openapi.yaml"),
        base=escape(base),
    )


def _list_links(here: PlacedBlueprint) -> Iterator[str]:
    """List links to the pages of all families and versions, which are on or off together."""
    places = {
        _find_path(one): one
        for one in current_app.blueprints.values()
        if isinstance(one, PlacedBlueprint)
    }
    for path, one in places.items():
        current = ' aria-current="page"' if path == _find_path(here) else ""
        yield f'<a href="{escape(path)}/doc/"{current}>{escape(_name_interface(one))}</a>'


def _name_interface(one: PlacedBlueprint) -> str:
    return f"{_FAMILIES[one.kind]} {one.version}"


def _find_path(one: PlacedBlueprint) -> str:
    return urlsplit(one.base_url).path


@cache
def _read_files() -> dict[str, bytes]:
    """Read the files of the page, 2 MB, by their names."""
    folder = files(__name__)
    folders = (folder, folder / "swagger_ui")
    return {
        one.name: one.read_bytes()
        for room in folders
        for one in room.iterdir()
        if one.name in _MEDIA_TYPES
    }


@cache
def _compute_digest() -> str:
    """Compute a digest of all files, in 16 digits, by which a URL changes with them."""
    content = b"".join(content for _, content in sorted(_read_files().items()))
    return sha256(content).hexdigest()[:16]
