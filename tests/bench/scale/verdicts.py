"""What was measured, what was promised of it, and whether that holds."""

from dataclasses import dataclass, field
from typing import Any, Final

# The promises that a run is judged by; `more` of a figure is better where the limit is a least one.
BOUNDS: Final[dict[str, tuple[str, float, bool]]] = {
    "bare": ("full listing against the bare handler, CPU", 1.5, False),
    "kinto": ("full listing against Kinto's list of 25, requests a second", 3.0, True),
    "growth p50": ("listing in the largest database against the smallest, p50", 1.15, False),
    "growth cpu": ("listing in the largest database against the smallest, CPU", 1.15, False),
    "whale": ("whale's listing against a small e-Box's, CPU of PostgreSQL", 1.5, False),
    "page 400": ("whale's page 400 against page 1, p50", 2.0, False),
    "last page": ("whale's last page against page 1, p50", 2.0, False),
    "behind the end": ("whale's page behind the end against page 1, p50", 2.0, False),
    "search ratio": ("slowest search in the whale against its listing, p95", 4.0, False),
    "search time": ("slowest search in the whale, p95 in ms", 150.0, False),
    "statistics": ("whale's statistics against a small e-Box's, p50", 1.5, False),
    "publishing": ("portal's p95 beside bulk publishing against quiet", 1.5, False),
    "purge": ("portal's p95 beside a purge against quiet", 1.5, False),
    "reconstruct message": ("audit reconstruct of a message, seconds", 2.0, False),
    "reconstruct e-Box": ("audit reconstruct of an e-Box, seconds", 2.0, False),
    "memory": ("memory of a worker after mixed load against its beginning", 1.05, False),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise: the figure, its limit, the absolute figures it comes from, and what took long.

    `spread` are the least and the greatest figure of the rounds.
    """

    name: str
    figure: float
    parts: dict[str, float]
    spread: tuple[float, float] | None = None
    evidence: str = ""

    @property
    def what(self) -> str:
        """The promise in words."""
        return BOUNDS[self.name][0]

    @property
    def limit(self) -> float:
        """The most, or the least where more is better."""
        return BOUNDS[self.name][1]

    @property
    def is_least(self) -> bool:
        """Tell if more is better."""
        return BOUNDS[self.name][2]

    @property
    def holds(self) -> bool:
        """Tell if the promise was kept."""
        return self.figure >= self.limit if self.is_least else self.figure <= self.limit

    def as_members(self) -> dict[str, Any]:
        """What the JSON file has of it."""
        return {
            "name": self.name,
            "what": self.what,
            "figure": round(self.figure, 3),
            "limit": self.limit,
            "moreIsBetter": self.is_least,
            "holds": self.holds,
            "parts": {name: round(value, 3) for name, value in self.parts.items()},
            "spread": self.spread and [round(each, 3) for each in self.spread],
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Bars of one plot: values by label, in one unit, and what each is against the first."""

    title: str
    unit: str
    values: dict[str, float]
    note: str = ""

    def as_members(self) -> dict[str, Any]:
        """What the JSON file has of it."""
        base = next(iter(self.values.values()))
        return {
            "title": self.title,
            "unit": self.unit,
            "values": {name: round(value, 3) for name, value in self.values.items()},
            "ratios": {name: round(value / base, 3) for name, value in self.values.items()},
            "note": self.note,
        }


@dataclass(slots=True)
class Findings:
    """All of a run."""

    verdicts: list[Verdict] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
