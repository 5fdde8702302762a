"""The Federation WS v1 of contract 3.4: who opened his e-Box, and who accepted its terms."""

from typing import Any

from authlib.integrations.flask_oauth2 import ResourceProtector
from flask import Blueprint, Response, jsonify, request

from registry.sandbox.federation.addresses import PREFERENCE_SCOPE
from registry.sandbox.federation.problems import problem
from registry.sandbox.federation.records import JsonFile


def federation_ws(register: JsonFile, protector: ResourceProtector) -> Blueprint:
    """Two searches, for bearers of the one scope that is known."""
    blueprint = Blueprint("preferences", __name__)

    @blueprint.post("/eboxPreferences/search")
    @protector(PREFERENCE_SCOPE)  # type: ignore[untyped-decorator] # Authlib has no types
    def preferences() -> Response:
        asked = _members()
        numbers = _strings(asked.get("eboxIdValueList"))
        kind = (asked.get("eboxType"), asked.get("eboxIdType"))
        if numbers is None or kind != ("ENTERPRISE", "EnterpriseNumber"):
            return problem(
                400, "eboxType ENTERPRISE, eboxIdType EnterpriseNumber and a list are needed."
            )
        known = register.get("preferences") or {}
        return jsonify([_entry(number, known[number]) for number in numbers if number in known])

    @blueprint.post("/citizenEboxConsents/search")
    @protector(PREFERENCE_SCOPE)  # type: ignore[untyped-decorator] # Authlib has no types
    def consents() -> Response:
        numbers = _strings(_members().get("ssinList"))
        if numbers is None:
            return problem(400, "ssinList must be a list of SSINs.")
        given = register.get("consents") or []
        return jsonify([{"ssin": number, "consent": number in given} for number in numbers])

    return blueprint


def _entry(number: str, preference: dict[str, Any]) -> dict[str, Any]:
    # Asked for in capitals, answered in small letters: as the federation does it.
    return {"eboxId": {"eboxType": "enterprise", "eboxIdValue": number}, **preference}


def _members() -> dict[str, Any]:
    asked = request.get_json(silent=True)
    return asked if isinstance(asked, dict) else {}


def _strings(found: Any) -> list[str] | None:
    """The list, each of its strings once; None when it is none."""
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        return None
    return list(dict.fromkeys(found))
