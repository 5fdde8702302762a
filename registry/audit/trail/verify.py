"""Findings: the faults of an audit trail; and those of the entries of one seal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Final

from registry.audit.trail import merkle
from registry.audit.trail.breaks import Break, find_break
from registry.audit.trail.entry import Record, hash_leaf, read_timestamp
from registry.audit.trail.seal import Seal

# An exchange is looked for among all pairs of edited entries, which takes the square of these.
_MOST_PAIRED: Final = 64
_NUMBERS_PRINTED: Final = 10
# Entries come by the beginning of their transactions, of which none is open for longer.
_LONGEST: Final = timedelta(hours=1)


class FindingKind(StrEnum):
    """The ways in which a trail is not what was sealed."""

    EDIT = "edit"
    DELETION = "deletion"
    INSERTION = "insertion"
    REORDER = "reorder"
    TRUNCATION = "truncation"  # the entries of the last seals are gone
    ROLLBACK = "rollback"  # entries and copies of the last seals are gone: an older database
    BROKEN_SEAL = "broken seal"
    BROKEN_CHAIN = "broken chain"
    BAD_SIGNATURE = "bad signature"
    UNKNOWN_KEY = "unknown key"
    WRONG_ROOT = "wrong root"
    GAP = "gap"  # in the transactions that seals cover
    OVERLAP = "overlap"
    MISSING_SEAL = "missing seal"
    NOT_LOCKED = "not locked"  # only the database has it: the next to go to the bucket, or forged
    COPY_DIFFERS = "copy differs"
    BROKEN_BUNDLE = "broken bundle"  # an export
    NOT_PROVEN = "not proven"
    TIME = "time"  # an entry says that it was long before the one that it follows
    FOREIGN = "foreign object"  # in the bucket, and no seal
    KNOWN_BREAK = "known break"  # an older database, and sealing that an operator resumed


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: of seal `seal`, or of the whole; and of these entries, by their numbers."""

    kind: FindingKind
    seal: int | None
    entries: tuple[int, ...] = ()
    detail: str = ""

    @property
    def is_known(self) -> bool:
        """Say that it is no fault, but what operators decided and signed."""
        return self.kind is FindingKind.KNOWN_BREAK

    def __str__(self) -> str:
        """One line for a person: place, kind and detail."""
        places = [] if self.seal is None else [f"seal {self.seal}"]
        if self.entries:
            numbers = ", ".join(map(str, self.entries[:_NUMBERS_PRINTED]))
            rest = len(self.entries) - _NUMBERS_PRINTED
            more = f" and {rest} more" if rest > 0 else ""
            places.append(f"{'entry' if len(self.entries) == 1 else 'entries'} {numbers}{more}")
        return ": ".join(part for part in (", ".join(places), self.kind, self.detail) if part)


def check_leaves(seal: Seal) -> Iterator[Finding]:
    """Check that count and root of a whole seal are those of its leaves."""
    if len(seal.leaves) != seal.count:
        detail = f"It counts {seal.count} entries and lists {len(seal.leaves)}."
        yield Finding(FindingKind.BROKEN_SEAL, seal.number, detail=detail)
    if merkle.compute_root(seal.leaves).hex() != seal.root:
        detail = "The root is not that of the leaves."
        yield Finding(FindingKind.WRONG_ROOT, seal.number, detail=detail)


