"""What is told of an error in any version, and which version's shape it is told in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import orjson
from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException

from registry.api.context import version
from registry.api.responses.problem_types import HTTP_KINDS, INTERNAL, KINDS, NOT_FOUND, Kind
from registry.domain import errors
from registry.domain.errors import RegistryError

SHAPES: Final = "shapes of problems"

_REALM: Final = 'Bearer realm="e-Box MessageRegistry"'
_COME_BACK: Final = 5  # seconds: a breaker's pause, a database's restart


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong; `error` is there when it is one of our own, which may know more."""

    kind: Kind
    detail: str
    headers: Mapping[str, str]
    error: RegistryError | None = None

    @property
    def code(self) -> str:
        """What StatusMessage readers know it by."""
        return self.error.code if isinstance(self.error, errors.Invalid) else self.kind.code

    @property
    def message(self) -> str:
        """A StatusMessage has one line for what may be several faults: the first of them."""
        issues = self.error.issues if isinstance(self.error, errors.Invalid) else ()
        return issues[0].detail if issues else self.detail


Shape = Callable[[Problem, UUID], Response]


class Shapes:
    """The shapes of the versions that are served below the base paths, the usual one first."""

    def __init__(self, shapes: Mapping[str, Shape], bases: Iterable[str]) -> None:
        self._shapes = shapes
        self._usual = next(iter(shapes))
        self._prefixes = {f"{base}/{name}/": name for base in bases for name in shapes}

    def shown(self, problem: Problem, occurrence: UUID) -> Response:
        """The answer as the version of this request has it; `occurrence` names it in the log."""
        return self._shapes[version() or self._of_path()](problem, occurrence)

    def _of_path(self) -> str:
        """The version below whose path there is no such resource."""
        path = f"{request.path}/"
        found = (name for prefix, name in self._prefixes.items() if path.startswith(prefix))
        return next(found, self._usual)


def shown(problem: Problem, occurrence: UUID) -> Response:
    """The answer to a request that failed."""
    return cast(Shapes, current_app.extensions[SHAPES]).shown(problem, occurrence)


def written(problem: Problem, members: Mapping[str, Any], media_type: str) -> Response:
    """An answer with these members, for the shapes to make."""
    response = Response(orjson.dumps(members), problem.kind.status, mimetype=media_type)
    usual = {"Cache-Control": "no-store", "Content-Language": "en"}
    response.headers.update({**usual, **problem.headers})
    return response


def is_fault(error: RegistryError) -> bool:
    """Whether we or those we depend on are to blame, and not the client."""
    return KINDS[type(error)].status >= 500


def registry_problem(error: RegistryError) -> Problem:
    """What is told of one of our own errors."""
    return Problem(KINDS[type(error)], error.detail, _headers(error), error)


def http_problem(error: HTTPException) -> Problem:
    """What is told of what the framework refuses; its own headers are kept."""
    kind = HTTP_KINDS.get(error.code or 500, INTERNAL)
    kept = {
        name: value
        for name, value in error.get_headers()
        if name in ("Allow", "Content-Range", "Retry-After")
    }
    detail = "The requested resource does not exist." if kind is NOT_FOUND else kind.title
    return Problem(kind, detail, kept)


def internal_problem() -> Problem:
    """What is told of what nobody expected; reveals nothing `[err-sanit]`."""
    return Problem(INTERNAL, "An unexpected error occurred.", {})


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
            headers["WWW-Authenticate"] = f'{challenge}, scope="{" ".join(error.scopes)}"'
        case errors.TooManyRequests():
            headers["Retry-After"] = str(error.retry_after)
        case errors.Unavailable():
            headers["Retry-After"] = str(_COME_BACK)
    return headers


def _challenge(error: str, description: str) -> str:
    return f'{_REALM}, error="{error}", error_description="{description}"'
