"""Watches over calls to neighbours, and readings of what is so now: said here, kept elsewhere.

Whoever calls or waits says so here, and imports nothing for it: senders and most commands have no
observer, and then nothing happens. Observers can neither fail nor block them (ADR 019).
"""

import logging
import os
import time
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self, TypeVar

from registry.domain.errors import Unavailable, UpstreamInvalid

T = TypeVar("T")

LANE: Final = "LANE"  # the variable by which a gunicorn of ours says which lane it is

_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Keeps figures or traces of calls."""

    def begin(self, watch: "Watch") -> object:
        """Note that a call begins; what is given comes back at its end."""
        ...

    def end(self, watch: "Watch", note: object, seconds: float) -> None:
        """Note that it is over."""
        ...


class Watch:
    """Held around one call to a neighbour, by the name of the operation.

    `outcome` is 'ok', 'unavailable' or 'invalid' by what is raised, and 'failed' for what else
    is; whoever knows better sets it. `trace_id` is that of the trace it belongs to, where that is
    not the one of the request that is being answered.
    """

    __slots__ = ("_began", "_notes", "neighbour", "operation", "outcome", "trace_id")

    def __init__(self, neighbour: str, operation: str, trace_id: str | None = None) -> None:
        self.neighbour, self.operation, self.trace_id = neighbour, operation, trace_id
        self.outcome = ""

    def __enter__(self) -> Self:
        self._notes = [(one, _begin(one, self)) for one in _observers]
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._began
        self.outcome = self.outcome or _name_outcome(kind)
        for observer, note in self._notes:
            _end(observer, self, note, seconds)


class GaugeReading(NamedTuple):
    """A figure as it is now, by its metric's name and its labels."""

    metric: str
    labels: dict[str, str]
    value: float


class _Source(NamedTuple):
    """The source of a reading, as long as its owner lives."""

    metric: str
    labels: dict[str, str]
    take: Callable[[], float | None]


_observers: Final[list[Observer]] = []
_sources: Final[list[_Source]] = []


def attach(observer: Observer) -> None:
    """Have an observer told of every call from now on; the same one once."""
    if observer not in _observers:
        _observers.append(observer)


def detach(observer: Observer) -> None:
    """Have it told no more."""
    if observer in _observers:
        _observers.remove(observer)


def show(owner: T, metric: str, read: Callable[[T], float], **labels: str) -> None:
    """Offer a reading for whoever asks, as long as `owner` lives."""
    owner_reference = weakref.ref(owner)

    def take() -> float | None:
        living_owner = owner_reference()
        return None if living_owner is None else read(living_owner)

    source = _Source(metric, labels, take)
    _sources.append(source)
    weakref.finalize(owner, _sources.remove, source).atexit = False


def take_readings() -> Iterator[GaugeReading]:
    """Take all readings; one that cannot be taken is passed over."""
    for source in _sources.copy():
        try:
            value = source.take()
        except Exception:  # noqa: BLE001 - whoever asks for figures gets the others
            _log.exception("not read: %s", source.metric)
            continue
        if value is not None:
            yield GaugeReading(source.metric, source.labels, value)


def get_lane() -> str:
    """Get the lane that this process serves, as a label."""
    return os.environ.get(LANE, "all")


def _begin(observer: Observer, watch: Watch) -> object:
    try:
        return observer.begin(watch)
    except Exception:  # noqa: BLE001 - the log has it
        _log.exception("not noted: a call to %s", watch.neighbour)
        return None


def _end(observer: Observer, watch: Watch, note: object, seconds: float) -> None:
    try:
        observer.end(watch, note, seconds)
    except Exception:  # noqa: BLE001 - the log has it
        _log.exception("not noted: a call to %s", watch.neighbour)


def _name_outcome(kind: type[BaseException] | None) -> str:
    if kind is None:
        return "ok"
    if issubclass(kind, Unavailable):
        return "unavailable"
    return "invalid" if issubclass(kind, UpstreamInvalid) else "failed"
