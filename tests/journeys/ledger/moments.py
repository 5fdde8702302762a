"""Moments to kill at: spread over the whole time that the work takes, as it was measured."""

import random
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator

_KEPT = 3  # measurements of a kind of work; the machine may be busier than it was
_SHORTER = 0.75  # of the moment that was too late


class Moments:
    """Fractions of the work, one from each of `count` equal parts of it, in random order."""

    def __init__(self, rng: random.Random, count: int):
        parts = list(range(count))
        rng.shuffle(parts)
        self._fractions = [(part + rng.random()) / count for part in parts]

    def __iter__(self) -> Iterator[float]:
        return iter(self._fractions)

    @staticmethod
    def draw_earlier(fraction: float) -> float:
        """Give the next fraction to try when the work was done before it could be killed."""
        return fraction * _SHORTER


class Stopwatch:
    """Seconds that each kind of work took when nobody was killed."""

    def __init__(self):
        self._seconds: dict[Hashable, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def add(self, work: Hashable, seconds: float) -> None:
        self._seconds[work].append(seconds)

    def knows(self, work: Hashable) -> bool:
        return bool(self._seconds[work])

    def estimate(self, work: Hashable) -> float:
        """Estimate how long it takes: the mean, and a little more, so that the end is covered."""
        seconds = self._seconds[work] or self._seconds[None] or [1.0]
        return 1.05 * sum(seconds) / len(seconds)
