"""Holds answers against the OpenAPI document; unknown members are no fault, as for any client."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from jsonschema_rs import Draft202012Validator

from registry.conformance.contract.documents import load_document
from registry.conformance.exchange.exchange import Exchange

_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE | re.ASCII)
_MOST: Final = 4  # faults of one answer that are told
# What a registry may leave out, and what any may answer beside what is described.
_ANY_STATUS: Final = frozenset({404, 405, 408, 414, 429, 431, 501, 502, 503, 504})


class ResponseJudge:
    """Knows what the document of a version promises; texts of faults hold no values."""

    def __init__(self, version: str, base: str) -> None:
        self._document = load_document(version)
        self._base = base
        self._validate = cache(self._make_validator)
        self._components = cache(
            lambda: _open({"schemas": self._document["components"]["schemas"]})
        )

    def find_template(self, exchange: Exchange) -> str | None:
        """Find the path of the document that a request is for; None when there is none."""
        path = exchange.url.partition("?")[0].removeprefix(self._base)
        for template in sorted(self._document["paths"], key=lambda path: path.count("{")):
            if _fits(template.split("/"), path.split("/")):
                return str(template)
        return None

    def list_faults(self, exchange: Exchange) -> list[str]:
        """List what the document does not promise of this answer."""
        template = self.find_template(exchange)
        method = "get" if exchange.method == "HEAD" else exchange.method.lower()
        operation = self._document["paths"].get(template, {}).get(method)
        if operation is None or not exchange.is_whole or exchange.method == "HEAD":
            return []
        response = self._resolve(operation["responses"].get(str(exchange.status)))
        if response is None:
            is_usual = exchange.status in _ANY_STATUS
            return [] if is_usual else [f"the status {exchange.status} is not one it may have"]
        return self._list_body_faults(exchange, response)

    def _list_body_faults(self, exchange: Exchange, response: dict[str, Any]) -> list[str]:
        content = response.get("content", {})
        if not content:
            return ["there should be no body"] if exchange.body else []
        if exchange.media_type not in content:
            choice = next(iter(content)) if len(content) < 3 else "one of those it may have"
            return [f"{exchange.media_type or 'no media type'} instead of {choice}"]
        if not exchange.media_type.endswith("json"):
            return []
        schema = content[exchange.media_type].get("schema", {})
        errors = self._validate(json.dumps(schema)).iter_errors(exchange.json())
        return list(_describe_errors(errors))[:_MOST]

    def _make_validator(self, schema: str) -> Draft202012Validator:
        root = {"allOf": [_open(json.loads(schema))], "components": self._components()}
        formats = {
            "date": _holds(date.fromisoformat),
            "date-time": lambda text: (
                bool(_DATE_TIME.fullmatch(text)) and _holds(datetime.fromisoformat)(text)
            ),
            "uuid": _holds(UUID),
            "uri": lambda text: bool(_URI.fullmatch(text)),
        }
        return Draft202012Validator(root, formats=formats, validate_formats=True, mask="…")

    def _resolve(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node


def _fits(template: list[str], path: list[str]) -> bool:
    """Tell if a path has the segments of a template, or any text for its parameters."""
    return len(template) == len(path) and all(
        bool(own) if pattern.startswith("{") else own == pattern
        for pattern, own in zip(template, path, strict=True)
    )


def _describe_errors(errors: Any) -> Iterator[str]:
    for error in errors:
        path = "/".join("*" if isinstance(step, int) else step for step in error.instance_path)
        yield f"{path or 'the body'}: {error.message}"


def _open(node: Any) -> Any:
    """Make JSON Schema 2020-12 of OpenAPI 3.0, and leave all objects open."""
    if isinstance(node, list):
        return [_open(child) for child in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _open(child)
        for key, child in node.items()
        if key not in ("nullable", "additionalProperties", "example", "examples")
    }
    if node.get("nullable") is True:
        plain["type"] = [node["type"], "null"]
    return plain


def _holds(parse: Any) -> Any:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check
