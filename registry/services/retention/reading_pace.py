"""The pace at which documents are read in the background, so that it costs readers little."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_GLANCE: Final = 0.2  # seconds between two looks whether to stop


class Stopped(Exception):
    """The process wants to end."""


@dataclass
class ReadingPace:
    """So many bytes a second at most; who is faster waits, and ends when `is_stopping` says so."""

    rate: int
    is_stopping: Callable[[], bool]
    _free_at: float = field(default_factory=time.monotonic)

    def keep(self, size: int) -> None:
        """Wait until so many bytes may be read; raises `Stopped`."""
        # Time that was not used is over: it buys no burst.
        self._free_at = max(self._free_at, time.monotonic()) + size / self.rate
        while not self.is_stopping():
            rest = self._free_at - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(rest, _GLANCE))
        raise Stopped
