"""How long to leave alone what fails: longer each time, and not at the same moment as others."""

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
        """Seconds to wait after one more failure: anything up to what doubles each time.

        Never over `most`, but at least `least`, which somebody asked for.
        """
        self.failures = min(self.failures + 1, 32)  # 2³² seconds are beyond every `most`
        drawn = _random.uniform(_FIRST, max(_FIRST, min(most, _FIRST * 2.0**self.failures)))
        return drawn if least is None else max(drawn, least + _random.uniform(0, _FIRST))

    def reset(self) -> None:
        """It works again."""
        self.failures = 0
