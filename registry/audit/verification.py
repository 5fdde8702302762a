"""Verification of the whole trail, while it goes on being written (contract 4.20)."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from registry.audit.checkpoint import Checkpoint
from registry.audit.inspection_pool import InspectionPool
from registry.audit.legal_period import find_legal_end
from registry.audit.period import TrailPeriod
from registry.audit.seal_inspector import Scope, SealInspection, SealInspector, SealRange
from registry.audit.store import reads
from registry.audit.store.breaks import read_breaks
from registry.audit.store.seal_bucket import SealStore
from registry.audit.trail.compare import TrailCheck
from registry.audit.trail.entry import Record
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import Seal
from registry.audit.trail.verify import Finding, FindingKind
from registry.store.transactions import Transactions, lift_time_limit

ReportProgress = Callable[[int, int], None]  # seals that are done, and all of them


@dataclass
class VerificationFigures:
    """Counts of a verification, complete when all its findings have been read."""

    seals: int = 0
    sealed_entries: int = 0
    compared_entries: int = 0
    unsealed_entries: int = 0
    oldest_unsealed: datetime | None = None


class Verification:
    """Compares the entries with the seals of the bucket, and these with the database's copies.

    Seals of outside the period are not compared with their entries. Where ten years are over,
    entries may be missing. Up to a checkpoint the bucket is believed to have what it had. With a
    pool several processes look at the seals, and what is found is the same.
    """

    def __init__(
        self,
        keys: Keys,
        period: TrailPeriod,
        now: datetime,
        report_progress: ReportProgress,
        checkpoint: Checkpoint | None = None,
        pool: InspectionPool | None = None,
    ) -> None:
        self.figures = VerificationFigures()
        self.checkpoint = checkpoint  # moves on to the last seal before anything that is wrong
        self._start, self._is_intact = checkpoint, True
        self._keys, self._period, self._now = keys, period, now
        self._report_progress, self._pool = report_progress, pool
        self._coverage = _Coverage()

    def find_faults(self, transactions: Transactions, bucket: SealStore) -> Iterator[Finding]:
        """Find all that is wrong, and the breaks that are known; raises `Unavailable`."""
        for finding in self._find_faults(transactions, bucket):
            self._is_intact = self._is_intact and finding.is_known
            yield finding

    def _find_faults(self, transactions: Transactions, bucket: SealStore) -> Iterator[Finding]:
        with transactions() as connection:
            reads.freeze_snapshot(connection)
            lift_time_limit(connection)
            last_seal = reads.read_last_seal_number(connection)
            scope = Scope(self._period, last_seal, self._start.seal if self._start else 0)
            is_new = partial(_is_sealed, transactions)
            inspector = SealInspector(connection, bucket, self._keys, scope, is_new)
            foreign: list[Finding] = []
            with closing(self._inspect_all(inspector, foreign)) as inspections:
                yield from self._check_seals(connection, inspections, scope)
            yield from _find_uncovered_entries(connection, self._coverage)
            yield from foreign
            rest = reads.find_unsealed(connection, self._coverage.locked_until)
            self.figures.sealed_entries = self._coverage.locked_entries
            self.figures.unsealed_entries = rest.total
            self.figures.oldest_unsealed = rest.oldest

    def _inspect_all(
        self, inspector: SealInspector, foreign: list[Finding]
    ) -> Generator[SealInspection, None, None]:
        """Inspect all seals of both places, by the pool where that is worth it."""
        first, scope = 0, inspector.scope
        if self._pool and self._pool.is_worth(scope.last_seal):
            snapshot = reads.export_snapshot(inspector.connection)
            with self._pool.inspect(scope, snapshot) as ranges:
                for each in ranges:
                    yield from each.seals
                    foreign += each.foreign
            first = scope.last_seal + 1
        # What the bucket has beyond the database is anybody's guess: one after the other.
        yield from inspector.inspect(SealRange(first, None))
        foreign += inspector.foreign

    def _check_seals(
        self, connection: Connection, inspections: Iterable[SealInspection], scope: Scope
    ) -> Iterator[Finding]:
        """Go through the seals of both places side by side, each with its entries."""

        def read_records(seal: Seal) -> Sequence[Record]:
            return reads.read_records(connection, seal.first_xid, seal.until_xid)

        trail = TrailCheck(read_records, breaks=read_breaks(connection, self._keys.values()))
        # The last seal may be on its way to the bucket, if those before it have arrived.
        first_unstored = reads.find_first_unstored(connection)
        previous: Seal | None = None
        for inspection in inspections:
            pair = inspection.pair
            number, seal = pair.reading.number, pair.reading.seal
            is_on_its_way = number == first_unstored == scope.last_seal
            yield from trail.check_copies(pair, may_be_unlocked=is_on_its_way)
            self._coverage.add(seal, is_locked=pair.is_in_bucket)
            if seal is None:
                continue
            self.figures.seals += 1
            self._report_progress(self.figures.seals, max(scope.last_seal, number))
            yield from inspection.lock_faults
            if self._start and pair.is_in_bucket:
                yield from self._start.check(number, pair.reading.hash)
            yield from self._check_entries(trail, inspection, scope, previous)
            previous = seal
            if self._is_intact and pair.is_in_bucket and number > scope.known_until:
                self.checkpoint = Checkpoint(number, pair.reading.hash)
        yield from trail.check_end()
        if self._start:
            yield from self._start.check_end(previous.number if previous else 0)

    def _check_entries(
        self, trail: TrailCheck, inspection: SealInspection, scope: Scope, previous: Seal | None
    ) -> Iterator[Finding]:
        """Check the entries of a seal, unless they are not of the period after all."""
        seal = inspection.pair.reading.seal
        if seal is None:
            return
        previous = previous or seal
        comparison = inspection.comparison
        is_lost = seal.number > scope.last_seal
        if comparison and (is_lost or self._period.overlaps(previous.sealed_at, seal.sealed_at)):
            self.figures.compared_entries += comparison.count
            is_expired = find_legal_end(previous.sealed_at) <= self._now
            reading = inspection.pair.reading
            yield from trail.check_entries(reading, comparison, may_be_missing=is_expired)


@dataclass
class _Coverage:
    """The transactions that seals cover, in their order, and the gaps between them.

    A seal counts as locked where the bucket has it, or one that follows it.
    """

    until: int = 0
    locked_until: int = 0
    locked_entries: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    _open_entries: int = 0

    def add(self, seal: Seal | None, *, is_locked: bool) -> None:
        """Add the range of the next seal; None is one that cannot be read."""
        if is_locked:
            self._lock()
        if seal is None:
            return
        if seal.first_xid > self.until:
            self.gaps.append((self.until, seal.first_xid))
        self.until = max(self.until, seal.until_xid)
        self._open_entries += seal.count
        if is_locked:
            self._lock()

    def _lock(self) -> None:
        self.locked_until = self.until
        self.locked_entries += self._open_entries
        self._open_entries = 0


def _find_uncovered_entries(connection: Connection, coverage: _Coverage) -> Iterator[Finding]:
    for first, until in coverage.gaps:
        numbers = reads.read_numbers(connection, first, until)
        if numbers:
            detail = f"No seal covers the transactions {first} to {until - 1}."
            yield Finding(FindingKind.INSERTION, None, tuple(numbers), detail)


def _is_sealed(transactions: Transactions, number: int) -> bool:
    """Look in a transaction of its own: the verification's does not see what came after."""
    with transactions() as connection:
        return reads.find_seal(connection, number) is not None
