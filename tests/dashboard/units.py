"""Figures as Grafana writes them, for the units that our dashboard has."""

from collections.abc import Callable, Sequence
from typing import Final

_DURATIONS: Final = (
    (86400, " d"),
    (3600, " h"),
    (60, " min"),
    (1, " s"),
    (1e-3, " ms"),
    (1e-6, " µs"),
)
_COUNTS: Final = ((1e6, "M"), (1e3, "k"), (1, ""))
_BYTES: Final = ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B"))


def _scale(value: float, steps: Sequence[tuple[float, str]]) -> str:
    size, name = next((step for step in steps if abs(value) >= step[0]), steps[-1])
    return f"{value / size:.3g}{name}"


UNITS: Final[dict[str, Callable[[float], str]]] = {
    "short": lambda value: _scale(value, _COUNTS) if abs(value) >= 1 else f"{value:.3g}",
    "s": lambda value: _scale(value, _DURATIONS) if value else "0 s",
    "d": lambda value: f"{value:.3g} days",
    "percentunit": lambda value: f"{value * 100:.3g} %",
    "bytes": lambda value: _scale(value, _BYTES),
    "reqps": lambda value: f"{value:.3g} req/s",
    "cps": lambda value: f"{value:.3g} c/s",
}
