"""Durations of calls, by kind."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import Final


class CallKind(StrEnum):
    """A kind of call that the portal makes (contract 4.19)."""

    LIST = "list"
    DETAIL = "detail"
    DOCUMENT = "document"
    REFERENCE = "reference"


# The federation's figures are in contracts and not public: these are what people at a screen bear.
DEFAULT_LIMITS: Final[Mapping[CallKind, float]] = {
    CallKind.LIST: 1.0,
    CallKind.DETAIL: 1.0,
    CallKind.DOCUMENT: 2.0,
    CallKind.REFERENCE: 0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadWish:
    """So many visitors at once, for so many seconds; `limits` are of the 95th percentile."""

    visitors: int = 4
    seconds: float = 20.0
    limits: Mapping[CallKind, float] = field(default_factory=lambda: dict(DEFAULT_LIMITS))


class LoadFigures:
    """Seconds of all calls that were answered well, and how many were not; for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.seconds: dict[CallKind, list[float]] = defaultdict(list)
        self.failures: dict[str, int] = defaultdict(int)

    def add(self, kind: CallKind, seconds: float) -> None:
        """Note a call that was answered well."""
        with self._lock:
            self.seconds[kind].append(seconds)

    def add_failure(self, what: str) -> None:
        """Note a call that was not; `what` names the kind and the status."""
        with self._lock:
            self.failures[what] += 1

    def describe(self, kind: CallKind) -> str:
        """Describe the calls of a kind: how many, and three percentiles in milliseconds."""
        parts = (50, 95, 99)
        percentiles = ", ".join(
            f"p{part} {self.find_percentile(kind, part) * 1000:.0f}" for part in parts
        )
        return f"{len(self.seconds[kind])} calls: {percentiles} ms"

    def find_percentile(self, kind: CallKind, percent: int) -> float:
        """Find the time within which so many percent of the calls were answered, in seconds."""
        values = sorted(self.seconds[kind])
        return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0
