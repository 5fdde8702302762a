"""Holding the whole trail against its seals, while it goes on being written (contract 4.20)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from registry.audit.sealer import unpacked
from registry.audit.store import reads
from registry.audit.store.seals import seals_from
from registry.audit.trail import seal as seals
from registry.audit.trail.bodies import Broken
from registry.audit.trail.chain import Copy
from registry.audit.trail.compare import check_trail
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.keys import Keys
from registry.audit.trail.records import Record
from registry.audit.trail.retention import legal_until
from registry.blobs import SealStore
from registry.store.schema import Transactions

Tell = Callable[[int, int], None]  # seals that are done, and how many there are

LONGEST: Final = timedelta(hours=1)  # how long a transaction may have been open, at the most


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` to just before `end`, both aware; None is without that limit."""

    begin: datetime | None = None
    end: datetime | None = None

    def overlaps(self, before: datetime, sealed_at: datetime) -> bool:
        """Whether a seal may have entries of the period; `before` is when the last was made."""
        if self.begin is not None and sealed_at < self.begin:
            return False
        return self.end is None or before - LONGEST < self.end


EVER: Final = Period()


class Comparison:
    """Holds the entries against the seals of the bucket, and these against the database's.

    Seals of outside the period are not held against their entries. Where ten years are over,
    entries may be missing. The figures are complete when all findings have been asked for.
    """

    def __init__(self, keys: Keys, period: Period, now: datetime, tell: Tell) -> None:
        self.seals = self.sealed = self.compared = self.unsealed = 0
        self.oldest: datetime | None = None  # of those that are not sealed
        self._keys, self._period, self._now, self._tell = keys, period, now, tell
        self._last = 0  # seal that the database has
        self._locked = 0  # and the bucket, as far as it was read
        self._waiting: int | None = None  # the seal that is about to be stored
        self._sealed_at: datetime | None = None  # the seal before
        self._until = self._covered = 0  # transactions: locked, and under any seal
        self._gaps: list[tuple[int, int]] = []
        self._excused: set[int] = set()  # seals whose entries may be missing
        self._missing: dict[int, int] = {}  # how many there should be, of the last seals
        self._rolled_back: int | None = None

    def findings(self, transactions: Transactions, shelf: SealStore) -> Iterator[Finding]:
        """Everything that is wrong."""
        with transactions() as connection:
            reads.freeze(connection)
            reads.take_time(connection)
            self._last = reads.last_seal(connection)
            is_new = partial(_has_seal, transactions)
            records = partial(self._records, connection)
            bucket, database = self._bucket(shelf, is_new), self._database(connection)
            yield from self._told(check_trail(bucket, database, records, self._keys))
            yield from self._outside(connection)
            yield from _covered_up(shelf)
            self.unsealed, self.oldest = reads.since(connection, self._until)

    def _bucket(self, shelf: SealStore, is_new: Callable[[int], bool]) -> Iterator[Copy]:
        for number in shelf.numbers():
            if number > self._last and is_new(number):
                return  # made since we began, as are all that follow
            content = shelf.get(number)
            if content is not None:
                self._locked = number
                yield _copy(number, content)

    def _database(self, connection: Connection) -> Iterator[Copy]:
        for row in seals_from(connection, 1):
            if row.stored_at is None and self._waiting is None:
                self._waiting = row.seal_number
            yield Copy(row.seal_number, row.seal, row.signature)

    def _records(self, connection: Connection, seal: seals.Seal) -> Sequence[Record]:
        before, self._sealed_at = self._sealed_at or seal.sealed_at, seal.sealed_at
        self._count(seal)
        if legal_until(before) <= self._now:
            self._excused.add(seal.number)
        if seal.number <= self._last and not self._period.overlaps(before, seal.sealed_at):
            self._excused.add(seal.number)
            return []
        found = reads.records(connection, seal.first_xid, seal.until_xid)
        self.compared += len(found)
        if found:
            self._missing.clear()
        elif seal.count and seal.number not in self._excused:
            self._missing[seal.number] = seal.count
        return found

    def _count(self, seal: seals.Seal) -> None:
        self.seals += 1
        self._tell(self.seals, max(self._last, self._locked))
        if seal.first_xid > self._covered:
            self._gaps.append((self._covered, seal.first_xid))
        self._covered = max(self._covered, seal.until_xid)
        if seal.number <= self._locked:
            self.sealed += seal.count
            self._until = self._covered

    def _told(self, findings: Iterator[Finding]) -> Iterator[Finding]:
        """Without what is as it should be: a seal on its way, entries that may be missing."""
        for finding in findings:
            match finding:
                case Finding(Kind.NOT_LOCKED, seal) if seal == self._waiting == self._last:
                    pass
                case Finding(Kind.DELETION, seal) if seal in self._excused:
                    pass
                case Finding(Kind.TRUNCATION):
                    yield from self._truncated()
                case _:
                    if finding.kind is Kind.ROLLBACK:
                        self._rolled_back = finding.seal
                    yield finding

    def _truncated(self) -> Iterator[Finding]:
        end = self._rolled_back
        missing = {n: c for n, c in self._missing.items() if end is None or n < end}
        if missing:
            first, last, count = min(missing), max(missing), sum(missing.values())
            detail = f"None of the {count} entries of the seals {first} to {last} is there."
            yield Finding(Kind.TRUNCATION, first, detail=detail)

    def _outside(self, connection: Connection) -> Iterator[Finding]:
        for first, until in self._gaps:
            numbers = reads.numbers(connection, first, until)
            if numbers:
                detail = f"No seal covers the transactions {first} to {until - 1}."
                yield Finding(Kind.INSERTION, None, tuple(numbers), detail)


def _covered_up(shelf: SealStore) -> Iterator[Finding]:
    for key in shelf.tampered():
        digits = key.rpartition("/")[2].removesuffix(".json")
        number = int(digits) if digits.isascii() and digits.isdecimal() else None
        detail = f"In the bucket something lies over {key} or hides it, or it is no seal."
        yield Finding(Kind.COPY_DIFFERS, number, detail=detail)


def _has_seal(transactions: Transactions, number: int) -> bool:
    with transactions() as connection:
        return reads.seal(connection, number) is not None


def _copy(number: int, content: bytes) -> Copy:
    try:
        return unpacked(number, content)
    except Broken:
        return Copy(number, content.decode("latin-1"), "")
