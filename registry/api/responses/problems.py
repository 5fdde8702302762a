"""Problems: errors as every version tells them, before a version gives them its shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException

from registry.api.responses.problem_types import HTTP_KINDS, INTERNAL, KINDS, NOT_FOUND, ProblemKind
from registry.domain import errors
from registry.domain.errors import RegistryError

_REALM: Final = 'Bearer realm="e-Box MessageRegistry"'
_COME_BACK: Final = 5  # seconds: more than a breaker's pause, enough for a database's restart


@dataclass(frozen=True, slots=True)
class Problem:
    """An error that is to be told; `error` is there when it is one of our own."""

    kind: ProblemKind
    detail: str
    headers: Mapping[str, str]
    error: RegistryError | None = None

    @property
    def code(self) -> str:
        """The name by which StatusMessage readers know it."""
        return self.error.code if isinstance(self.error, errors.Invalid) else self.kind.code

    @property
    def message(self) -> str:
        """The one line of a StatusMessage: all that is missing, or else the first fault."""
        issues = self.error.issues if isinstance(self.error, errors.Invalid) else ()
        if missing_names := [issue.name for issue in issues if issue.is_missing]:
            return f"{errors.MISSING_KEYS}{', '.join(missing_names)}"
        return issues[0].detail if issues else self.detail


def write_problem(problem: Problem, members: Mapping[str, Any], media_type: str) -> Response:
    """Write an answer with these members, for the shapes of the versions."""
    response = Response(orjson.dumps(members), problem.kind.status, mimetype=media_type)
    usual = {"Cache-Control": "no-store", "Content-Language": "en"}
    response.headers.update({**usual, **problem.headers})
    return response


def is_fault(error: RegistryError) -> bool:
    """Tell if we or those we depend on are to blame, and not the client."""
    return KINDS[type(error)].status >= 500


def describe_error(error: RegistryError) -> Problem:
    """Describe one of our own errors."""
    return Problem(KINDS[type(error)], error.detail, _make_headers(error), error)


def describe_http_error(error: HTTPException) -> Problem:
    """Describe a refusal of the framework; its own headers are kept."""
    kind = HTTP_KINDS.get(error.code or 500, INTERNAL)
    headers = {
        name: value
        for name, value in error.get_headers()
        if name in ("Allow", "Content-Range", "Retry-After")
    }
    # Our own words: those of werkzeug are for people in front of a browser.
    detail = "The requested resource does not exist." if kind is NOT_FOUND else kind.title
    return Problem(kind, detail, headers)


def describe_unexpected_error() -> Problem:
    """Describe an error that nobody expected; reveals nothing `[err-sanit]`."""
    return Problem(INTERNAL, "An unexpected error occurred.", {})


def _make_headers(error: RegistryError) -> dict[str, str]:
    """Make the headers of an error: challenges of RFC 6750, and when to come back."""
    headers: dict[str, str] = {}
    match error:
        case errors.TokenMissing():
            headers["WWW-Authenticate"] = _REALM
        case errors.TokenInvalid():
            headers["WWW-Authenticate"] = _write_challenge(
                "invalid_token", "The access token is invalid"
            )
        case errors.TokenExpired():
            headers["WWW-Authenticate"] = _write_challenge(
                "invalid_token", "The access token expired"
            )
        case errors.ScopeMissing():
            challenge = _write_challenge("insufficient_scope", "Missing scope to perform request")
            headers["WWW-Authenticate"] = f'{challenge}, scope="{" ".join(error.scopes)}"'
        case errors.TooManyRequests() | errors.TooManyAtOnce():
            headers["Retry-After"] = str(error.retry_after)
        case (
            errors.Unavailable()
            | errors.UpstreamInvalid()
            | errors.DocumentUnavailable()
            | errors.DocumentNotStored()
        ):
            headers["Retry-After"] = str(_COME_BACK)
    return headers


def _write_challenge(error: str, description: str) -> str:
    return f'{_REALM}, error="{error}", error_description="{description}"'
