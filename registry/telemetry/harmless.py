"""A fence around what observes: its failure is logged, and never that of what it observes."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import structlog

_log = structlog.get_logger("registry.telemetry")

P = ParamSpec("P")


def harmless(note: Callable[P, None]) -> Callable[P, None]:
    """Keep what `note` raises from whoever calls it: what he did may be committed already."""

    @wraps(note)
    def attempt(*args: P.args, **more: P.kwargs) -> None:
        try:
            note(*args, **more)
        except Exception:  # noqa: BLE001 - the log has it
            _log.exception("not noted", what=note.__name__)

    return attempt
