"""The contract itself, served beside what it describes `[doc-refdata]`."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import yaml
from flask import Blueprint, Response

from registry.api.context import base_url


def add_resources(blueprint: Blueprint, document: str) -> None:
    """Route the two forms of `document`, a file of the folder `openapi`."""

    @blueprint.get("/doc/openapi.yaml")
    def get_openapi_yaml() -> Response:
        text = yaml.safe_dump(_here(document), sort_keys=False, allow_unicode=True)
        return Response(text, mimetype="application/yaml")

    @blueprint.get("/doc/openapi.json")
    def get_openapi_json() -> Response:
        return Response(orjson.dumps(_here(document)), mimetype="application/json")


@cache
def contract(document: str) -> dict[str, Any]:
    """The parsed document; in an installed package it lies inside, in a checkout beside it."""
    packaged = files("registry") / "openapi" / document
    beside = Path(__file__).parents[2] / "openapi" / document
    text = packaged.read_text() if packaged.is_file() else beside.read_text()
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded


def _here(document: str) -> dict[str, Any]:
    return {**contract(document), "servers": [{"url": base_url()}]}
