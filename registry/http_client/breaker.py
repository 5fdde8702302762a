"""A circuit breaker: after some failures in a row, a sick service is left alone for a while."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from registry.domain.errors import Unavailable


class Breaker:
    """Opens after `failures` failed calls in a row; every `pause` seconds one call may try again.

    Shared by threads. `clock` counts seconds and never goes back.
    """

    def __init__(
        self, failures: int, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._allowed, self._pause, self._clock = failures, pause, clock
        self._lock = Lock()
        self._failed = 0
        self._opened: float | None = None  # when it last opened; None: closed
        self._probing = False
        self._era = 0  # opening and closing begin a new one; what an older call learned is stale

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Hold around one call; whatever is raised inside counts as a failure.

        Raises `Unavailable` without running the call while the circuit is open.
        """
        era = self._enter()
        well = False
        try:
            yield
            well = True
        finally:
            self._settle(era, well=well)

    def _enter(self) -> int:
        with self._lock:
            if self._opened is not None:
                if self._probing or self._clock() - self._opened < self._pause:
                    raise Unavailable
                self._probing = True
            return self._era

    def _settle(self, era: int, *, well: bool) -> None:
        with self._lock:
            if era != self._era:
                return
            if well:
                self._failed = 0
                if self._probing:
                    self._turn(opened=None)
                return
            self._failed += 1
            if self._probing or self._failed >= self._allowed:
                self._turn(opened=self._clock())

    def _turn(self, *, opened: float | None) -> None:
        self._opened, self._failed, self._probing = opened, 0, False
        self._era += 1
