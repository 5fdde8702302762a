"""Threads and time: one call for many askers, and no asker held longer than promised."""

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Generic, TypeVar

from registry.domain.errors import Unavailable

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Something built on first use, and anew in a forked child.

    Threads do not survive a fork and sockets must not be shared by two processes, so gunicorn may
    preload the application. What is not safe is to fork while a call is under way.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build, self._lock = build, Lock()
        self._held: tuple[int, T] | None = None

    def get(self) -> T:
        """The one of this process."""
        with self._lock:
            if self._held is None or self._held[0] != os.getpid():
                self._held = (os.getpid(), self._build())
            return self._held[1]

    def take(self) -> T | None:
        """Give up the one of this process, if it was ever built."""
        with self._lock:
            held, self._held = self._held, None
        return held[1] if held and held[0] == os.getpid() else None


class _Crew:
    def __init__(self, count: int) -> None:
        self.seats = BoundedSemaphore(count)
        self.pool = ThreadPoolExecutor(count, thread_name_prefix="federation")


class Workers:
    """A few threads that do the calls, so that whoever waits can stop waiting.

    Socket timeouts alone do not bound a call: name resolution has none, and several calls in a row
    (a token, a question, a second try) add up.
    """

    def __init__(self, count: int) -> None:
        self._crew = PerProcess(lambda: _Crew(count))

    def run(self, work: Callable[[], T], timeout: float) -> T:
        """Do the work; raises `Unavailable` when all threads are taken or time is up, in seconds.

        Work that is late goes on until its own timeouts end it, and keeps its thread until then.
        """
        ends = time.monotonic() + timeout
        crew = self._crew.get()
        if not crew.seats.acquire(timeout=timeout):
            raise Unavailable
        done = crew.pool.submit(copy_context().run, work)  # with the trace id of the request
        done.add_done_callback(lambda _: crew.seats.release())
        wait([done], max(0.0, ends - time.monotonic()))
        if not done.done():
            raise Unavailable
        return done.result()

    def close(self) -> None:
        """End the threads, waiting for what they still do."""
        if crew := self._crew.take():
            crew.pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Flight(Generic[T]):
    began: float
    answer: "Future[T]" = field(default_factory=Future)


class SingleFlight(Generic[T]):
    """Askers of the same question at the same time share one answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[str, _Flight[T]] = {}

    def share(
        self, key: str, work: Callable[[], T], *, timeout: float, within: float = math.inf
    ) -> T:
        """Join the flight for `key` that began less than `within` seconds ago, or begin one.

        Whoever begins it does the work in their own thread; the others wait at most `timeout`
        seconds, then get `Unavailable`.
        """
        with self._lock:
            now, found = time.monotonic(), self._flights.get(key)
            joins = found is not None and now - found.began < within
            flight: _Flight[T] = found if found is not None and joins else _Flight(now)
            self._flights[key] = flight
        return _awaited(flight, timeout) if joins else self._lead(key, flight, work)

    def underway(self, key: str) -> bool:
        """Whether someone is asking right now."""
        with self._lock:
            return key in self._flights

    def _lead(self, key: str, flight: _Flight[T], work: Callable[[], T]) -> T:
        try:
            answer = work()
            flight.answer.set_result(answer)
        except BaseException as error:
            flight.answer.set_exception(error)
            raise
        finally:
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]
        return answer


def _awaited(flight: _Flight[T], timeout: float) -> T:
    wait([flight.answer], timeout)
    if not flight.answer.done():
        raise Unavailable
    return flight.answer.result()
