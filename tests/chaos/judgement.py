"""What the answers of one cell prove: how each operation fared, and where that will not do."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.client import Answer
from tests.chaos.neighbours import Cell
from tests.chaos.operations import Operation

SLACK: Final = 1.0  # seconds beyond a budget
_RECOVERY: Final = {"event": 30.0}  # seconds; of all others:
_REST: Final = 5.0


@dataclass(frozen=True)
class Times:
    """When a neighbour fell ill and got well, by the monotonic clock."""

    fault: float
    heal: float


@dataclass(frozen=True)
class Fate:
    """How an operation fared: answers by outcome, and what each took, in seconds.

    `recovery` is for how many seconds after the end of the fault it still fared badly. A sum is
    that of two tries.
    """

    outcomes: Mapping[str, int]
    seconds: Sequence[float]
    recovery: float

    @property
    def longest(self) -> float:
        """Of all; 0 of none."""
        return max(self.seconds, default=0.0)

    def __add__(self, other: "Fate") -> "Fate":
        return Fate(
            _order(Counter(self.outcomes) + Counter(other.outcomes)),
            [*self.seconds, *other.seconds],
            max(self.recovery, other.recovery),
        )

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {outcome}" for outcome, number in self.outcomes.items())
        return f"{counts or 'none'}; {self.longest:.1f} s; {self.recovery:.1f} s"


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile; 0 of nothing."""
    ordered = sorted(seconds)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0


def measure(operation: Operation, answers: Sequence[Answer], times: Times) -> Fate:
    """Sum up the answers of this operation in this cell."""
    ours = [answer for answer in answers if answer.operation == operation.name]
    ill = [answer for answer in ours if answer.end > times.fault and answer.began < times.heal]
    return Fate(
        outcomes=_order(Counter(answer.outcome for answer in ill)),
        seconds=[answer.seconds for answer in ill],
        recovery=_measure_recovery(operation, ours, times),
    )


def _order(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: pair[0] != "ok"))


def _measure_recovery(operation: Operation, answers: Sequence[Answer], times: Times) -> float:
    if operation.name == "event":  # what was put while nobody could be told has to arrive too
        late = [answer.end for answer in answers if answer.began < times.heal]
    else:
        late = [
            answer.began
            for answer in answers
            if answer.began >= times.heal and not _is_well(operation, answer)
        ]
    return max(0.0, max(late, default=times.heal) - times.heal)


def _is_well(operation: Operation, answer: Answer) -> bool:
    return answer.outcome == "ok" and answer.seconds <= operation.budget


def find_faults(cell: Cell, operation: Operation, fate: Fate) -> Iterator[str]:
    """Say where an operation was not good enough in one try, its pace excepted."""
    neighbour, name = cell.neighbour, operation.name
    is_affected = name in neighbour.affects
    for outcome, number in fate.outcomes.items():
        if not neighbour.allows(name, outcome):
            yield f"{number} answers were {outcome}"
    budget = neighbour.budget if is_affected and operation.waits else operation.budget
    if not (is_affected and name == "event") and fate.longest > budget + SLACK:
        yield f"an answer took {fate.longest:.1f} s, its budget is {budget:g} s"
    if fate.recovery > _RECOVERY.get(name, _REST):
        yield f"still bad {fate.recovery:.1f} s after the end"


def find_slowness(cell: Cell, operation: Operation, fate: Fate, quiet: float) -> Iterator[str]:
    """Say where one that does not need the neighbour was slow; `quiet` is its p95 in seconds."""
    limit = max(2 * quiet, quiet + operation.floor / 1000)
    percentile = p95(fate.seconds)
    if operation.name not in cell.neighbour.affects and percentile > limit:
        yield f"p95 is {1000 * percentile:.0f} ms, may be {1000 * limit:.0f} ms"
