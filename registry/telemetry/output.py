"""Standard output and error of this process, each behind a writer that nobody waits for."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from registry.telemetry.log_writer import LogWriter

_LOSS: Final = "lines of log lost"


def _find_descriptor(stream: TextIO | None, number: int) -> int:
    # The number of an output that was closed before the start is soon that of something else.
    return -1 if stream is None else number


def _write_json(lines: int) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    members = {"event": _LOSS, "lines": lines, "logger": __name__, "level": "warning"}
    return orjson.dumps({**members, "timestamp": now}).decode()


def _write_text(lines: int) -> str:
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    return f"[{now}] [{os.getpid()}] [WARNING] {lines} {_LOSS}"


STDOUT: Final = LogWriter(_find_descriptor(sys.__stdout__, 1), _write_json)
STDERR: Final = LogWriter(_find_descriptor(sys.__stderr__, 2), _write_text)  # for gunicorn


class LossCollector(Collector):
    """Counts the lines that this process lost, without a lock that a fork could find taken."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Give the one figure."""
        yield CounterMetricFamily(
            "registry_log_lines_lost",
            "Lines of log that were dropped, since what reads or keeps them did not take them",
            value=STDOUT.lost_lines + STDERR.lost_lines,
        )


REGISTRY.register(LossCollector())


def flush() -> None:
    """Wait a moment until what was logged is written, before the process ends at once."""
    STDOUT.flush()
    STDERR.flush()
