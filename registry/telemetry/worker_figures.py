"""Figures of all gunicorn workers in one answer: each keeps its own in memory, and is asked.

The process that started them asks, over a pair of sockets for each, when Prometheus asks it. A
worker answers with a file in memory, which takes the answer whole: no folder can be full (ADR 019).
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

from registry.telemetry.harmless import harmless
from registry.telemetry.output import LossCollector
from registry.telemetry.process_figures import BuildInfo
from registry.telemetry.snapshot import Snapshot

_PATIENCE: Final = 0.5  # seconds for the answers of all; whoever is late shows what he had counted
_NUMBERS: Final = 255
_FINAL: Final = bytes(1)


class WorkerLine:
    """The pair of sockets between a worker and the process that started it."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.latest = Snapshot()  # what we last heard

    def ask(self, number: bytes, until: float) -> None:
        """Ask for the figures; a worker that is stopped or gone is passed over."""
        self._ours.settimeout(max(0.0, until - time.monotonic()))
        with suppress(OSError):
            self._ours.send(number)

    def listen(self, number: bytes, until: float) -> None:
        """Hear the answer of this number, and any before it, by this moment of the clock."""
        reply = b""
        with suppress(OSError):
            while reply != number:
                self._ours.settimeout(max(0.0, until - time.monotonic()))
                reply, files, *_ = socket.recv_fds(self._ours, 1, 1)
                if not files:
                    return
                self.latest = Snapshot.read(files[0])

    def answer(self) -> None:
        """Answer as a worker, until the other end is closed."""
        with suppress(OSError):
            while number := self._theirs.recv(1):
                self.tell(number)

    @harmless
    def tell(self, number: bytes = _FINAL) -> None:
        """Tell as a worker what has been counted, asked or not."""
        file = Snapshot.take().write()
        try:
            socket.send_fds(self._theirs, [number], [file])
        finally:
            os.close(file)

    def close(self, *, keeps_worker: bool = False) -> None:
        """Close both ends, or all but the worker's."""
        self._ours.close()
        if not keeps_worker:
            self._theirs.close()


class WorkerFigures(Collector):
    """What the workers count, and counted while they lived; gunicorn's hooks keep it informed.

    Workers are known by their age, which gunicorn gives none twice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[int, WorkerLine] = {}
        self._past = Snapshot()
        self._number = 0
        self._own: WorkerLine | None = None  # in a worker

    def serve(self, port: int, host: str) -> None:
        """Serve the figures in a thread; raises `OSError`."""
        registry = CollectorRegistry()
        registry.register(self)
        start_http_server(port, host, registry)

    def expect(self, age: int) -> None:
        """Prepare for a worker, before the fork."""
        with self._lock:
            self._lines[age] = WorkerLine()

    def begin(self, age: int) -> None:
        """Answer from now on, as this worker; another thread may have held the lock at the fork."""
        for other, line in self._lines.items():
            line.close(keeps_worker=other == age)
        self._own = self._lines[age]
        threading.Thread(target=self._own.answer, name="figures", daemon=True).start()

    def end(self) -> None:
        """Tell the last figures, as a worker that ends."""
        if self._own:
            self._own.tell()

    def forget(self, age: int) -> None:
        """Keep what a worker that is gone had counted, and close its line."""
        with self._lock:
            if line := self._lines.pop(age, None):
                line.listen(_FINAL, time.monotonic())
                self._past = Snapshot.add([self._past, line.latest.without_gauges()])
                line.close()

    def collect(self) -> Iterator[Metric]:
        """Ask all workers, and give the sums."""
        with self._lock:
            lines = list(self._lines.values())
            self._number = self._number % _NUMBERS + 1
            number, until = bytes([self._number]), time.monotonic() + _PATIENCE
            for line in lines:
                line.ask(number, until)
            for line in lines:
                line.listen(number, until)
            own = Snapshot.of([*LossCollector().collect(), *BuildInfo().collect()])
            total = Snapshot.add([self._past, own, *(line.latest for line in lines)])
        yield from total.as_metrics()
