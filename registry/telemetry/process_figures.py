"""Figures of this process and its program."""

import platform
from collections.abc import Iterator
from typing import Final

from prometheus_client import REGISTRY, Metric, ProcessCollector
from prometheus_client.core import InfoMetricFamily
from prometheus_client.registry import Collector

from registry import __version__

_NAMESPACE: Final = "registry"
# Not the virtual memory, which tells nothing, nor the start, which does not add up.
_KEPT: Final = frozenset(
    {
        "registry_process_cpu_seconds",
        "registry_process_resident_memory_bytes",
        "registry_process_open_fds",
        "registry_process_max_fds",
    }
)


class ProcessFigures(Collector):
    """Figures of what the process uses, by names that add up over the processes of a gunicorn."""

    def __init__(self) -> None:
        # Registered nowhere: the names are looked at first.
        self._process = ProcessCollector(namespace=_NAMESPACE, registry=None)

    def collect(self) -> Iterator[Metric]:
        """Give those that are kept."""
        yield from (metric for metric in self._process.collect() if metric.name in _KEPT)


class BuildInfo(Collector):
    """The program by its version; the value is always 1."""

    def collect(self) -> Iterator[Metric]:
        """Give the one row."""
        labels = {"version": __version__, "python": platform.python_version()}
        yield InfoMetricFamily("registry_build", "The program that is running", value=labels)


REGISTRY.register(ProcessFigures())
