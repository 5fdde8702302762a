"""One gunicorn on one database of a site."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from registry.sandbox.servers.processes import LOOPBACK, Process, answers, free_port
from tests.service import CONF, health_url


class ServedRegistry:
    """One gunicorn on one database; `pid` is that of its group."""

    def __init__(self, database: str, log: Path) -> None:
        self.database, self.port = database, free_port()
        self._process = Process("gunicorn", log, signal.SIGQUIT)

    def start(self, env: Mapping[str, str], workers: int | None) -> None:
        """Start it with these settings, and wait for its first answer."""
        command = [sys.executable, "-m", "gunicorn", "-c", CONF, "--no-control-socket"]
        command += ["-b", f"{LOOPBACK}:{self.port}"] + (["-w", str(workers)] if workers else [])
        self._process.start(command, env=env)
        self._process.wait_until(lambda: answers(health_url(self.port)), timeout=180)

    @property
    def pid(self) -> int:
        """The group of gunicorn and its workers."""
        return self._process.pid

    def stop(self) -> None:
        """End it."""
        self._process.stop()
