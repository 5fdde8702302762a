"""Processes that inspect seals side by side, since one keeps no more than one processor busy."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.util import Finalize
from typing import Final, NamedTuple, Protocol

from registry.audit.seal_inspector import Scope, SealInspection, SealInspector, SealRange
from registry.audit.store import reads
from registry.audit.store.seal_bucket import SealStore
from registry.audit.trail.keys import Keys
from registry.audit.trail.verify import Finding
from registry.domain.errors import Unavailable
from registry.store.transactions import Transactions, lift_time_limit

_AHEAD: Final = 2  # ranges for each process, so that none waits for the others


class Trail(Protocol):
    """The places in which a trail is."""

    @property
    def transactions(self) -> Transactions:
        """The database, through a role that may read all."""
        ...

    @property
    def bucket(self) -> SealStore:
        """The bucket of seals."""
        ...

    @property
    def keys(self) -> Keys:
        """The public keys that signed them."""
        ...


OpenTrail = Callable[[], AbstractContextManager[Trail]]


class RangeInspection(NamedTuple):
    """The seals of a range, and what else was there."""

    seals: Sequence[SealInspection]
    foreign: Sequence[Finding]


@dataclass(frozen=True)
class InspectionPool:
    """So many processes, each of which opens the trail for itself with `open_trail`.

    That is a function of a module, which a new process finds by its name. `seals` are inspected
    before a process gives what it found.
    """

    open_trail: OpenTrail
    jobs: int
    seals: int = 500

    def is_worth(self, last_seal: int) -> bool:
        """Say whether there is enough to do for more than one."""
        return self.jobs > 1 and last_seal >= 2 * self.seals

    @contextmanager
    def inspect(self, scope: Scope, snapshot: str) -> Iterator[Iterator[RangeInspection]]:
        """Inspect all seals up to the last of the database, in their order, while the block lasts.

        `snapshot` is what `reads.export_snapshot` gave. No process outlives the block. Raises
        `Unavailable`, also when a process was killed.
        """
        executor = ProcessPoolExecutor(
            self.jobs, mp_context=get_context("spawn"), initializer=_end_with_parent
        )
        try:
            yield self._inspect(executor, scope, snapshot)
        finally:
            executor.shutdown(cancel_futures=True)

    def _inspect(
        self, executor: ProcessPoolExecutor, scope: Scope, snapshot: str
    ) -> Iterator[RangeInspection]:
        def submit(seals: SealRange) -> Future[RangeInspection]:
            return executor.submit(_inspect_range, self.open_trail, scope, snapshot, seals)

        ranges = self._divide(scope.last_seal)
        with _hold_interrupts():  # which the new processes inherit: their parent ends them
            under_way = deque(map(submit, islice(ranges, self.jobs * _AHEAD)))
        try:
            while under_way:
                yield under_way.popleft().result()
                under_way.extend(map(submit, islice(ranges, 1)))
        except BrokenProcessPool as error:
            raise Unavailable("A process of the verification has come to its end.") from error

    def _divide(self, last_seal: int) -> Iterator[SealRange]:
        """Divide the seals up to the last; what lies before the first is in the first range."""
        for first in range(0, last_seal + 1, self.seals):
            yield SealRange(first, min(first + self.seals, last_seal + 1))


def count_processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _hold_interrupts() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Have this process end when its parent does, which might be killed."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _inspect_range(
    open_trail: OpenTrail, scope: Scope, snapshot: str, seals: SealRange
) -> RangeInspection:
    inspector = _open_inspector(open_trail, scope, snapshot)
    inspector.foreign = []
    return RangeInspection(list(inspector.inspect(seals)), inspector.foreign)


@lru_cache(maxsize=1)
def _open_inspector(open_trail: OpenTrail, scope: Scope, snapshot: str) -> SealInspector:
    """Open the trail for as long as this process lives."""
    stack = ExitStack()
    Finalize(None, stack.close, exitpriority=0)
    trail = stack.enter_context(open_trail())
    connection = stack.enter_context(trail.transactions())
    reads.share_snapshot(connection, snapshot)
    lift_time_limit(connection)
    # None of these seals is new: they are those that the snapshot has.
    return SealInspector(connection, trail.bucket, trail.keys, scope, lambda _: False)
