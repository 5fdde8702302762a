"""Processor time and memory of processes, as the kernel counts them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.load import cpu_seconds
from tests.bench.scale.cluster import MeasuredCluster
from tests.service import list_children

_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class UsedProcessor:
    """Milliseconds of each request: gunicorn's, and PostgreSQL's for its connections."""

    python: float
    postgres: float

    @property
    def total(self) -> float:
        """Both."""
        return self.python + self.postgres


class ProcessorMeter:
    """Counts what a gunicorn and its connections use from its making on."""

    def __init__(self, group: int, cluster: MeasuredCluster, user: str, database: str) -> None:
        self._group = group
        self._backends = cluster.list_backends(user, database)
        self._python, self._postgres = self._read()

    def divide(self, requests: int) -> UsedProcessor:
        """What each of so many requests used, in ms."""
        python, postgres = self._read()
        return UsedProcessor(
            1000 * (python - self._python) / requests, 1000 * (postgres - self._postgres) / requests
        )

    def _read(self) -> tuple[float, float]:
        return cpu_seconds(self._group), sum_seconds(self._backends)


def sum_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes; those that are gone count nothing."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def resident_mib(group: int) -> list[float]:
    """Resident memory of each worker of a gunicorn, in MiB."""
    return [_read_resident(pid) for pid in list_children(group)]


def _read_resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def load_average() -> float:
    """Processes that ran or waited to run, in the last minute."""
    return os.getloadavg()[0]
