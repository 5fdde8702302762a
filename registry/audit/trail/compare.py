"""The trail as a whole: the locked seals, the database's copies of them, and its entries.

Where the two places differ, the bucket is believed, which cannot be rewritten.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from registry.audit.trail.breaks import Break, find_break
from registry.audit.trail.chain import Chain, SealCopy, SealReading, read_seal
from registry.audit.trail.entry import Record
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import Seal
from registry.audit.trail.verify import (
    Comparison,
    EntryTimes,
    Finding,
    FindingKind,
    excuse_lost,
)


class SealPair(NamedTuple):
    """What the two places have of one seal, and a reading of the copy that is believed."""

    reading: SealReading
    is_in_bucket: bool
    is_in_database: bool
    is_same: bool = True


def read_pair(keys: Keys, original: SealCopy | None, copy: SealCopy | None) -> SealPair | None:
    """Read the copies of bucket and database; None where there is neither."""
    believed_copy = original or copy
    if believed_copy is None:
        return None
    is_same = copy is None or (copy.text, copy.signature) == (
        believed_copy.text,
        believed_copy.signature,
    )
    return SealPair(read_seal(keys, believed_copy), original is not None, copy is not None, is_same)


class TrailCheck:
    """Checks a trail seal by seal: `check_copies`, then `check_entries`; at last `check_end`.

    `first` is the number of the first seal, and `breaks` are those that some seal tells of.
    `read_records` gives the entries of a seal once more, where their times are doubtful.
    """

    def __init__(
        self,
        read_records: Callable[[Seal], Iterable[Record]],
        first: int = 1,
        breaks: Sequence[Break] = (),
    ) -> None:
        self._breaks, self._times = breaks, EntryTimes(read_records)
        self._chain = Chain(first)
        self._end = _TrailEnd(first)

    def check_copies(self, pair: SealPair, *, may_be_unlocked: bool = False) -> Iterator[Finding]:
        """Check the copies of the next seal; `may_be_unlocked` excuses that the bucket has none."""
        number = pair.reading.number
        yield from self._chain.follow(pair.reading)
        if not pair.is_in_bucket and not may_be_unlocked:
            detail = "The bucket does not have it."
            yield Finding(FindingKind.NOT_LOCKED, number, detail=detail)
        if not pair.is_same:
            detail = "The database and the bucket do not have the same."
            yield Finding(FindingKind.COPY_DIFFERS, number, detail=detail)
        yield from self._end.note_copy(number, is_there=pair.is_in_database)

    def check_entries(
        self, reading: SealReading, comparison: Comparison | None, *, may_be_missing: bool = False
    ) -> Iterator[Finding]:
        """Check the entries of the seal; `may_be_missing` excuses those that are not there.

        None is of entries that were not compared, as nobody asked for it.
        """
        seal = reading.seal
        if seal is None or comparison is None:
            return
        yield from self._times.check(seal, comparison)
        is_lost = find_break(self._breaks, seal.number) is not None
        if comparison.count:
            yield from self._end.note_entries(reading.number)
        elif seal.count and not (may_be_missing or is_lost):
            self._end.note_lack(reading.number, seal.count)
        # A seal without any of its entries is one finding, not one for each.
        if comparison.count or is_lost or not seal.count:
            for finding in excuse_lost(seal.number, comparison.faults, self._breaks):
                if not (may_be_missing and finding.kind is FindingKind.DELETION):
                    yield finding

    def check_end(self) -> Iterator[Finding]:
        """Find what the last seals lack, after all have been checked."""
        yield from self._end.check()


class _TrailEnd:
    """Tells apart a trail that lacks something before its end and one that was cut off there.

    Copies and entries that are missing wait here: a later one shows that the end is not reached.
    """

    def __init__(self, first: int) -> None:
        self._last_copy = self._last_entries = first - 1  # numbers of seals
        self._without_copy: list[int] = []
        self._without_entries: dict[int, int] = {}  # counts, by the numbers of seals

    def note_copy(self, number: int, *, is_there: bool) -> Iterator[Finding]:
        """Note whether the database has a copy of a seal."""
        if not is_there:
            self._without_copy.append(number)
            return
        yield from self._find_missing_copies()
        self._last_copy = number

    def note_entries(self, number: int) -> Iterator[Finding]:
        """Note that a seal has entries; those before it that have none are not the end."""
        for seal, count in self._without_entries.items():
            detail = f"All {count} entries are missing."
            yield Finding(FindingKind.DELETION, seal, detail=detail)
        self._without_entries.clear()
        self._last_entries = number

    def note_lack(self, number: int, count: int) -> None:
        """Note that all entries of a seal are missing."""
        self._without_entries[number] = count

    def check(self) -> Iterator[Finding]:
        """Find what is missing at the end."""
        without_copy, without_entries = self._without_copy, self._without_entries
        # Without entries too it is an older database, where one finding says all.
        if without_copy and self._last_entries < without_copy[0]:
            first, last = without_copy[0], without_copy[-1]
            detail = f"The database ends at seal {self._last_copy}, the bucket at {last}."
            yield Finding(FindingKind.ROLLBACK, first, detail=detail)
            without_entries = {n: count for n, count in without_entries.items() if n < first}
        else:
            yield from self._find_missing_copies()
        if without_entries:
            first, last = min(without_entries), max(without_entries)
            count = sum(without_entries.values())
            detail = f"None of the {count} entries of the seals {first} to {last} is there."
            yield Finding(FindingKind.TRUNCATION, first, detail=detail)

    def _find_missing_copies(self) -> Iterator[Finding]:
        for number in self._without_copy:
            detail = "The database has no copy of it."
            yield Finding(FindingKind.MISSING_SEAL, number, detail=detail)
        self._without_copy.clear()


class Numbered(Protocol):
    """A place's copy of a seal."""

    @property
    def number(self) -> int:
        """The number of the seal."""
        ...


Original = TypeVar("Original", bound=Numbered)


def pair_copies(
    bucket: Iterable[Original], database: Iterable[SealCopy]
) -> Iterator[tuple[Original | None, SealCopy | None]]:
    """Put the copies of each seal side by side; both places give theirs by number."""
    originals, copies = iter(bucket), iter(database)
    original, copy = next(originals, None), next(copies, None)
    while original or copy:
        number = min(each.number for each in (original, copy) if each)
        in_bucket = original if original and original.number == number else None
        in_database = copy if copy and copy.number == number else None
        yield in_bucket, in_database
        # Read on only where this seal was: the other place is ahead of it.
        original = next(originals, None) if in_bucket else original
        copy = next(copies, None) if in_database else copy
