"""What operators may read of the threads that serve."""

from collections import deque
from collections.abc import Sized
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from registry.serving.reader_slots import ReaderSlots
from registry.serving.underway import RequestsUnderway
from registry.telemetry.watch import get_lane, show


def show_threads(threads: ThreadPoolExecutor, count: int, underway: RequestsUnderway) -> None:
    """Show how many threads there are, are busy, and what waits for one."""
    lane = get_lane()
    show(threads, "registry_threads", lambda _: count, lane=lane)
    show(underway, "registry_threads_busy", lambda it: it.count(), lane=lane)
    show(threads, "registry_requests_queued", _count_queue, lane=lane)


def show_clients(slots: ReaderSlots, bodies: set[Any], queue: deque[Any], clients: Any) -> None:
    """Show what waits for clients: threads for readers and `bodies`, and whom nobody serves yet.

    `queue` has those with long bodies; `clients` is what counts connections as `nr_conns`.
    """
    lane = get_lane()
    metric = "registry_threads_waiting"
    show(slots, metric, lambda it: it.count_waiting(), lane=lane, reason="slow reader")
    show(bodies, metric, _count, lane=lane, reason="body")
    show(queue, "registry_requests_queued", _count, lane=lane)
    show(clients, "registry_client_connections", lambda it: it.nr_conns, lane=lane)


def _count(items: Sized) -> int:
    return len(items)


def _count_queue(threads: ThreadPoolExecutor) -> int:
    return threads._work_queue.qsize()  # noqa: SLF001 - the standard library has no other way
