"""Readings of the threads that serve, for operators."""

from collections import deque
from collections.abc import Sized
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from registry.serving.reader_slots import ReaderSlots
from registry.serving.underway import RequestsUnderway
from registry.telemetry.watch import get_lane, show

_WAITING: Final = "registry_threads_waiting"


def show_serving(
    worker: Any,
    underway: RequestsUnderway,
    slots: ReaderSlots,
    bodies: set[Any],
    queue: deque[Any],
) -> None:
    """Show a gunicorn worker's threads, who is served, and what waits for whom.

    `bodies` are clients for whose body a thread waits, `queue` those with a long one whom no
    thread has yet.
    """
    lane, threads, count = get_lane(), worker.tpool, worker.cfg.threads
    show(threads, "registry_threads", lambda _: count, lane=lane)
    show(threads, "registry_requests_queued", _count_queue, lane=lane)
    show(queue, "registry_requests_queued", _count, lane=lane)
    show(underway, "registry_threads_busy", lambda it: it.count(), lane=lane)
    show(slots, _WAITING, lambda it: it.count_waiting(), lane=lane, reason="slow reader")
    show(bodies, _WAITING, _count, lane=lane, reason="body")
    show(worker, "registry_client_connections", lambda it: it.nr_conns, lane=lane)


def _count(items: Sized) -> int:
    return len(items)


def _count_queue(threads: ThreadPoolExecutor) -> int:
    return threads._work_queue.qsize()  # noqa: SLF001 - the standard library has no other way
