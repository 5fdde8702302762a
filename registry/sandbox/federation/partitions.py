"""The Partition API v1 as contract 6.17 reconstructs it: partitions and rights on them."""

from typing import Any

from authlib.integrations.flask_oauth2 import ResourceProtector
from flask import Blueprint, Response, jsonify

from registry.sandbox.federation.records import JsonFile


def partition_api(register: JsonFile, protector: ResourceProtector) -> Blueprint:
    """The two questions of this issue; any valid bearer token may ask them."""
    blueprint = Blueprint("partitions", __name__)

    @blueprint.get("/ebox/<enterprise>/partitions")
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def partitions(enterprise: str) -> Response:
        ebox = register.get(enterprise)
        if ebox is None:
            return _unknown(enterprise)
        return _items([{"partition": name} for name in ebox["partitions"]])

    @blueprint.get("/ebox/<enterprise>/users/<ssin>/partitions")
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def rights(enterprise: str, ssin: str) -> Response:
        ebox = register.get(enterprise)
        if ebox is None:
            return _unknown(enterprise)
        readable = ebox["users"].get(ssin, [])
        return _items([{"partition": name, "rights": ["consult"]} for name in readable])

    return blueprint


def _items(items: list[dict[str, Any]]) -> Response:
    return jsonify(items=items, totalItems=len(items))


def _unknown(enterprise: str) -> Response:
    response = jsonify(
        type="urn:problem-type:belgif:resourceNotFound",
        title="Resource not found",
        status=404,
        detail=f"There is no e-Box of enterprise {enterprise}.",
    )
    response.status_code = 404
    response.mimetype = "application/problem+json"
    return response
