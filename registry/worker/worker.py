"""A worker: it waits for what everything rests on, then does its jobs until the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.wiring.worker import WorkerServices
from registry.worker.backoff import Backoff
from registry.worker.jobs import Job, JobContext
from registry.worker.runner import JobRunner
from registry.worker.threads import JobThreads

_LONGEST: Final = 20.0  # seconds between two looks at services that do not answer yet

_log = structlog.get_logger("registry.worker")


class Unfit(Exception):
    """Something the worker rests on is there and will not do, or, for once, is not there."""


@dataclass
class Worker:
    """These jobs, each in one of these threads; raises `Unfit`."""

    worker_services: WorkerServices
    jobs: Sequence[Job]
    threads: JobThreads
    _faults: list[str] = field(default_factory=list)

    def work(self) -> bool:
        """Do the jobs until somebody asks to stop; False if a thread broke, which none may."""
        # In a thread, though it is only one: a signal then ends the wait at once.
        if not self.threads.run(self._wait) or self.threads.stop.is_set():
            return self.threads.stop.is_set()
        self._judge()
        _log.info("started", duties=[job.name for job in self.jobs])
        is_well = self.threads.run(*(runner.run for runner in self._make_runners()))
        _log.info("stopped")
        return is_well

    def work_once(self) -> bool:
        """Do each job until nothing is left, whoever has the lease; True when all went well."""
        is_well = self.threads.run(self._look)
        self._judge()
        return self.threads.run(self._run_all) and is_well and not self._faults

    def _make_runners(self) -> list[JobRunner]:
        stop = self.threads.stop
        context = JobContext(self.worker_services, stop.is_set)
        return [JobRunner(job, context, stop) for job in self.jobs]

    def _run_all(self) -> None:
        for runner in self._make_runners():
            if runner.attempt() is not None:
                self._faults.append(runner.job.name)

    def _judge(self) -> None:
        if self._faults:
            raise Unfit(*self._faults)

    def _look(self) -> None:
        try:
            self.worker_services.readiness.check()
        except Unavailable as error:
            self._faults.append(error.detail)

    def _wait(self) -> None:
        """Wait until database and document store answer: they may be started after us."""
        backoff = Backoff()
        while not self.threads.stop.is_set():
            try:
                self.worker_services.readiness.check()
            except Unavailable as error:
                if _is_answer(error):
                    self._faults.append(error.detail)
                    return
                pause = backoff.pause(_LONGEST)
                _log.warning("waiting", reason=error.detail, pause=round(pause, 1))
                self.threads.stop.wait(pause)
            else:
                return


def _is_answer(error: Unavailable) -> bool:
    """Tell if somebody answered, and the answer will not do: that does not pass by waiting."""
    return error.__cause__ is None or isinstance(error.__cause__, DocumentUnavailable)
