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

from registry.api.context import base_url
from registry.api.negotiation import accepts
from registry.api.requests.parameters import reads


def add_resources(blueprint: Blueprint, document: str, path: Schema) -> None:
    """Route the two forms of `document`, a file of the folder `openapi`."""

    @blueprint.get("/doc/openapi.yaml")
    @reads(path)
    def get_openapi_yaml() -> Response:
        return _shown(_in_yaml(document, base_url()), "application/yaml")

    @blueprint.get("/doc/openapi.json")
    @reads(path)
    def get_openapi_json() -> Response:
        return _shown(_in_json(document, base_url()), "application/json")


@cache
def contract(document: str) -> dict[str, Any]:
    """The parsed document; in an installed package it lies inside, in a checkout beside it."""
    packaged = files("registry") / "openapi" / document
    beside = Path(__file__).parents[2] / "openapi" / document
    text = packaged.read_text() if packaged.is_file() else beside.read_text()
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded


@cache
def _in_yaml(document: str, url: str) -> bytes:
    """The document as served at `url`; written once, since that takes half a second."""
    text = yaml.safe_dump(_served_at(document, url), sort_keys=False, allow_unicode=True)
    return text.encode()


@cache
def _in_json(document: str, url: str) -> bytes:
    return orjson.dumps(_served_at(document, url))


def _served_at(document: str, url: str) -> dict[str, Any]:
    return {**contract(document), "servers": [{"url": url}]}


def _shown(content: bytes, media_type: str) -> Response:
    if not accepts(media_type):
        raise NotAcceptable
    return Response(content, content_type=media_type)
