"""Errors as version 3 shows them: problem+json that is a StatusMessage too (contract 6.2)."""

from typing import Any, Final
from uuid import UUID

from flask import Response, request

from registry.api.requests.fault_limits import MOST_CHARACTERS
from registry.api.requests.parameter_fields import NOWHERE
from registry.api.responses.problem_types import ProblemKind
from registry.api.responses.problems import Problem, write_problem
from registry.api.v3.schemas.parameters import PATH_NAMES
from registry.domain import errors
from registry.domain.errors import ABSENT, Issue, RegistryError
from registry.domain.personal_data import mask_personal_numbers

_GUIDE: Final = "https://www.belgif.be/specification/rest/api-guide"
_ISSUE_TITLES: Final = {
    errors.IssueKind.SCHEMA_VIOLATION: "Input isn't valid with respect to schema",
    errors.IssueKind.INVALID_INPUT: "Invalid input",
    errors.IssueKind.UNKNOWN_INPUT: "Unknown input",
    errors.IssueKind.REFERENCED_RESOURCE_NOT_FOUND: "Referenced resource not found",
}


def render_problem(problem: Problem, occurrence: UUID) -> Response:
    """Render the answer to a request that failed; `occurrence` names it here and in the log."""
    kind = problem.kind
    body = {
        "type": _write_urn(kind),
        "href": _find_href(kind),
        "title": kind.title,
        "status": int(kind.status),
        "detail": problem.detail,
        "instance": occurrence.urn,
        "code": problem.code,
        "id": str(occurrence),
        "message": problem.message,
        **_find_members(problem.error),
    }
    members = {name: value for name, value in body.items() if value is not None}
    return write_problem(problem, members, "application/problem+json")


def _write_urn(kind: ProblemKind) -> str:
    namespace = "ebox:messageRegistry" if kind.is_own else "belgif"
    return f"urn:problem-type:{namespace}:{kind.name}"


def _find_href(kind: ProblemKind) -> str | None:
    """Give the page of the Belgian guide that explains it; our own types have none."""
    return None if kind.is_own else f"{_GUIDE}/problems/{kind.name}.html"


def _find_members(error: RegistryError | None) -> dict[str, Any]:
    """Give the members that this type of problem adds to the common ones."""
    members: dict[str, Any] = {}
    match error:
        case errors.Invalid():
            members = {"issues": [_write_issue(issue) for issue in error.issues]}
        case errors.TooLarge():
            members = {"limit": error.limit}
        case errors.DuplicatePublication():
            members = {"messageId": str(error.message_id)}
        case errors.ScopeMissing():
            members = {"requiredScopes": error.scopes}
        case errors.NotFound():
            members = {"issues": [_write_missing(error)]}
        case errors.TooManyRequests() | errors.TooManyAtOnce():
            members = {"limit": error.limit, "retryAfterSec": error.retry_after}
    return members


def _write_missing(error: errors.NotFound) -> dict[str, Any]:
    """Write what is not there, by the id as the client typed it, whatever its shape (6.6)."""
    issue = {"in": error.where, "name": PATH_NAMES[error.name], "detail": error.detail}
    typed = (request.view_args or {}).get(error.name) if error.where == "path" else None
    value = error.value if typed is None else mask_personal_numbers(str(typed))
    return issue if value == str(NOWHERE) else {**issue, "value": value[:MOST_CHARACTERS]}


def _write_issue(issue: Issue) -> dict[str, Any]:
    members = {
        "type": f"urn:problem-type:belgif:input-validation:{issue.kind}",
        "href": f"{_GUIDE}/issues/{issue.kind}.html",
        "title": _ISSUE_TITLES[issue.kind],
        "detail": issue.detail,
        "in": issue.where,
        "name": issue.name,
    }
    return members if issue.value is ABSENT else {**members, "value": issue.value}
