"""Seats for those who wait for one service: fewer than there are threads to serve requests."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

from registry.domain.errors import Unavailable


@dataclass(frozen=True, slots=True, eq=False)
class _Seat:
    key: str
    is_known: bool
    since: float


class Seats:
    """So many threads may wait at a time, with room left for whoever need not.

    Of `count` seats strangers leave one to those who are known, and one key leaves two to others.
    Who finds none is sent away at once if there may be no end of his kind. Anybody else waits for
    one up to `patience` seconds, but not while the seats that he needs have been held for longer
    than that: a service that is well gives them back sooner. Shared by threads.
    """

    def __init__(
        self, count: int, patience: float = 0.5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count, self._patience, self._clock = count, patience, clock
        self._strangers, self._each = max(1, count - 1), max(1, count - 2)
        self._change = Condition()
        self._taken: list[_Seat] = []  # the oldest first

    def count_taken(self) -> int:
        """Count those who wait."""
        return len(self._taken)

    @contextmanager
    def take(self, key: str, *, is_known: bool, may_wait: bool = True) -> Iterator[None]:
        """Hold a seat around the waiting; raises `Unavailable` when there is none.

        Who shares a key with those who are seated may always wait.
        """
        with self._change:
            self._await_seat(key, is_known=is_known, may_wait=may_wait)
            seat = _Seat(key, is_known, self._clock())
            self._taken.append(seat)
        try:
            yield
        finally:
            with self._change:
                self._taken.remove(seat)
                self._change.notify_all()

    def _await_seat(self, key: str, *, is_known: bool, may_wait: bool) -> None:
        ends = self._clock() + self._patience
        while rivals := self._find_rivals(key, is_known=is_known):
            seconds = min(ends, rivals[0].since + self._patience) - self._clock()
            if seconds <= 0 or not (may_wait or any(seat.key == key for seat in rivals)):
                raise Unavailable
            self._change.wait(seconds)

    def _find_rivals(self, key: str, *, is_known: bool) -> list[_Seat]:
        """Find those one of whom has to leave first."""
        if len(self._taken) >= self._count:
            return self._taken
        strangers = [seat for seat in self._taken if not seat.is_known]
        if not is_known and len(strangers) >= self._strangers:
            return strangers
        same = [seat for seat in self._taken if seat.key == key]
        return same if len(same) >= self._each else []
