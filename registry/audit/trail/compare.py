"""The whole trail: the locked seals, the database's copies of them, and its entries."""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from registry.audit.trail.chain import Chain, Copy
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.keys import Keys
from registry.audit.trail.records import Record
from registry.audit.trail.seal import Seal
from registry.audit.trail.verify import check_seal

RecordsOf = Callable[[Seal], Iterable[Record]]


def check_trail(
    bucket: Iterable[Copy],
    database: Iterable[Copy],
    records_of: RecordsOf,
    keys: Keys,
    first: int = 1,
) -> Iterator[Finding]:
    """Everything that is wrong, seal by seal, and at the end what is missing from the end.

    Both places give their seals by number, from `first`. `records_of` gives the entries of the
    transactions that a seal covers, by (xid, number). Where the two places differ, the bucket is
    believed, which cannot be rewritten.
    """
    chain, end = Chain(keys, first), _End(first)
    for held, locked, copy in _paired(bucket, database):
        yield from chain.follow(held)
        yield from _compared(locked, copy)
        yield from end.copy(held.number, is_there=copy is not None)
        seal = chain.seal
        found = list(records_of(seal)) if seal else []
        yield from end.entries(held.number, seal.count if seal else 0, len(found))
        if seal and (found or not seal.count):
            yield from check_seal(seal, found)
    yield from end.reached()


class _End:
    """Tells what is missing from the end from what is missing before it."""

    def __init__(self, first: int) -> None:
        self._last_copy = self._last_entries = first - 1  # seals
        self._without_copy: list[int] = []
        self._without_entries: dict[int, int] = {}  # how many there should be, by seal

    def copy(self, number: int, *, is_there: bool) -> Iterator[Finding]:
        if not is_there:
            self._without_copy.append(number)
            return
        yield from self._copies()
        self._last_copy = number

    def entries(self, number: int, sealed: int, found: int) -> Iterator[Finding]:
        if sealed and not found:
            self._without_entries[number] = sealed
        elif found:
            for seal, count in self._without_entries.items():
                yield Finding(Kind.DELETION, seal, detail=f"All {count} entries are missing.")
            self._without_entries.clear()
            self._last_entries = number

    def reached(self) -> Iterator[Finding]:
        gone = self._without_copy
        if gone and self._last_entries < gone[0]:
            detail = f"The database ends at seal {self._last_copy}, the bucket at {gone[-1]}."
            yield Finding(Kind.ROLLBACK, gone[0], detail=detail)
            self._without_entries = {n: c for n, c in self._without_entries.items() if n < gone[0]}
        else:
            yield from self._copies()
        if self._without_entries:
            first, last = min(self._without_entries), max(self._without_entries)
            count = sum(self._without_entries.values())
            detail = f"None of the {count} entries of the seals {first} to {last} is there."
            yield Finding(Kind.TRUNCATION, first, detail=detail)

    def _copies(self) -> Iterator[Finding]:
        for number in self._without_copy:
            yield Finding(Kind.MISSING_SEAL, number, detail="The database has no copy of it.")
        self._without_copy.clear()


def _compared(locked: Copy | None, copy: Copy | None) -> Iterator[Finding]:
    if locked is None and copy is not None:
        yield Finding(Kind.NOT_LOCKED, copy.number, detail="The bucket does not have it.")
    if locked and copy and (locked.text, locked.signature) != (copy.text, copy.signature):
        detail = "The database and the bucket do not have the same."
        yield Finding(Kind.COPY_DIFFERS, locked.number, detail=detail)


def _paired(
    bucket: Iterable[Copy], database: Iterable[Copy]
) -> Iterator[tuple[Copy, Copy | None, Copy | None]]:
    """The copies of each seal side by side, after the one to believe; None where one lacks it."""
    places = iter(bucket), iter(database)
    locked, copy = (next(place, None) for place in places)
    while there := [each for each in (locked, copy) if each]:
        held = min(there, key=attrgetter("number"))  # of two equals the first
        is_locked = locked is not None and locked.number == held.number
        is_copied = copy is not None and copy.number == held.number
        yield held, locked if is_locked else None, copy if is_copied else None
        locked = next(places[0], None) if is_locked else locked
        copy = next(places[1], None) if is_copied else copy
