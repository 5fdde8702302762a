"""Processes under load: CPU time per request, as the kernel accounts it."""

import os
import statistics
import sys
import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from registry.sandbox.servers.processes import LOOPBACK, Process, free_port

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Target:
    """A WSGI application in gunicorn with one worker, and the request it is asked."""

    name: str
    application: str
    path: str
    headers: dict
    env: dict
    config: Path | None = None
    is_registry: bool = False

    def start(self, logs: Path):
        """Serve, and wait for the first answer."""
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn"]
        if self.config:
            command += ["-c", str(self.config)]
        if not self.is_registry:  # whose own worker serves nothing else
            command += ["-k", "gthread"]
        command += ["-w", "1", "--threads", "8", "-b", f"{LOOPBACK}:{self.port}"]
        self.process = Process(self.name, logs / f"{self.name}.log", grace=5)
        self.process.start([*command, self.application], env=self.env)
        self.process.wait_until(lambda: self._answers() == 200, timeout=30)

    def stop(self):
        """End it."""
        self.process.stop()

    def measure(self, requests: int, clients: int = 2) -> float:
        """CPU milliseconds per request of the worker, over `requests` of them."""
        before = cpu_seconds(self.process.pid)
        threads = [
            threading.Thread(target=self._ask, args=(requests // clients,)) for _ in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 1000 * (cpu_seconds(self.process.pid) - before) / requests

    def _ask(self, requests: int):
        connection = HTTPConnection(LOOPBACK, self.port, timeout=30)
        for _ in range(requests):
            connection.request("GET", self.path, headers=self.headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{self.name} answered {answer.status}")
        connection.close()

    def _answers(self) -> int:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request("GET", self.path, headers=self.headers)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


def cpu_seconds(group: int) -> float:
    """User and system time of all processes of a group."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += int(fields[11]) + int(fields[12])
    return total / _TICK


def compare(targets: list[Target], *, rounds: int, requests: int) -> dict[str, list[float]]:
    """Measure the targets in turn, so that a machine that drifts drifts for all."""
    measured = {target.name: [] for target in targets}
    for target in targets:
        target.measure(requests // 4)  # caches, prepared statements, plans
    for _ in range(rounds):
        for target in targets:
            measured[target.name].append(target.measure(requests))
    return measured


def ratio(above: list[float], below: list[float]) -> tuple[float, float, float]:
    """Least, median and greatest ratio, round by round."""
    ratios = sorted(a / b for a, b in zip(above, below, strict=True))
    return ratios[0], statistics.median(ratios), ratios[-1]
