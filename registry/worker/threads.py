"""Threads that are watched, and an end in good time when somebody asks for it."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Final, Self

import structlog

from registry.telemetry import output

PATIENCE: Final = 8.0  # seconds from the wish to stop to the end, whatever is under way
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_GLANCE: Final = 0.1  # seconds between two looks at signals and threads

_log = structlog.get_logger("registry.worker")


class JobThreads:
    """Runs tasks in threads; SIGTERM or SIGINT sets `stop`, and a second one changes nothing.

    SIGHUP, by which others read their settings again, ends nothing: files with keys and
    certificates are read when they change, and whatever else changes wants a start.

    What is not done when patience ends is cut off, which is safe: transactions roll back, and
    leases run out.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._is_hung_up = False
        self._is_asked = False  # not `stop` itself: its lock may be held where the signal comes
        self._until: float | None = None

    def __enter__(self) -> Self:
        handlers = {**dict.fromkeys(_SIGNALS, self._ask), signal.SIGHUP: self._hang_up}
        self._before = {number: signal.signal(number, ours) for number, ours in handlers.items()}
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_asked:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def run(self, *tasks: Callable[[], None]) -> bool:
        """Do these until the first is done, or a signal comes; whether none of them broke.

        All have ended afterwards.
        """
        threads = [_Thread(task) for task in tasks]
        for thread in threads:
            thread.start()
        while not self._is_asked and all(thread.is_alive() for thread in threads):
            time.sleep(_GLANCE)
            self._log_hang_up()
        if any(thread.is_alive() for thread in threads):
            self._end(threads)
        return not any(thread.is_broken for thread in threads)

    def _ask(self, *_: object) -> None:
        self._is_asked = True

    def _hang_up(self, *_: object) -> None:
        self._is_hung_up = True

    def _log_hang_up(self) -> None:
        """Log it outside the signal's handler, which may interrupt a line of the log."""
        if self._is_hung_up:
            self._is_hung_up = False
            _log.info("stays", reason="SIGHUP reads no settings again: that wants a start")

    def _end(self, threads: "list[_Thread]") -> None:
        """Wait until all have ended; end the process when that takes too long."""
        self.stop.set()
        self._until = self._until or time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, self._until - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            _log.warning("stopped in the middle of something")
            output.flush()
            os._exit(any(thread.is_broken for thread in threads))


class _Thread(threading.Thread):
    """Does not keep the process alive; what ends it before its time is in the log."""

    def __init__(self, task: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._task = task
        self.is_broken = False

    def run(self) -> None:
        try:
            self._task()
        except BaseException:  # noqa: BLE001 - the log has it, and its threads are stopped
            self.is_broken = True
            _log.exception("a thread has ended")
