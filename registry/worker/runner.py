"""The runner of a job: it does the job over and over, whatever happens to it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.telemetry import worker as telemetry
from registry.worker.backoff import Backoff
from registry.worker.jobs import Job, JobContext, Step

ASKING: Final = 15.0  # seconds between two attempts to get the lease, at most
# Seconds, at most, after a failure, or trouble of the event service that does not say how long:
# when all is well again, everything goes on within half a minute.
_FAILURE: Final = 20.0
_REPORT: Final = 60.0  # seconds between two log lines of a run that takes long

_log = structlog.get_logger("registry.worker")


@dataclass
class JobRunner:
    """Does one job in one worker, until `stop` is set.

    A run that failed is still owed: this worker tries again without asking for the lease.
    """

    job: Job
    context: JobContext
    stop: threading.Event
    _backoff: Backoff = field(default_factory=Backoff)
    _owes: bool = False

    def run(self) -> None:
        """Do the job whenever the lease is ours; every wait ends when somebody asks to stop."""
        telemetry.register_job(self.job.name)
        while not self.stop.is_set():
            pause = self.attempt(whose=self._is_ours)
            self.stop.wait(self._rest() if pause is None else pause)

    def attempt(self, whose: Callable[[], bool] = lambda: True) -> float | None:
        """Do the job until nothing is left; None if it went well, else how long to pause.

        `whose` is asked first whether it is to be done.
        """
        name = self.job.name
        try:
            self._require_clock()
            last = self._perform() if whose() else Step()
        except (Unavailable, UpstreamInvalid) as error:
            telemetry.count_failure(name)
            pause = self._backoff.pause(_FAILURE)
            _log.warning("failed", duty=name, reason=error.detail, pause=round(pause, 1))
            return pause
        except Exception:  # noqa: BLE001 - the thread must go on; the log has it
            telemetry.count_failure(name)
            pause = self._backoff.pause(_FAILURE)
            _log.exception("failed unexpectedly", duty=name, pause=round(pause, 1))
            return pause
        if last.trouble:
            telemetry.count_outage()
            pause = self._backoff.pause(_FAILURE, last.wait)
            _log.warning("trouble", duty=name, reason=last.trouble, pause=round(pause, 1))
            return pause
        self._owes = False
        self._backoff.reset()
        telemetry.note_success(name)
        return None

    def _require_clock(self) -> None:
        """Raise `Unavailable` when this machine's clock is not to be worked by."""
        if self.job.is_by_clock:
            self.context.worker_services.clock_check.require()

    def _is_ours(self) -> bool:
        if self.job.is_shared and not self._owes:
            self._owes = self.context.worker_services.job_leases.take(self.job.name, self.job.every)
            return self._owes
        return True

    def _rest(self) -> float:
        """Others may end, and leave us the lease: so we ask more often than it is free."""
        every = self.job.every.total_seconds()
        return min(every / 4, ASKING) if self.job.is_shared else every

    def _perform(self) -> Step:
        """Give the last batch of a run; one log line of what was done, however it ends."""
        tally = _Tally(self.job.name)
        steps = self.job.work(self.context)
        step = Step()
        try:
            while not self.stop.is_set():
                self._require_clock()  # which somebody may set while a run takes long
                began = time.monotonic()
                if (following := next(steps, None)) is None:
                    break
                step = following
                tally.add(step)
                if not step.trouble:
                    telemetry.note_success(self.job.name)
                self.stop.wait(step.ease * (time.monotonic() - began))
        finally:
            tally.report()
        return step


class _Tally:
    """Counts of a run since the last log line about it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._counts: Counter[str] = Counter()
        self._since = time.monotonic()

    def add(self, step: Step) -> None:
        telemetry.count_results(step.counts)
        self._counts.update(step.counts)
        if time.monotonic() - self._since > _REPORT:
            self.report()

    def report(self) -> None:
        seconds = round(time.monotonic() - self._since, 3)
        if any(self._counts.values()):
            _log.info("done", duty=self._name, seconds=seconds, **self._counts)
        self._counts.clear()
        self._since = time.monotonic()
