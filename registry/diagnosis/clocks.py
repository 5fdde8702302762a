"""Clocks of others, as far as they showed, beside that of this machine."""

from collections.abc import Iterator
from threading import Lock
from typing import Final, NamedTuple

from registry.domain.diagnoses import Cause, Diagnosis, Severity

TOLERANCE: Final = 5.0  # seconds, as the worker's beside the database's clock
# Half of the shortest life that our assertions usually have: what is signed counts no longer.
LIMIT: Final = 30.0
_CLOCK_SAYS: Final = 0.5  # seconds that a header Date, which has whole ones, is behind on average


class Reading(NamedTuple):
    """A clock that was seen: this machine's was `ahead` of it, in seconds."""

    whose: str
    variable: str
    ahead: float


class ClockReadings:
    """Collects readings from many threads."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}
        self._lock = Lock()

    def add(self, whose: str, variable: str, date: float, before: float, after: float) -> None:
        """Add a header Date that came between two instants of ours, in seconds since 1970.

        The smallest difference counts for each.
        """
        ahead = compare_clocks(date + _CLOCK_SAYS, before, after)
        with self._lock:
            earlier = self._readings.get(whose)
            if earlier is None or abs(ahead) < abs(earlier.ahead):
                self._readings[whose] = Reading(whose, variable, ahead)

    def diagnose(self) -> Iterator[Diagnosis]:
        """Say which clocks differ, in one diagnosis if ours differs from all of them."""
        readings = sorted(self._readings.values())
        wrong_readings = [each for each in readings if abs(each.ahead) > TOLERANCE]
        if len(readings) > 1 and len(wrong_readings) == len(readings):
            names = ", ".join(each.whose for each in readings)
            nearest = min(readings, key=lambda each: abs(each.ahead))
            remedy = "Set this machine's clock, and have it kept (chrony, systemd-timesyncd)."
            yield describe_clock((), nearest.ahead, f"of {names}", remedy)
            return
        for each in wrong_readings:
            remedy = f"Look which is right: ours, or that of the {each.whose}; have that one set."
            yield describe_clock((each.variable,), each.ahead, f"of the {each.whose}", remedy)


def compare_clocks(there: float, before: float, after: float) -> float:
    """Compute by how many seconds we are ahead of a clock that was read between two instants.

    That may have been at any moment between: what it may account for is no difference.
    """
    middle, doubt = (before + after) / 2, (after - before) / 2
    ahead = middle - there
    return max(0.0, ahead - doubt) if ahead > 0 else min(0.0, ahead + doubt)


def describe_clock(variables: tuple[str, ...], ahead: float, whose: str, remedy: str) -> Diagnosis:
    """Say by how much this machine's clock differs; beyond `LIMIT` seconds it is a fault."""
    direction = "ahead of" if ahead > 0 else "behind"
    return Diagnosis(
        variables,
        f"This machine's clock is {abs(ahead):.0f} seconds {direction} that {whose}.",
        Cause.CLOCK_WRONG,
        f"They may differ by {TOLERANCE:.0f} seconds; beyond {LIMIT:.0f} what we sign for the"
        " authorization server may count as not yet or no longer valid.",
        remedy,
        Severity.FAULT if abs(ahead) > LIMIT else Severity.WARNING,
    )
