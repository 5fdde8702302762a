"""Whether the service is well; open to anyone, and saying no more than that `[hlth-res]`."""

import time
from threading import Lock
from typing import Final

from flask import Blueprint, Response, current_app

from registry.api.context import registry
from registry.api.responses.json_response import answered
from registry.domain.errors import RegistryError

_GOOD_FOR: Final = 1.0  # seconds: however often health is asked, the stores are asked once


def add_resources(blueprint: Blueprint) -> None:
    """Route health, liveness and readiness."""
    blueprint.get("/health")(check_health)
    blueprint.get("/health/ready", endpoint="check_readiness")(check_health)
    blueprint.get("/health/live")(check_liveness)


def check_health() -> Response:
    """UP when database and document store answer, else DOWN with 503."""
    is_up = current_app.extensions["health"].is_up()
    response = answered({"status": "UP" if is_up else "DOWN"})
    response.status_code = 200 if is_up else 503
    return response


def check_liveness() -> Response:
    """UP as long as this process answers at all."""
    return answered({"status": "UP"})


class Health:
    """The last check's outcome, for a second."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._is_up = False

    def is_up(self) -> bool:
        """Check, unless that was done just now."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._is_up = self._checked()
                self._until = time.monotonic() + _GOOD_FOR
            return self._is_up

    def _checked(self) -> bool:
        try:
            registry().readiness.check()
        except RegistryError as error:
            current_app.logger.warning("not healthy: %s", error.detail)
            return False
        return True
