"""Refusals of the federal services, in the Belgian shape."""

from flask import Response, jsonify

_TITLES = {400: ("badRequest", "Bad request"), 404: ("resourceNotFound", "Resource not found")}


def problem(status: int, detail: str) -> Response:
    """An answer that refuses with 400 or 404 and says why."""
    name, title = _TITLES[status]
    response = jsonify(
        type=f"urn:problem-type:belgif:{name}", title=title, status=status, detail=detail
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response
