"""Health of the service; open to anyone, and saying no more than up or down `[hlth-res]`."""

from flask import Blueprint, Response

from registry.api.responses.json_response import render_json
from registry.api.state import get_state


def add_resources(blueprint: Blueprint) -> None:
    """Route health, liveness and readiness."""
    blueprint.get("/health")(check_health)
    blueprint.get("/health/ready", endpoint="check_readiness")(check_health)
    blueprint.get("/health/live")(check_liveness)


def check_health() -> Response:
    """Answer UP when database and document store answer, else DOWN with 503."""
    is_up = get_state().health_check.is_up()
    response = render_json({"status": "UP" if is_up else "DOWN"})
    response.status_code = 200 if is_up else 503
    return response


def check_liveness() -> Response:
    """Answer UP as long as this process answers at all."""
    return render_json({"status": "UP"})
