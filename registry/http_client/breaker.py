"""A circuit breaker: after some failures in a row, a sick service is left alone for a while."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from registry.domain.errors import Unavailable


class Breaker:
    """Opens after `failures` failed calls in a row; every `pause` seconds one call may try again.

    Failed calls about one subject count as one, however many they are: they may be its own fault,
    and tell nothing of the service. Shared by threads. `clock` counts seconds and never goes back.
    """

    def __init__(
        self, failures: int, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failure_limit, self._pause, self._clock = failures, pause, clock
        self._lock = Lock()
        self._failures: set[object] = set()  # subjects of calls that failed since one did not
        self._well_at: float | None = None  # the last call that went well, if none failed since
        self._open_since: float | None = None  # a moment of the clock; None: closed
        self._is_probing = False
        self._era = 0  # opening and closing begin a new one; what an older call learned is stale

    @contextmanager
    def guard(
        self, subject: str | None = None, *, answers: tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """Hold around one call; whatever is raised inside counts as a failure.

        Without `subject`, each call has one of its own. Errors among `answers` are no failures:
        the service is there, well or not. Raises `Unavailable` without running the call while the
        circuit is open.
        """
        era = self._enter()
        is_well = is_answered = False
        try:
            yield
            is_well = is_answered = True
        except answers:
            is_answered = True
            raise
        finally:
            failed_subject = object() if subject is None else subject
            self._settle(era, None if is_answered else failed_subject, is_well=is_well)

    @property
    def is_open(self) -> bool:
        """Tell if calls are refused, but for one that tries again."""
        return self._open_since is not None

    def was_well(self, within: float) -> bool:
        """Tell if the last call to end went well, less than `within` seconds ago."""
        well_at = self._well_at
        return well_at is not None and self._clock() - well_at < within

    def _enter(self) -> int:
        with self._lock:
            if self._open_since is not None:
                if self._is_probing or self._clock() - self._open_since < self._pause:
                    raise Unavailable
                self._is_probing = True
            return self._era

    def _settle(self, era: int, failed_subject: object | None, *, is_well: bool) -> None:
        with self._lock:
            if era != self._era:
                return
            self._well_at = self._clock() if is_well else None
            if failed_subject is None:
                self._failures.clear()
                if self._is_probing:
                    self._begin_era(open_since=None)
                return
            self._failures.add(failed_subject)
            if self._is_probing or len(self._failures) >= self._failure_limit:
                self._begin_era(open_since=self._clock())

    def _begin_era(self, *, open_since: float | None) -> None:
        self._open_since, self._is_probing = open_since, False
        self._failures.clear()
        self._era += 1
