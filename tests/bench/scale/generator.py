"""Generators of load: clients in a process of their own, in turn or at a steady pace."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final, Self
from uuid import uuid4

from tests.bench.scale.wire import KeptConnection

# Stands in a request for a fresh key of idempotency.
KEY: Final = b"00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a script, and the kind under which its time is counted."""

    kind: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """Clients of one port; each has a script that it goes through again and again.

    With a `rate`, each asks so many times a second, and a request that is begun late has waited
    from when it was due. Without it, each asks as soon as it was answered.
    """

    port: int
    scripts: Sequence[Sequence[Step]]
    seconds: float | None = None
    count: int | None = None  # requests of each client, in place of `seconds`
    rate: float | None = None


@dataclass(slots=True)
class Answers:
    """Times in ms by kind, statuses, and the bytes and seconds of all together."""

    times: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    size: int = 0
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """All answers."""
        return self.statuses.total()

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds

    @property
    def failures(self) -> int:
        """Answers that were no success."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    def p50(self, kind: str | None = None) -> float:
        """Their median, of one kind or all, in ms."""
        return statistics.median(self._list(kind))

    def p95(self, kind: str | None = None) -> float:
        """The time that one of twenty exceeds; of a single answer its own."""
        times = self._list(kind)
        return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]

    def add(self, other: "Answers") -> None:
        """Count those of another run, or of another client of the same."""
        for kind, times in other.times.items():
            self.times.setdefault(kind, []).extend(times)
        self.statuses.update(other.statuses)
        self.size += other.size

    def _list(self, kind: str | None) -> list[float]:
        return self.times[kind] if kind else [each for some in self.times.values() for each in some]


class Generator:
    """A process that makes load while this one looks at what it costs."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        self._pool.submit(int).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, load: Load) -> Future[Answers]:
        """Begin; the answers come when it is over."""
        return self._pool.submit(run_load, load)

    def run(self, load: Load) -> Answers:
        """Run it to its end; raises `SystemExit` when an answer was no success."""
        answers = self.begin(load).result()
        if answers.failures:
            raise SystemExit(f"of {answers.count} answers some failed: {dict(answers.statuses)}")
        return answers


def run_load(load: Load) -> Answers:
    """Run it in this process, a thread for each client."""
    clients = [_Client(load, script) for script in load.scripts]
    begin = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    everything = Answers(seconds=time.monotonic() - begin)
    for client in clients:
        everything.add(client.answers)
    return everything


class _Client(threading.Thread):
    def __init__(self, load: Load, script: Sequence[Step]) -> None:
        super().__init__(daemon=True)
        self._load, self._script = load, script
        self.answers = Answers()

    def run(self) -> None:
        load, connection = self._load, KeptConnection(self._load.port)
        due = begin = time.monotonic()
        number = 0
        while (load.count is None or number < load.count) and (
            load.seconds is None or time.monotonic() - begin < load.seconds
        ):
            if load.rate:
                due += 1 / load.rate
                time.sleep(max(0.0, due - time.monotonic()))
            self._ask(connection, self._script[number % len(self._script)], due)
            number += 1
        connection.close()

    def _ask(self, connection: KeptConnection, step: Step, due: float) -> None:
        request = step.request
        if KEY in request[:1000]:
            request = request.replace(KEY, str(uuid4()).encode(), 1)
        since = due if self._load.rate else time.monotonic()
        try:
            status, size = connection.ask(request)
        except OSError:
            connection.close()
            status, size = 0, 0
        self.answers.times.setdefault(step.kind, []).append(1000 * (time.monotonic() - since))
        self.answers.statuses[status] += 1
        self.answers.size += size
