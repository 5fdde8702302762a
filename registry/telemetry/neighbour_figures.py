"""Figures of calls to neighbours, and of what is so now, for Prometheus."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import REGISTRY, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from registry.telemetry import watch

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_CALLS: Final = Histogram(
    "registry_neighbour_seconds",
    "Time of a call to a neighbour, or of a transaction of the database, by how it ended",
    ["neighbour", "operation", "outcome"],
    buckets=_SECONDS,
)
# What may be read, with the names of the labels of each.
_READINGS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "registry_breaker_open": (
        "Processes that leave a neighbour alone for a while, since it kept failing",
        ("neighbour",),
    ),
    "registry_database_connections": (
        "Connections to the database that the pools have, and of these the ones in use",
        ("state",),
    ),
    "registry_threads": ("Threads that answer requests", ("lane",)),
    "registry_threads_busy": ("Threads that are answering a request", ("lane",)),
    "registry_threads_waiting": (
        "Threads that wait: for a body, for a slow reader, for a neighbour",
        ("lane", "reason"),
    ),
    "registry_requests_queued": ("Requests that wait for a thread", ("lane",)),
    "registry_client_connections": ("Connections of clients that are open", ("lane",)),
}


class NeighbourFigures:
    """Counts calls and their time; an observer. Each row is looked up once: a call has several."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Histogram] = {}

    def begin(self, watch: watch.Watch) -> None:
        """Nothing is kept of a call that is under way."""

    def end(self, watch: watch.Watch, note: object, seconds: float) -> None:  # noqa: ARG002 - the observer's signature
        """Count it."""
        labels = (watch.neighbour, watch.operation, watch.outcome)
        row = self._rows.get(labels) or self._rows.setdefault(labels, _CALLS.labels(*labels))
        row.observe(seconds)


class ReadingCollector(Collector):
    """Gives what is so now, the sum of all who say so; metrics without a reader are there too."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Take the readings."""
        sums: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in _READINGS}
        for reading in watch.take_readings():
            values = sums[reading.metric]
            labels = tuple(reading.labels[name] for name in _READINGS[reading.metric][1])
            values[labels] = values.get(labels, 0.0) + reading.value
        for name, (explanation, label_names) in _READINGS.items():
            family = GaugeMetricFamily(name, explanation, labels=label_names)
            for labels, value in sums[name].items():
                family.add_metric(labels, value)
            yield family


FIGURES: Final = NeighbourFigures()
REGISTRY.register(ReadingCollector())


def observe() -> None:
    """Count calls from now on, in this process."""
    watch.attach(FIGURES)
