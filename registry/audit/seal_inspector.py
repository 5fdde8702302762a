"""Inspection of seals, each by itself: by many at once, since it asks for nothing before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from registry.audit.entry_batches import compare_in_batches
from registry.audit.legal_period import find_legal_end
from registry.audit.locked_seals import LockedSeal, LockedSeals
from registry.audit.period import TrailPeriod
from registry.audit.store.seal_bucket import SealStore
from registry.audit.store.seals import read_copies
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.compare import SealPair, pair_copies, read_pair
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import Seal
from registry.audit.trail.verify import Comparison, Finding


class SealInspection(NamedTuple):
    """All that can be said of a seal without those before it.

    `comparison` is None where its entries are not of the period.
    """

    pair: SealPair
    lock_faults: tuple[Finding, ...]
    comparison: Comparison | None


class SealRange(NamedTuple):
    """The numbers of seals from `first` to just before `until`, None for all that follow."""

    first: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a verification: which entries are compared, and what need not be read.

    `last_seal` is the last of the database; up to `known_until` the bucket was read before.
    """

    period: TrailPeriod
    last_seal: int
    known_until: int


@dataclass
class SealInspector:
    """Inspects seals and their entries, in one state of the database.

    `is_new` says of a number after `last_seal` that the database has this seal by now. `foreign`
    has what else the bucket has, of all that was inspected.
    """

    connection: Connection
    bucket: SealStore
    keys: Keys
    scope: Scope
    is_new: Callable[[int], bool]
    foreign: list[Finding] = field(default_factory=list)

    def inspect(self, seals: SealRange) -> Iterator[SealInspection]:
        """Inspect the seals of a range, in their order; raises `Unavailable`."""
        scope = self.scope
        locked_seals = LockedSeals(
            self.bucket, self.keys, scope.last_seal, scope.known_until, self.is_new
        )
        pairs = self._read_pairs(locked_seals, seals)
        for (pair, lock_faults), comparison in compare_in_batches(self.connection, pairs):
            yield SealInspection(pair, lock_faults, comparison)
        self.foreign += locked_seals.find_foreign_objects()

    def _read_pairs(
        self, locked_seals: LockedSeals, seals: SealRange
    ) -> Iterator[tuple[tuple[SealPair, tuple[Finding, ...]], Seal | None]]:
        """Read both copies of each seal, and choose the seals whose entries are compared."""
        copies = read_copies(self.connection, *seals)
        previous: Seal | None = None
        for locked_seal, copy in pair_copies(locked_seals.read(*seals), copies):
            original = _choose_original(locked_seals, locked_seal, copy)
            pair = read_pair(self.keys, original, copy)
            if pair is None:
                continue
            seal = pair.reading.seal
            slim_pair = pair._replace(reading=pair.reading.drop_body())
            yield (
                (slim_pair, _check_lock(locked_seal, seal)),
                seal if self._is_compared(seal, previous) else None,
            )
            previous = seal or previous

    def _is_compared(self, seal: Seal | None, previous: Seal | None) -> bool:
        if seal is None:
            return False
        # A seal that the database has lost is compared always, to tell what went with it.
        is_lost = seal.number > self.scope.last_seal
        before = previous.sealed_at if previous else None
        return is_lost or self.scope.period.overlaps(before, seal.sealed_at)


def _choose_original(
    locked_seals: LockedSeals, locked_seal: LockedSeal | None, copy: SealCopy | None
) -> SealCopy | None:
    """Choose what counts as the bucket's copy; None where it has none.

    One that an earlier verification has read is not read again unless the database has lost it: the
    checkpoint shows at last that it has the same.
    """
    if locked_seal is None:
        return None
    return locked_seal.copy or copy or locked_seals.read_one(locked_seal.number)


def _check_lock(locked_seal: LockedSeal | None, seal: Seal | None) -> tuple[Finding, ...]:
    if locked_seal is None or seal is None:
        return ()
    return tuple(locked_seal.check_lock(find_legal_end(seal.sealed_at)))
