"""The contract itself, served beside what it describes `[doc-refdata]`."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import yaml
from flask import Blueprint, Response
from marshmallow import Schema
from werkzeug.exceptions import NotAcceptable

from registry.api.place import base_url
from registry.api.requests.parameters import reads
from registry.api.responses.json_response import accepts


def add_resources(blueprint: Blueprint, document: str, path: Schema) -> None:
    """Route the two forms of `document`, a file of the folder `openapi`."""

    @blueprint.get("/doc/openapi.yaml")
    @reads(path)
    def get_openapi_yaml() -> Response:
        return _render(_dump_yaml(document, base_url()), "application/yaml")

    @blueprint.get("/doc/openapi.json")
    @reads(path)
    def get_openapi_json() -> Response:
        return _render(_dump_json(document, base_url()), "application/json")


@cache
def load_contract(document: str) -> dict[str, Any]:
    """Load the document; in an installed package it lies inside, in a checkout beside it."""
    inside = files("registry") / "openapi" / document
    beside = Path(__file__).parents[2] / "openapi" / document
    text = inside.read_text() if inside.is_file() else beside.read_text()
    # The loader in C: that in Python takes five times as long.
    members: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return members


@cache
def _dump_yaml(document: str, url: str) -> bytes:
    """Write the document as served at `url`; once, since that takes half a second."""
    text = yaml.safe_dump(_set_server(document, url), sort_keys=False, allow_unicode=True)
    return text.encode()


@cache
def _dump_json(document: str, url: str) -> bytes:
    return orjson.dumps(_set_server(document, url))


def _set_server(document: str, url: str) -> dict[str, Any]:
    return {**load_contract(document), "servers": [{"url": url}]}


def _render(content: bytes, media_type: str) -> Response:
    if not accepts(media_type):
        raise NotAcceptable
    return Response(content, content_type=media_type)
