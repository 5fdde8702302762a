"""Errors as version 3 shows them: problem+json that is a StatusMessage too (contract 6.2)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException

from registry.api.v3.kinds import GUIDE, HTTP_KINDS, INTERNAL, KINDS, NOT_FOUND, Kind
from registry.api.v3.schemas.parameters import PATH_NAMES
from registry.domain import errors
from registry.domain.errors import ABSENT, Issue, RegistryError

_REALM: Final = 'Bearer realm="e-Box MessageRegistry"'

_COME_BACK: Final = 5  # seconds: a breaker's pause, a database's restart
_ISSUE_TITLES: Final = {
    errors.IssueKind.SCHEMA_VIOLATION: "Input isn't valid with respect to schema",
    errors.IssueKind.INVALID_INPUT: "Invalid input",
    errors.IssueKind.UNKNOWN_INPUT: "Unknown input",
    errors.IssueKind.REFERENCED_RESOURCE_NOT_FOUND: "Referenced resource not found",
}


def is_fault(error: RegistryError) -> bool:
    """Whether we or those we depend on are to blame, and not the client."""
    return KINDS[type(error)].status >= 500


def registry_problem(error: RegistryError, occurrence: UUID) -> Response:
    """The answer to one of our own errors; `occurrence` names it here and in the log."""
    kind = KINDS[type(error)]
    return _answer(kind, error.detail, occurrence, _members(error), _headers(error))


def http_problem(error: HTTPException, occurrence: UUID) -> Response:
    """The answer to what the framework refuses, in our shape; its own headers are kept."""
    kind = HTTP_KINDS.get(error.code or 500, INTERNAL)
    kept = {
        name: value
        for name, value in error.get_headers()
        if name in ("Allow", "Content-Range", "Retry-After")
    }
    detail = "The requested resource does not exist." if kind is NOT_FOUND else kind.title
    return _answer(kind, detail, occurrence, {}, kept)


def internal_problem(occurrence: UUID) -> Response:
    """The answer to what nobody expected; reveals nothing `[err-sanit]`."""
    return _answer(INTERNAL, "An unexpected error occurred.", occurrence, {}, {})


def _answer(
    kind: Kind,
    detail: str,
    occurrence: UUID,
    members: Mapping[str, Any],
    headers: Mapping[str, str],
) -> Response:
    body = {
        "type": kind.urn,
        "href": kind.href,
        "title": kind.title,
        "status": int(kind.status),
        "detail": detail,
        "instance": occurrence.urn,
        "code": kind.code,
        "id": str(occurrence),
        "message": _message(detail, members),
        **members,
    }
    content = orjson.dumps({name: value for name, value in body.items() if value is not None})
    response = Response(content, kind.status, mimetype="application/problem+json")
    response.headers.update({"Cache-Control": "no-store", "Content-Language": "en", **headers})
    return response


def _message(detail: str, members: Mapping[str, Any]) -> str:
    """A StatusMessage has one line for what problem+json tells in issues: the first of them."""
    issues = members.get("issues")
    return str(issues[0]["detail"]) if issues else detail


def _members(error: RegistryError) -> dict[str, Any]:
    """What the type of problem adds to the common members."""
    members: dict[str, Any] = {}
    match error:
        case errors.Invalid():
            members = {"code": error.code, "issues": [_issue(issue) for issue in error.issues]}
        case errors.TooLarge():
            members = {"limit": error.limit}
        case errors.DuplicatePublication():
            members = {"messageId": str(error.message_id)}
        case errors.ScopeMissing():
            members = {"requiredScopes": error.required}
        case errors.NotFound():
            name = PATH_NAMES[error.name]
            issue = {"in": "path", "name": name, "detail": error.detail, "value": error.value}
            members = {"issues": [issue]}
        case errors.TooManyRequests():
            members = {"limit": error.limit, "retryAfterSec": error.retry_after}
    return members


def _issue(issue: Issue) -> dict[str, Any]:
    shown = {
        "type": f"urn:problem-type:belgif:input-validation:{issue.kind}",
        "href": f"{GUIDE}/issues/{issue.kind}.html",
        "title": _ISSUE_TITLES[issue.kind],
        "detail": issue.detail,
        "in": issue.where,
        "name": issue.name,
    }
    return shown if issue.value is ABSENT else {**shown, "value": issue.value}


def _headers(error: RegistryError) -> dict[str, str]:
    """Challenges of RFC 6750, and when to come back."""
    headers: dict[str, str] = {}
    match error:
        case errors.TokenMissing():
            headers["WWW-Authenticate"] = _REALM
        case errors.TokenInvalid():
            headers["WWW-Authenticate"] = _challenge("invalid_token", "The access token is invalid")
        case errors.TokenExpired():
            headers["WWW-Authenticate"] = _challenge("invalid_token", "The access token expired")
        case errors.ScopeMissing():
            challenge = _challenge("insufficient_scope", "Missing scope to perform request")
            headers["WWW-Authenticate"] = f'{challenge}, scope="{" ".join(error.required)}"'
        case errors.TooManyRequests():
            headers["Retry-After"] = str(error.retry_after)
        case errors.Unavailable():
            headers["Retry-After"] = str(_COME_BACK)
    return headers


def _challenge(error: str, description: str) -> str:
    return f'{_REALM}, error="{error}", error_description="{description}"'
