"""Doors: gunicorns of one worker each, so that it is known who does the work, and is killed."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from registry.sandbox.servers.processes import answers
from tests.service import Service, health_url, list_children

_START: Final = 300  # seconds
_FAREWELL: Final = 0.3  # seconds that a worker without its arbiter has, before systemd ends it


class Target(Enum):
    """The process of a gunicorn that is killed."""

    WORKER = "its worker"
    ARBITER = "its arbiter"
    ALL = "all of it"


@dataclass
class Door:
    """One gunicorn; `is_fresh` until its worker has answered somebody."""

    service: Service
    name: str
    is_fresh: bool = True
    _dead: set[int] = field(default_factory=set)

    def __post_init__(self):
        self._open()

    def wait_ready(self) -> int:
        """Wait until it answers; gives the port."""
        self._process.wait_until(self._is_ready, timeout=_START)
        return self.port

    def kill(self, target: Target) -> None:
        """Kill at once, and have somebody open again."""
        pid = self._process.pid
        if target is Target.WORKER:
            os.kill(self._worker, signal.SIGKILL)
            self._dead.add(self._worker)
        elif target is Target.ARBITER:
            os.kill(pid, signal.SIGKILL)
            time.sleep(_FAREWELL)
        else:
            os.killpg(pid, signal.SIGKILL)
        if target is not Target.WORKER:
            self._process.stop()
            self._open()
        self.is_fresh = True

    def close(self) -> None:
        """End all of it at once: nobody waits for an answer any more."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.stop()

    def _open(self) -> None:
        self._worker = 0
        self._process, self.port = self.service.start_gunicorn(self.name, workers=1)

    def _is_ready(self) -> bool:
        """Tell if there is a worker that has not been killed, and answers."""
        workers = [pid for pid in list_children(self._process.pid) if pid not in self._dead]
        if not workers or not answers(health_url(self.port)):
            return False
        (self._worker,) = workers
        return True
