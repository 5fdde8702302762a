"""The check of the service's health: however often it is asked, the stores are asked once."""

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import structlog

from registry.domain.errors import RegistryError
from registry.services.readiness import Readiness

_GOOD_FOR: Final = 1.0  # seconds that the outcome of a check is believed

_log = structlog.get_logger("registry.api")


@dataclass
class HealthCheck:
    """Checks readiness, and keeps the outcome for a second."""

    readiness: Readiness
    _lock: Lock = field(default_factory=Lock)
    _until: float = 0.0
    _is_up: bool = False

    def is_up(self) -> bool:
        """Check, unless that was done just now."""
        # Held while checking: a hundred probes at once wait for one check, and make no more.
        with self._lock:
            if time.monotonic() >= self._until:
                self._is_up = self._check()
                self._until = time.monotonic() + _GOOD_FOR
            return self._is_up

    def _check(self) -> bool:
        try:
            self.readiness.check()
        except RegistryError as error:
            _log.warning("not healthy", detail=error.detail)
            return False
        return True