def describe_break(seal: Seal, known_break: Break) -> Iterator[Finding]:
    """Tell of the break that a seal has, and whether it is about the seal before it."""
    yield Finding(FindingKind.KNOWN_BREAK, seal.number, detail=str(known_break))
    ours = (seal.number - 1, seal.previous)
    if (known_break.bucket_seal, known_break.bucket_hash) != ours:
        detail = "Its break is not after the seal before it."
        yield Finding(FindingKind.BROKEN_CHAIN, seal.number, detail=detail)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The entries of a seal as they were compared with it: how many, from when to when, faults.

    Times are None where no entry has one.
    """

    count: int
    earliest: datetime | None
    latest: datetime | None
    faults: tuple[Finding, ...]


def compare_entries(seal: Seal, records: Sequence[Record]) -> Comparison:
    """Compare the records of the transactions of a seal, by (xid, number), with the seal alone."""
    times = [record.recorded_at for record in records if record.recorded_at is not None]
    faults = (*check_seal(seal, records), *_find_odd_times(seal.number, records))
    return Comparison(len(records), min(times, default=None), max(times, default=None), faults)


def _find_odd_times(seal: int, records: Iterable[Record]) -> Iterator[Finding]:
    """Find entries that the database wrote long before or after what they say of themselves."""
    for record in records:
        stated_at = read_timestamp(record.text)
        if stated_at is None or record.recorded_at is None:
            continue
        if abs(stated_at - record.recorded_at) > _LONGEST:
            detail = f"It says {stated_at}, and was written at {record.recorded_at}."
            yield Finding(FindingKind.TIME, seal, (record.number,), detail)


class EntryTimes:
    """Compares the time of each entry, which the database gave it, with those before it.

    `read_records` gives the entries of a seal once more, where not all can be in order.
    """

    def __init__(self, read_records: Callable[[Seal], Iterable[Record]]) -> None:
        self._read_records = read_records
        self._latest = datetime.min.replace(tzinfo=UTC)

    def check(self, seal: Seal, comparison: Comparison) -> Iterator[Finding]:
        """Find the entries of the next seal that say that they were long before others."""
        if comparison.earliest is None or comparison.latest is None:
            return
        latest = max(self._latest, comparison.latest)
        if latest - comparison.earliest <= _LONGEST:
            self._latest = latest
            return
        odd_faults = (fault for fault in comparison.faults if fault.kind is FindingKind.TIME)
        odd_numbers = {number for fault in odd_faults for number in fault.entries}
        for record in self._read_records(seal):
            if record.recorded_at is None or record.number in odd_numbers:
                continue
            if record.recorded_at > self._latest:
                self._latest = record.recorded_at
            elif self._latest - record.recorded_at > _LONGEST:
                detail = f"It is of {record.recorded_at}, after one of {self._latest}."
                yield Finding(FindingKind.TIME, seal.number, (record.number,), detail)


def check_seal(seal: Seal, records: Iterable[Record]) -> Iterator[Finding]:
    """Find how the records of the transactions of a seal, by (xid, number), differ from its leaves.

    Against a seal whose body is unknown, one finding says only that they differ. All records of the
    seal are held in memory.
    """
    records = list(records)
    leaves = [hash_leaf(record, seal.form) for record in records]
    if tuple(leaves) == seal.leaves and len(leaves) == seal.count:
        return
    if seal.count and not seal.leaves:
        if merkle.compute_root(leaves).hex() != seal.root:
            detail = f"Its {seal.count} entries are not the {len(leaves)} that are here."
            yield Finding(FindingKind.WRONG_ROOT, seal.number, detail=detail)
        return
    yield from _locate(seal, records, leaves)


def check_records(
    seal: Seal, records: Iterable[Record], breaks: Iterable[Break]
) -> Iterator[Finding]:
    """Find the same, but for entries of which a break says that an older database had lost them."""
    yield from excuse_lost(seal.number, check_seal(seal, records), breaks)


def excuse_lost(
    seal: int, findings: Iterable[Finding], breaks: Iterable[Break]
) -> Iterator[Finding]:
    """Leave out entries that are missing, and of which a break says that they were lost."""
    known_break = find_break(breaks, seal)
    for finding in findings:
        is_lost = (
            known_break is not None
            and finding.kind is FindingKind.DELETION
            and not any(known_break.keeps(seal, number) for number in finding.entries)
        )
        if not is_lost:
            yield finding


def _locate(seal: Seal, records: Sequence[Record], leaves: Sequence[bytes]) -> Iterator[Finding]:
    """Say of each record, by its number, what was done to it since the seal was made."""
    leaf_of = dict(zip(seal.numbers, seal.leaves, strict=True))
    pairs = list(zip(records, leaves, strict=True))
    right_numbers = {record.number for record, leaf in pairs if leaf == leaf_of.get(record.number)}
    order: dict[int, None] = {}  # the numbers that the seal has, as the records come
    edits: list[Record] = []
    for record, leaf in pairs:
        number, is_right = record.number, leaf == leaf_of.get(record.number)
        # Of several records under one number, the one that the seal has counts, or the first.
        is_extra = number in order or (number in right_numbers and not is_right)
        if number not in leaf_of or is_extra:
            detail = "The seal does not have this entry."
            yield _make_finding(seal, FindingKind.INSERTION, number, detail=detail)
            continue
        order[number] = None
        if not is_right:
            edits.append(record)
    for number in seal.numbers:
        if number not in order:
            detail = "The entry is missing."
            yield _make_finding(seal, FindingKind.DELETION, number, detail=detail)
    yield from _tell_edits_from_moves(seal, list(order), edits, leaf_of)


def _tell_edits_from_moves(
    seal: Seal, numbers: Sequence[int], edits: Sequence[Record], leaf_of: dict[int, bytes]
) -> Iterator[Finding]:
    exchanges = _find_exchanges(edits, leaf_of, seal.form)
    exchange_numbers = {number for pair in exchanges for number in pair}
    for record in edits:
        if record.number not in exchange_numbers:
            detail = "The entry is not what was sealed."
            yield _make_finding(seal, FindingKind.EDIT, record.number, detail=detail)
    yield from _find_moves(seal, numbers, exchanges)


def _find_exchanges(
    edits: Sequence[Record], leaf_of: dict[int, bytes], form: int
) -> set[tuple[int, int]]:
    """Find pairs that have each other's contents, which is no edit but a reorder."""
    if len(edits) > _MOST_PAIRED:
        return set()
    return {
        (min(one.number, other.number), max(one.number, other.number))
        for one, other in combinations(edits, 2)
        if _is_exchange(one, other, leaf_of, form)
    }


