"""The registry's neighbours: what may befall each, how long it may cost, and whom it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.chaos.faults import ANSWERS, DRIP, SILENCES, Fault

# What the run sets: the least that the defaults promise, so that a cell takes seconds.
S3_BUDGET, CLAMD_BUDGET = 4, 4

_BREAKS: Final = (Fault("refuse"), *SILENCES, DRIP)
_BAD_DAYS: Final = tuple(Fault(kind) for kind in ANSWERS)

# How an affected operation may end beside well: what an answer is called is in `client.py`.
_REFUSED: Final = frozenset({"502", "503"})
_DOWN: Final = frozenset({"503", "503 bare"})  # of a probe, which comes again by itself
_CUT: Final = frozenset({"cut"})  # of an answer that has begun
_SLOWER: Final = frozenset[str]()  # well in the end


@dataclass(frozen=True)
class Neighbour:
    """A server that the registry calls.

    `budget` is how many seconds one answer of ours may lose to it, `affects` which operations need
    it and how they may end without it. All others stay as they are.
    """

    name: str
    faults: tuple[Fault, ...]
    budget: float
    affects: Mapping[str, frozenset[str]]

    def allows(self, operation: str, outcome: str) -> bool:
        """Tell if an operation may end so while this neighbour is ill."""
        return outcome == "ok" or outcome in self.affects.get(operation, ())


NEIGHBOURS: Final = (
    Neighbour(
        "postgresql",
        (*_BREAKS, Fault("cut", 1_000)),
        10,
        {
            "list": _REFUSED,
            "detail": _REFUSED,
            "download": _REFUSED,
            "publish": _REFUSED,
            "human": _REFUSED,
            "newcomer": _REFUSED,
            "ready": _DOWN,
            "event": _SLOWER,
        },
    ),
    Neighbour(
        "s3",
        (*_BREAKS, Fault("cut", 50_000), *_BAD_DAYS),
        S3_BUDGET,
        {"download": _REFUSED | _CUT, "publish": _REFUSED, "ready": _DOWN},
    ),
    # Whose token was looked at before is known; of others it must be asked, and of senders always.
    Neighbour(
        "authorization server",
        (*_BREAKS, Fault("cut", 60), *_BAD_DAYS),
        3,
        {"publish": _REFUSED, "newcomer": _REFUSED, "ready": _DOWN},
    ),
    # Rights that were known are used on while nobody answers.
    Neighbour("partition api", (*_BREAKS, Fault("cut", 60), *_BAD_DAYS), 3, {"human": _SLOWER}),
    # A publication does not depend on what they say, but it asks.
    Neighbour("preferences", (*_BREAKS, Fault("cut", 60), *_BAD_DAYS), 3, {"publish": _SLOWER}),
    Neighbour("event service", (*_BREAKS, Fault("cut", 60), *_BAD_DAYS), 5, {"event": _SLOWER}),
    Neighbour("clamd", (*_BREAKS, Fault("cut", 4)), CLAMD_BUDGET, {"publish": _REFUSED}),
)


@dataclass(frozen=True)
class Cell:
    """A neighbour with one fault: what is tried and judged together."""

    neighbour: Neighbour
    fault: Fault

    def __str__(self) -> str:
        return f"{self.neighbour.name}/{self.fault.kind}"


def all_cells() -> list[Cell]:
    """Every neighbour with each of its faults."""
    return [Cell(neighbour, fault) for neighbour in NEIGHBOURS for fault in neighbour.faults]


def few_cells() -> list[Cell]:
    """The worst fault of the neighbours that most depends on, for three minutes of CI."""
    worst = {
        "postgresql": {"half-open"},
        "s3": {"black hole"},
        "authorization server": {"black hole"},
    }
    return [cell for cell in all_cells() if cell.fault.kind in worst.get(cell.neighbour.name, ())]
