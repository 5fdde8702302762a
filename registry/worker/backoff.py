"""Pauses before what failed is tried again: longer each time, and not all at one moment."""

from dataclasses import dataclass
from random import SystemRandom
from typing import Final

_random: Final = SystemRandom()
_FIRST: Final = 1.0  # seconds; no pause is shorter, so nobody spins


@dataclass(slots=True)
class Backoff:
    """Counts failures in a row."""

    failures: int = 0

    def pause(self, most: float, least: float | None = None) -> float:
        """Draw seconds to wait after one more failure: anything up to what doubles each time.

        Never over `most`, but at least `least`, which somebody asked for.
        """
        self.failures = min(self.failures + 1, 32)  # 2³² seconds are beyond every `most`
        seconds = _random.uniform(_FIRST, max(_FIRST, min(most, _FIRST * 2.0**self.failures)))
        return seconds if least is None else max(seconds, least + _random.uniform(0, _FIRST))

    def reset(self) -> None:
        """Begin anew with the shortest pause, after a success."""
        self.failures = 0
