"""A Prometheus of our own, with the rules of deploy/prometheus, for the time of a `with` block."""

import math
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import requests
import yaml

from registry.sandbox.servers.processes import (
    LOOPBACK,
    Process,
    StartFailed,
    answers,
    on_free_ports,
)

RULES: Final = Path(__file__).parents[2] / "deploy" / "prometheus" / "registry.rules.yml"
_STEP: Final = 5  # seconds between two looks at everything
_TIMEOUT: Final = 30  # seconds


@dataclass(frozen=True, slots=True)
class Line:
    """One series of an answer: its labels, and its points as (Unix time, value)."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Prometheus:
    """Debian's prometheus; `targets` are the ports of figures on loopback, by job.

    Raises `StartFailed`, at once when there is no such program.
    """

    def __init__(self, folder: Path, targets: Mapping[str, int]) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise StartFailed("There is no prometheus here; Debian: apt-get install prometheus.")
        self._program, self._folder, self._targets = program, folder, targets
        self._process = Process("prometheus", folder / "prometheus.log")
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._process.stop)
            on_free_ports(1, self._start)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, expression: str, beginning: float, end: float) -> list[Line]:
        """The lines of an expression between two Unix times; what is no number is left out."""
        span = {"start": beginning, "end": end, "step": _STEP}
        with requests.Session() as session:
            session.trust_env = False  # it is on loopback, whatever proxy is set
            answer = session.get(
                f"{self._origin}/api/v1/query_range",
                params={"query": expression, **span},
                timeout=_TIMEOUT,
            )
        answer.raise_for_status()
        return [_read_line(series) for series in answer.json()["data"]["result"]]

    def _start(self, ports: list[int]) -> None:
        self._process.stop()
        self._origin = f"http://{LOOPBACK}:{ports[0]}"
        settings = self._folder / "prometheus.yml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(yaml.safe_dump(self._settings()), encoding="utf-8")
        options = {
            "config.file": settings,
            "storage.tsdb.path": self._folder / "data",
            "web.listen-address": f"{LOOPBACK}:{ports[0]}",
            "log.level": "warn",
        }
        self._process.start(
            [self._program, *(f"--{name}={value}" for name, value in options.items())]
        )
        self._process.wait_until(lambda: answers(f"{self._origin}/-/ready"), timeout=_TIMEOUT)

    def _settings(self) -> dict:
        every = f"{_STEP}s"
        return {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}
                for job, port in self._targets.items()
            ],
        }


def _read_line(series: Mapping) -> Line:
    points = [(time, float(value)) for time, value in series["values"]]
    return Line(series["metric"], [point for point in points if math.isfinite(point[1])])
