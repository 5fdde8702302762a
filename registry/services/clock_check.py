"""The clock of this machine beside the database's, by which all workers go."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from registry.domain.errors import Unavailable
from registry.store.clock import read_clock
from registry.store.transactions import Transactions

TOLERANCE: Final = 5.0  # seconds that the two may differ
_INTERVAL: Final = 60.0  # seconds until the database is asked again, if nothing is conspicuous


class _Sight(NamedTuple):
    """What was seen at an instant of the monotonic clock, and what the machine's clock said then.

    `ahead`: seconds that the machine's clock was before the database's.
    """

    ahead: float
    local: float
    at: float


@dataclass(eq=False)
class ClockCheck:
    """Keeps whoever works by the clock from doing so when the machine's is wrong.

    What is due would else be reminded of, told or deleted too early or too late. That somebody sets
    the clock is noticed at once, without a question: the monotonic clock does not jump with it.
    """

    transactions: Transactions
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    _sight: _Sight | None = None

    def measure(self) -> float:
        """Measure by how many seconds this machine's clock is ahead of the database's."""
        with self.transactions() as connection:
            before = self.now().timestamp()
            there = read_clock(connection).timestamp()
            after, at = self.now().timestamp(), self.clock()
        ahead = (before + after) / 2 - there
        self._sight = _Sight(ahead, after, at)
        return ahead

    def require(self) -> None:
        """Raise `Unavailable` that says by how much the clocks differ, when it is too much."""
        if self._estimate() <= TOLERANCE:
            return
        if abs(ahead := self.measure()) > TOLERANCE:
            direction = "ahead of" if ahead > 0 else "behind"
            raise Unavailable(
                f"The clock of this machine is {abs(ahead):.0f} seconds {direction} the database's:"
                f" nothing is claimed while they differ by more than {TOLERANCE:.0f}."
            )

    def _estimate(self) -> float:
        """Estimate the difference from the last sight of it; infinite when that is too old."""
        sight = self._sight
        if sight is None or (age := self.clock() - sight.at) > _INTERVAL:
            return float("inf")
        return abs(sight.ahead + self.now().timestamp() - sight.local - age)
