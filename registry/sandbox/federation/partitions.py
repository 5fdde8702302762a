"""The Partition API v1 as contracts 3.2, 6.16 and 6.17 have it, in large part reconstructed."""

from collections.abc import Callable
from typing import Any

from authlib.integrations.flask_oauth2 import ResourceProtector
from flask import Blueprint, Response, jsonify, request

from registry.sandbox.federation.problems import problem
from registry.sandbox.federation.records import JsonFile

Ebox = dict[str, Any]


def partition_api(
    register: JsonFile, mandates: JsonFile, protector: ResourceProtector
) -> Blueprint:
    """Partitions, rights, rules and mandates; any valid bearer token may ask."""
    blueprint = Blueprint("partitions", __name__)

    def of(enterprise: str, select: Callable[[Ebox], list[dict[str, Any]]]) -> Response:
        ebox = register.get(enterprise)
        if ebox is None:
            return problem(404, f"There is no e-Box of enterprise {enterprise}.")
        items = select(ebox)
        return jsonify(items=items, totalItems=len(items))

    @blueprint.get("/ebox/<enterprise>/partitions")
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def partitions(enterprise: str) -> Response:
        return of(enterprise, lambda ebox: [{"partition": name} for name in ebox["partitions"]])

    @blueprint.get("/ebox/<enterprise>/users/<ssin>/partitions")
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def rights(enterprise: str, ssin: str) -> Response:
        return of(
            enterprise,
            lambda ebox: [
                {"partition": name, "rights": ["consult"]} for name in ebox["users"].get(ssin, [])
            ],
        )

    @blueprint.get("/ebox/<enterprise>/routingRules")
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def rules(enterprise: str) -> Response:
        return of(enterprise, lambda ebox: ebox.get("routingRules", []))

    _add_mandates(blueprint, mandates, protector)
    return blueprint


def _add_mandates(blueprint: Blueprint, mandates: JsonFile, protector: ResourceProtector) -> None:
    @blueprint.get("/ebox/<enterprise>/hasMandate")
    @protector()  # type: ignore[untyped-decorator] # Authlib has no types
    def mandate(enterprise: str) -> Response:
        # As the federation's page has it, whatever the names say: the path has the enterprise of
        # the token that publishes, and the query the one that the header names (contract 6.16).
        other, operation = map(request.args.get, ("mandataryEnterpriseNumber", "operation"))
        if not other or not operation:
            return problem(400, "mandataryEnterpriseNumber and operation are required.")
        mandate_needed = {"mandatary": enterprise, "mandator": other, "operation": operation}
        return jsonify(hasMandate=mandate_needed in (mandates.get("mandates") or []))
