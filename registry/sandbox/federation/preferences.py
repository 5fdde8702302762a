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
        query = _members()
        numbers = _strings(query.get("eboxIdValueList"))
        kind = (query.get("eboxType"), query.get("eboxIdType"))
        if numbers is None or kind != ("ENTERPRISE", "EnterpriseNumber"):
            return problem(
                400, "eboxType ENTERPRISE, eboxIdType EnterpriseNumber and a list are needed."
            )
        all_preferences = register.get("preferences") or {}
        return jsonify(
            [
                _entry(number, all_preferences[number])
                for number in numbers
                if number in all_preferences
            ]
        )

    @blueprint.post("/citizenEboxConsents/search")
    @protector(PREFERENCE_SCOPE)  # type: ignore[untyped-decorator] # Authlib has no types
    def consents() -> Response:
        numbers = _strings(_members().get("ssinList"))
        if numbers is None:
            return problem(400, "ssinList must be a list of SSINs.")
        consenting = register.get("consents") or []
        return jsonify([{"ssin": number, "consent": number in consenting} for number in numbers])

    return blueprint


def _entry(number: str, preference: dict[str, Any]) -> dict[str, Any]:
    # Asked for in capitals, answered in small letters: as the federation does it.
    return {"eboxId": {"eboxType": "enterprise", "eboxIdValue": number}, **preference}


def _members() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _strings(value: Any) -> list[str] | None:
    """The list, each of its strings once; None when it is none."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return None
    return list(dict.fromkeys(value))
