"""Verification of the whole trail, while it goes on being written (contract 4.20)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from registry.audit.checkpoint import Checkpoint
from registry.audit.legal_period import find_legal_end
from registry.audit.locked_seals import LockedSeal, LockedSeals
from registry.audit.store import reads
from registry.audit.store.breaks import read_breaks
from registry.audit.store.seal_bucket import SealStore
from registry.audit.store.seals import read_seals_from
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.compare import SealPair, TrailCheck, pair_copies
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import Seal, hash_seal
from registry.audit.trail.verify import Finding, FindingKind
from registry.store.transactions import Transactions, lift_time_limit

ReportProgress = Callable[[int, int], None]  # seals that are done, and all of them

LONGEST: Final = timedelta(hours=1)  # a transaction is not open for longer


@dataclass(frozen=True, slots=True)
class TrailPeriod:
    """A part of the trail, from `begin` to just before `end`; both aware, None for no limit."""

    begin: datetime | None = None
    end: datetime | None = None

    def overlaps(self, previous_seal: datetime, sealed_at: datetime) -> bool:
        """Say whether a seal may have entries of the period, by its time and that of the last."""
        if self.begin is not None and sealed_at < self.begin:
            return False
        # An entry is sealed once its transaction is over: it may be older than the seal before.
        return self.end is None or previous_seal - LONGEST < self.end


EVER: Final = TrailPeriod()


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
    entries may be missing. Up to a checkpoint the bucket is believed to have what it had.
    """

    def __init__(
        self,
        keys: Keys,
        period: TrailPeriod,
        now: datetime,
        report_progress: ReportProgress,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.figures = VerificationFigures()
        self.checkpoint = checkpoint  # moves on to the last seal before anything that is wrong
        self._start, self._is_intact = checkpoint, True
        self._keys, self._period, self._now = keys, period, now
        self._report_progress = report_progress
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
            locked_seals = LockedSeals(
                bucket, self._keys, transactions, last_seal, self._last_known
            )
            with locked_seals:
                yield from self._check_seals(connection, locked_seals, last_seal)
                yield from _find_uncovered_entries(connection, self._coverage)
                yield from locked_seals.find_foreign_objects()
            rest = reads.find_unsealed(connection, self._coverage.locked_until)
            self.figures.unsealed_entries = rest.total
            self.figures.oldest_unsealed = rest.oldest

    def _check_seals(
        self, connection: Connection, locked_seals: LockedSeals, last_seal: int
    ) -> Iterator[Finding]:
        """Go through the seals of both places side by side, each with its entries."""
        trail = TrailCheck(self._keys, breaks=read_breaks(connection, self._keys.values()))
        # The last seal may be on its way to the bucket, if those before it have arrived.
        first_unstored = reads.find_first_unstored(connection)
        copies = (row.copy for row in read_seals_from(connection, 1))
        previous: Seal | None = None
        for locked_seal, copy in pair_copies(locked_seals, copies):
            pair = _make_pair(locked_seal, copy, locked_seals)
            is_on_its_way = pair.number == first_unstored == last_seal
            yield from trail.check_copies(pair, may_be_unlocked=is_on_its_way)
            seal = trail.seal
            if seal is None:
                continue
            yield from self._check_original(seal, locked_seal, pair.in_bucket)
            is_locked = seal.number <= locked_seals.last_number
            self._count(seal, is_locked=is_locked)
            self._report_progress(self.figures.seals, max(last_seal, locked_seals.last_number))
            previous_seal = (previous or seal).sealed_at
            previous = seal
            # A seal that the database has lost is compared always, to tell what went with it.
            is_outside = seal.number <= last_seal and not self._period.overlaps(
                previous_seal, seal.sealed_at
            )
            is_expired = find_legal_end(previous_seal) <= self._now
            records = (
                [] if is_outside else reads.read_records(connection, seal.first_xid, seal.until_xid)
            )
            self.figures.compared_entries += len(records)
            yield from trail.check_entries(seal, records, may_be_missing=is_outside or is_expired)
            if self._is_intact and pair.in_bucket and seal.number > self._last_known:
                self.checkpoint = Checkpoint(seal.number, hash_seal(pair.in_bucket.text))
        yield from trail.check_end()
        if self._start:
            yield from self._start.check_end(previous.number if previous else 0)

    def _check_original(
        self, seal: Seal, locked_seal: LockedSeal | None, original: SealCopy | None
    ) -> Iterator[Finding]:
        """Check that the bucket keeps the seal, and that it is the one of the checkpoint."""
        if locked_seal:
            yield from locked_seal.check_lock(find_legal_end(seal.sealed_at))
        if self._start and original:
            yield from self._start.check(seal, original.text)

    def _count(self, seal: Seal, *, is_locked: bool) -> None:
        self.figures.seals += 1
        self._coverage.add(seal, is_locked=is_locked)
        if is_locked:
            self.figures.sealed_entries += seal.count

    @property
    def _last_known(self) -> int:
        return self._start.seal if self._start else 0


@dataclass
class _Coverage:
    """The transactions that seals cover, in their order, and the gaps between them."""

    until: int = 0
    locked_until: int = 0  # by seals of the bucket
    gaps: list[tuple[int, int]] = field(default_factory=list)

    def add(self, seal: Seal, *, is_locked: bool) -> None:
        """Add the range of the next seal."""
        if seal.first_xid > self.until:
            self.gaps.append((self.until, seal.first_xid))
        self.until = max(self.until, seal.until_xid)
        if is_locked:
            self.locked_until = self.until


def _find_uncovered_entries(connection: Connection, coverage: _Coverage) -> Iterator[Finding]:
    for first, until in coverage.gaps:
        numbers = reads.read_numbers(connection, first, until)
        if numbers:
            detail = f"No seal covers the transactions {first} to {until - 1}."
            yield Finding(FindingKind.INSERTION, None, tuple(numbers), detail)


def _make_pair(
    locked_seal: LockedSeal | None, copy: SealCopy | None, locked_seals: LockedSeals
) -> SealPair:
    """Put both copies of a seal side by side.

    One that an earlier verification has read is not read again unless the database has lost it: the
    checkpoint shows at last that it has the same.
    """
    if locked_seal is None:
        return SealPair(copy.number if copy else 0, None, copy)
    original = locked_seal.copy or copy or locked_seals.read(locked_seal.number)
    return SealPair(locked_seal.number, original, copy)
