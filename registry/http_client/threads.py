"""Threads for calls: nobody waits longer than promised, and equal questions share one call."""

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
    """A thing that is built on first use, and anew in a forked child.

    Threads do not survive a fork and sockets must not be shared by two processes, so gunicorn may
    preload the application. What is not safe is to fork while a call is under way.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build, self._lock = build, Lock()
        self._instance: tuple[int, T] | None = None  # with the process that built it

    def get(self) -> T:
        """Get the one of this process."""
        with self._lock:
            if self._instance is None or self._instance[0] != os.getpid():
                self._instance = (os.getpid(), self._build())
            return self._instance[1]

    def take(self) -> T | None:
        """Give up the one of this process, if it was ever built."""
        with self._lock:
            instance, self._instance = self._instance, None
        return instance[1] if instance and instance[0] == os.getpid() else None


class _Pool:
    """Threads, and a seat for each: a call waits for its seat a moment, not in a queue."""

    def __init__(self, count: int) -> None:
        self.seats = BoundedSemaphore(count)
        self.executor = ThreadPoolExecutor(count, thread_name_prefix="federation")


class CallThreads:
    """A few threads that do the calls, so that whoever waits can stop waiting.

    Socket timeouts alone do not bound a call: name resolution has none, and several calls in a row
    (a token, a question, a second try) add up. Who finds all of them taken waits for one up to
    `patience` seconds, and as long as for the work when that is None.
    """

    def __init__(self, count: int, patience: float | None = None) -> None:
        self._patience = patience
        self._pool = PerProcess(lambda: _Pool(count))

    def run(self, work: Callable[[], T], timeout: float) -> T:
        """Do the work; raises `Unavailable` when all threads are taken or time is up, in seconds.

        Work that is late goes on until its own timeouts end it, and keeps its thread until then.
        """
        ends = time.monotonic() + timeout
        pool = self._pool.get()
        patience = timeout if self._patience is None else min(timeout, self._patience)
        if not pool.seats.acquire(timeout=patience):
            raise Unavailable
        future = pool.executor.submit(copy_context().run, work)  # with the trace id of the request
        future.add_done_callback(lambda _: pool.seats.release())
        return _await(future, ends - time.monotonic())

    def close(self) -> None:
        """End the threads, waiting for what they still do."""
        if pool := self._pool.take():
            pool.executor.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Flight(Generic[T]):
    began: float  # seconds of the monotonic clock
    answer: "Future[T]" = field(default_factory=Future)


class SingleFlight(Generic[T]):
    """One call for all who ask the same question at the same time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[str, _Flight[T]] = {}

    def share(
        self, key: str, work: Callable[[], T], *, timeout: float, within: float = math.inf
    ) -> T:
        """Join the flight for `key` that began less than `within` seconds ago, or begin one.

        Whoever begins it does the work in their own thread; the others wait until it is `timeout`
        seconds old, then get `Unavailable`, and so does at once who comes later.
        """
        with self._lock:
            now, underway = time.monotonic(), self._flights.get(key)
            joins = underway is not None and now - underway.began < within
            flight: _Flight[T] = underway if underway is not None and joins else _Flight(now)
            self._flights[key] = flight
        if joins:
            return _await(flight.answer, flight.began + timeout - now)
        return self._lead(key, flight, work)

    def is_underway(self, key: str) -> bool:
        """Tell if someone is asking right now."""
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


def _await(future: "Future[T]", timeout: float) -> T:
    wait([future], max(0.0, timeout))
    if not future.done():  # and not `result(timeout)`, whose error work may raise itself
        raise Unavailable
    return future.result()
