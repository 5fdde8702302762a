"""`registry …` killed in the midst of its work, in a process forked from one that is warm."""

import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from tests.forked import RegistryProcess
from tests.journeys.ledger.moments import Stopwatch

_LONGEST: Final = 600.0  # seconds of a command
_STARTING: Final = 0.08  # the part of all kills that strike before the work begins
_ATTEMPTS: Final = 4
_GLANCE: Final = 0.004  # seconds between two looks
# Whoever is connected since then.
_BEGUN: Final = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = %s
  AND backend_start > %s LIMIT 1
"""


class Failed(Exception):
    """A command that nobody killed did not end well."""


@dataclass(frozen=True)
class Command:
    """Words for `registry`, and how to see from outside that its work begins.

    That is when the database's `user` is connected: before, it imports and reads its settings.
    `codes` are those with which it may end.
    """

    words: Sequence[str]
    environment: dict[str, str]
    watch_url: str
    user: str
    codes: tuple[int, ...] = (0,)


@dataclass
class CommandKills:
    """Runs commands to their end, or kills them when a part of their work is done."""

    folder: Path
    _stopwatch: Stopwatch = field(default_factory=Stopwatch)
    _started_at: datetime | None = None

    def run_patiently(self, command: Command) -> str:
        """Run to the end, again if need be: a slow machine has calls time out."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(Failed):
                return self.run(command)
        return self.run(command)

    def run(self, command: Command, *, name: str | None = None) -> str:
        """Run to the end; gives the output. Raises `Failed`. `name`: its time is noted."""
        with psycopg.connect(command.watch_url, autocommit=True) as watcher:
            process, began = self._start(command), time.monotonic()
            begun = self._wait_begun(watcher, command, process)
            process.wait(_LONGEST)
        if name:
            self._stopwatch.add(f"{name} starts", begun - began)
            self._stopwatch.add(name, time.monotonic() - begun)
        return self._read_output(command, process)

    def kill(self, command: Command, name: str, fraction: float) -> bool:
        """Kill when this part of the work is done; False when it ended before, and well.

        Raises `Failed` when it ended badly.
        """
        begun = None
        with psycopg.connect(command.watch_url, autocommit=True) as watcher:
            process, began = self._start(command), time.monotonic()
            if fraction < _STARTING:
                fraction /= _STARTING
                until = began + fraction * self._stopwatch.estimate(f"{name} starts")
            else:
                begun = self._wait_begun(watcher, command, process)
                self._stopwatch.add(f"{name} starts", begun - began)
                share = (fraction - _STARTING) / (1 - _STARTING)
                until = begun + share * self._stopwatch.estimate(name)
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        if process.poll() is None:
            with suppress(ProcessLookupError):  # it ended at this moment
                process.send_signal(signal.SIGKILL)
        process.wait(_LONGEST)
        if process.poll() == -signal.SIGKILL:
            return True
        if begun:
            self._stopwatch.add(name, time.monotonic() - begun)
        self._read_output(command, process)
        return False

    def _start(self, command: Command) -> RegistryProcess:
        self._started_at = datetime.now(UTC)
        output = self.folder / "stdout"
        output.unlink(missing_ok=True)
        return RegistryProcess(command.words, command.environment, output)

    def _wait_begun(
        self, watcher: psycopg.Connection, command: Command, process: RegistryProcess
    ) -> float:
        """Wait until the work begins, or is over; gives that moment."""
        values = (command.user, self._started_at)
        while process.poll() is None and not watcher.execute(_BEGUN, values).fetchone():
            time.sleep(_GLANCE)
        return time.monotonic()

    def _read_output(self, command: Command, process: RegistryProcess) -> str:
        text = (self.folder / "stdout").read_text(encoding="utf-8")
        if process.poll() not in command.codes:
            raise Failed(f"registry {' '.join(command.words)} ended with {process.poll()}: {text}")
        return text