def _is_exchange(one: Record, other: Record, leaf_of: dict[int, bytes], form: int) -> bool:
    """Say whether two have each other's texts, with or without the time that belongs to them."""
    moved_rows = one._replace(number=other.number), other._replace(number=one.number)
    moved_texts = (
        moved_rows[0]._replace(recorded_at=other.recorded_at),
        moved_rows[1]._replace(recorded_at=one.recorded_at),
    )
    return any(
        all(hash_leaf(record, form) == leaf_of[record.number] for record in pair)
        for pair in (moved_rows, moved_texts)
    )


def _find_moves(
    seal: Seal, numbers: Sequence[int], exchanges: set[tuple[int, int]]
) -> Iterator[Finding]:
    """Compare the order of `numbers` with that of the seal."""
    present = set(numbers)
    places = zip((n for n in seal.numbers if n in present), numbers, strict=True)
    replacement = {ours: theirs for ours, theirs in places if ours != theirs}
    # Two that stand in each other's place were exchanged; longer moves are told together.
    swaps = {(n, m) for n, m in replacement.items() if n < m and replacement.get(m) == n}
    pairs = swaps | exchanges
    for pair in sorted(pairs):
        detail = "The two have changed places."
        yield _make_finding(seal, FindingKind.REORDER, *pair, detail=detail)
    pair_numbers = {number for pair in pairs for number in pair}
    rest = sorted(number for number in replacement if number not in pair_numbers)
    if rest:
        detail = "They are not in the order of the seal."
        yield _make_finding(seal, FindingKind.REORDER, *rest, detail=detail)


def _make_finding(seal: Seal, kind: FindingKind, *numbers: int, detail: str) -> Finding:
    return Finding(kind, seal.number, numbers, detail)
