"""A snapshot of figures: what a process counted up to a moment, to be handed over and added up."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import orjson
from prometheus_client import REGISTRY, Metric

_OURS: Final = "registry_"  # not those of Python and the process, which say nothing as a sum
_LEFT_OUT: Final = "_created"  # when a series began, which says nothing as a sum either


class Family(NamedTuple):
    """A metric: its type and explanation."""

    name: str
    type: str
    documentation: str


class Series(NamedTuple):
    """A row of a metric, by its own name and its labels in their order."""

    name: str
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The values of series, by metric."""

    values: dict[Family, dict[Series, float]] = field(default_factory=dict)

    @classmethod
    def take(cls) -> Self:
        """Take one of this process."""
        return cls.of(metric for metric in REGISTRY.collect() if metric.name.startswith(_OURS))

    @classmethod
    def of(cls, metrics: Iterable[Metric]) -> Self:
        """Take one of these metrics."""
        return cls(
            {
                Family(metric.name, metric.type, metric.documentation): {
                    Series(sample.name, tuple(sample.labels.items())): sample.value
                    for sample in metric.samples
                    if not sample.name.endswith(_LEFT_OUT)
                }
                for metric in metrics
            }
        )

    @classmethod
    def add(cls, snapshots: Iterable[Self]) -> Self:
        """Add up, series by series."""
        total = cls()
        for snapshot in snapshots:
            for family, values in snapshot.values.items():
                sums = total.values.setdefault(family, {})
                for series, value in values.items():
                    sums[series] = sums.get(series, 0.0) + value
        return total

    def without_gauges(self) -> Self:
        """Leave out what is true of a process only while it lives."""
        values = {family: rows for family, rows in self.values.items() if family.type != "gauge"}
        return type(self)(values)

    def as_metrics(self) -> Iterator[Metric]:
        """Give it in the form in which Prometheus is answered."""
        for family, values in self.values.items():
            metric = Metric(family.name, family.documentation, family.type)
            for series, value in values.items():
                metric.add_sample(series.name, dict(series.labels), value)
            yield metric

    def write(self) -> int:
        """Write it to a file in memory; gives the descriptor, which the caller closes."""
        members = [
            [*family, [[*series, value] for series, value in values.items()]]
            for family, values in self.values.items()
        ]
        content, file = orjson.dumps(members), os.memfd_create("registry-figures")
        try:
            with os.fdopen(file, "wb", closefd=False) as stream:
                stream.write(content)
        except OSError:
            os.close(file)
            raise
        return file

    @classmethod
    def read(cls, file: int) -> Self:
        """Read what `write` wrote, and close the file."""
        with os.fdopen(file, "rb") as stream:
            stream.seek(0)
            members = orjson.loads(stream.read())
        return cls(
            {
                Family(name, kind, documentation): {
                    Series(series, tuple((label, text) for label, text in labels)): value
                    for series, labels, value in rows
                }
                for name, kind, documentation, rows in members
            }
        )
