"""A worker's shift: wait for what everything rests on, then do the duties until the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.wiring.worker import WorkerServices
from registry.worker.backoff import Backoff
from registry.worker.jobs import Job, Means
from registry.worker.runner import JobRunner
from registry.worker.threads import JobThreads

_LONGEST: Final = 30.0  # seconds between two looks at services that do not answer yet

_log = structlog.get_logger("registry.worker")


class Unfit(Exception):
    """Something the worker rests on is there and will not do, or, for once, is not there."""


@dataclass
class Worker:
    """These duties, by this crew.

    Raises `Unfit`.
    """

    worker_services: WorkerServices
    duties: Sequence[Job]
    crew: JobThreads
    _faults: list[str] = field(default_factory=list)

    def work(self) -> bool:
        """Do the duties until somebody asks to stop; False if a thread broke, which none may."""
        if not self.crew.run(self._wait) or self.crew.stop.is_set():
            return self.crew.stop.is_set()
        self._judge()
        _log.info("started", duties=[duty.name for duty in self.duties])
        is_well = self.crew.run(*(performer.run for performer in self._performers()))
        _log.info("stopped")
        return is_well

    def work_once(self) -> bool:
        """Do each duty until nothing is left, whoever's turn it is; whether all went well."""
        is_well = self.crew.run(self._look)
        self._judge()
        return self.crew.run(self._perform_all) and is_well and not self._faults

    def _performers(self) -> list[JobRunner]:
        stop = self.crew.stop
        means = Means(self.worker_services, stop.is_set)
        return [JobRunner(duty, means, stop) for duty in self.duties]

    def _perform_all(self) -> None:
        for performer in self._performers():
            if performer.attempt() is not None:
                self._faults.append(performer.duty.name)

    def _judge(self) -> None:
        if self._faults:
            raise Unfit(*self._faults)

    def _look(self) -> None:
        try:
            self.worker_services.readiness.check()
        except Unavailable as error:
            self._faults.append(error.detail)

    def _wait(self) -> None:
        """Until database and document store answer: they may be started after us."""
        backoff = Backoff()
        while not self.crew.stop.is_set():
            try:
                self.worker_services.readiness.check()
            except Unavailable as error:
                if _is_answer(error):
                    self._faults.append(error.detail)
                    return
                pause = backoff.pause(_LONGEST)
                _log.warning("waiting", reason=error.detail, pause=round(pause, 1))
                self.crew.stop.wait(pause)
            else:
                return


def _is_answer(error: Unavailable) -> bool:
    """Whether somebody answered, and the answer will not do: that does not pass by waiting."""
    return error.__cause__ is None or isinstance(error.__cause__, DocumentUnavailable)
