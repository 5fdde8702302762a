"""The monitor of the service's health: it looks in the background, and probes read what it saw."""

import os
import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

import structlog

from registry.domain.errors import RegistryError, StoreUnfit
from registry.domain.health import Health, find_worst
from registry.http_client.threads import PerProcess
from registry.services.readiness import Check, Readiness

_PAUSE: Final = 5.0  # seconds between two looks at what is well, and at what is not
_PAUSE_OF_ILL: Final = 1.0
_LONGEST: Final = 20.0  # seconds
_CLOSING: Final = 5.0  # seconds for a look under way, when the process ends

_log = structlog.get_logger("registry.health")


class HealthMonitor:
    """Keeps the state of each check fresh, in a thread for each, so that none hides another.

    The threads begin with the first `read` of a process: gunicorn may fork after the assembly.
    A look that has not ended after `longest` seconds counts as no answer.
    """

    def __init__(self, readiness: Readiness, longest: float = _LONGEST) -> None:
        self.readiness = readiness
        self._watches = PerProcess(
            lambda: [_Watch.begin(check, longest) for check in readiness.checks]
        )

    def read(self, patience: float = 0.0) -> Health:
        """Read the state, as of the last looks; DOWN while the first have not ended.

        Those are waited for until `patience` seconds after the threads began.
        """
        watches = self._watches.get()
        for watch in watches:
            watch.was_looking.wait(max(0.0, watch.began + patience - time.monotonic()))
        return find_worst([watch.judge() for watch in watches])

    def close(self) -> None:
        """End the threads."""
        for watch in self._watches.take() or ():
            watch.end()


@dataclass(eq=False)
class _Watch:
    """Looks at one neighbour, over and over; instants are of the monotonic clock."""

    check: Check
    longest: float
    began: float = field(default_factory=time.monotonic)
    was_looking: Event = field(default_factory=Event)
    _end: Event = field(default_factory=Event)
    _since: float | None = None  # when the look under way began
    _well_at: float | None = None
    _fault: str | None = None
    _is_unfit: bool = False
    _report: tuple[Health, str | None] = (Health.UP, None)
    _thread: Thread = field(init=False)

    @classmethod
    def begin(cls, check: Check, longest: float) -> "_Watch":
        watch = cls(check, longest)
        watch._thread = Thread(target=watch._run, name=f"health {check.name}", daemon=True)
        watch._thread.start()
        return watch

    def end(self) -> None:
        self._end.set()
        self._thread.join(_CLOSING)

    def judge(self) -> Health:
        """Judge what was seen last, and log what is new about it."""
        now = time.monotonic()
        is_late = self._is_late(now)
        fault = "There is no answer in time." if is_late else self._fault
        if not self.was_looking.is_set() and not is_late:
            return Health.DOWN
        if fault is None:
            health = Health.UP
        elif self._is_unfit and not is_late:
            health = Health.DOWN
        else:
            health = Health.DEGRADED if self._is_in_grace(now) else Health.DOWN
        self._log_change(health, fault)
        return health

    def _is_late(self, now: float) -> bool:
        since = self._since
        has_hung = since is not None and now - since > self.longest
        return has_hung or not self._thread.is_alive()  # that nobody looks is no good news

    def _is_in_grace(self, now: float) -> bool:
        if self._well_at is None:
            return self.check.grace == float("inf")
        return now - self._well_at <= self.check.grace

    def _log_change(self, health: Health, fault: str | None) -> None:
        if (health, fault) == self._report:
            return
        self._report = (health, fault)
        if fault is None:
            _log.info("well again", check=self.check.name)
        else:
            _log.warning("not well", check=self.check.name, health=health.value, reason=fault)

    def _run(self) -> None:
        while not self._end.is_set():
            self._look()
            self.was_looking.set()
            self.judge()
            self._end.wait(_PAUSE if self._fault is None else _PAUSE_OF_ILL)

    def _look(self) -> None:
        self._since = time.monotonic()
        try:
            self.check.look()
        except RegistryError as error:
            self._fault, self._is_unfit = error.detail, isinstance(error, StoreUnfit)
        except Exception:  # noqa: BLE001 - the thread must go on; the log has it
            _log.exception("a look failed", check=self.check.name, process=os.getpid())
            self._fault, self._is_unfit = "The look itself failed.", False
        else:
            self._fault = None
            self._well_at = time.monotonic()
        self._since = None
