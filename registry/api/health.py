"""Health of the service; open to anyone, and saying no more than one word `[hlth-res]`.

A header says which registry it is, so that `registry settings check` can tell ours from others.

These resources wait for nobody: gunicorn's worker has them answered in the loop that accepts
connections, where all threads may be busy.
"""

from typing import Final

from flask import Blueprint, Response

from registry.api.responses.json_response import render_json
from registry.api.state import get_state
from registry.domain.health import Health

FIRST_LOOK: Final = 5.0  # seconds for the first look at the neighbours, from the start of a process


def add_resources(blueprint: Blueprint) -> None:
    """Route health, liveness and readiness."""
    blueprint.get("/health")(check_health)
    blueprint.get("/health/ready", endpoint="check_readiness")(check_health)
    blueprint.get("/health/live")(check_liveness)


def check_health() -> Response:
    """Answer UP or DEGRADED when calls are served, all or most of them, else DOWN with 503."""
    return _render(get_state().registry.health.read(FIRST_LOOK))


def check_liveness() -> Response:
    """Answer UP as long as this process answers at all."""
    return _render(Health.UP)


def _render(health: Health) -> Response:
    response = render_json({"status": health.value})
    response.headers["Registry-Instance"] = get_state().instance
    response.status_code = 200 if health.serves else 503
    return response
