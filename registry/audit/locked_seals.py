"""The seals of the bucket, read by many threads and given in order."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from registry.audit.store import reads
from registry.audit.store.seal_bucket import (
    SealObject,
    SealStore,
    StoredSeal,
    is_signed,
    unpack_seal,
)
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import parse_seal, read_head
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding, FindingKind
from registry.store.transactions import Transactions

_THREADS: Final = 8
_AHEAD: Final = 64  # seals that are asked for before they are needed


@dataclass(frozen=True, slots=True)
class LockedSeal:
    """What the bucket has under the number of a seal; `copy` is None where it was not read.

    `versions` are all that it has, the oldest first.
    """

    number: int
    copy: SealCopy | None
    content: bytes = b""
    versions: Sequence[StoredSeal] = ()

    def check_lock(self, until: datetime) -> Iterator[Finding]:
        """Find that somebody could delete the seal before its time, or another object like it."""
        if self.copy is None:
            return
        alike = [each.is_kept(until) for each in self.versions if each.content == self.content]
        if not any(alike):
            detail = f"The bucket has it without a lock until {until.isoformat()}."
            yield Finding(FindingKind.NOT_LOCKED, self.number, detail=detail)
        elif not all(alike):
            detail = "The bucket has a second one, which somebody else put there without a lock."
            yield Finding(FindingKind.FOREIGN, self.number, detail=detail)


class LockedSeals:
    """The seals of the bucket in order, but for those that are made during the verification.

    Those up to `known_until` are not read: an earlier verification did, and nobody changed them.
    """

    def __init__(
        self,
        bucket: SealStore,
        keys: Keys,
        transactions: Transactions,
        last_seal: int,
        known_until: int = 0,
    ) -> None:
        self.last_number = 0  # as far as they were read
        self._bucket, self._keys, self._transactions = bucket, keys, transactions
        self._last_seal, self._known_until = last_seal, known_until
        self._foreign: list[Finding] = []
        self._pool = ThreadPoolExecutor(_THREADS)

    def __enter__(self) -> Self:
        """Begin to read."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop reading; what is under way is waited for."""
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[LockedSeal]:
        """Give one after the other, while the next ones are read."""
        under_way: deque[Future[LockedSeal | None]] = deque()
        for stored_object in self._list_seals():
            under_way.append(self._pool.submit(self._read, stored_object))
            if len(under_way) > _AHEAD:
                yield from self._give(under_way.popleft())
        while under_way:
            yield from self._give(under_way.popleft())

    def read(self, number: int) -> SealCopy | None:
        """Read a seal that was not, since the database has no copy of it."""
        return _choose(self._keys, number, self._bucket.read(number)).copy

    def find_foreign_objects(self) -> Iterator[Finding]:
        """Find what else was in the bucket, after all seals were read."""
        yield from self._foreign

    def _list_seals(self) -> Iterator[SealObject]:
        is_new = False  # as are all that follow
        for stored_object in self._bucket.list_objects():
            if stored_object.is_touched:
                what = f"Something lies over or under {stored_object.key} or hides it"
                detail = f"{what}, or it is no seal."
                finding = Finding(FindingKind.COPY_DIFFERS, stored_object.number, detail=detail)
                self._foreign.append(finding)
            if stored_object.number is None or is_new:
                continue
            is_new = stored_object.number > self._last_seal and self._is_new(stored_object.number)
            if not is_new:
                yield stored_object

    def _read(self, stored_object: SealObject) -> LockedSeal | None:
        number = stored_object.number or 0
        if number <= self._known_until:
            return LockedSeal(number, None)
        return _choose(self._keys, number, self._bucket.fetch(stored_object))

    def _give(self, future: Future[LockedSeal | None]) -> Iterator[LockedSeal]:
        locked_seal = future.result()
        if locked_seal is None:
            return
        if locked_seal.copy is None and locked_seal.number > self._known_until:
            detail = "The bucket has something under its name that is no seal."
            self._foreign.append(Finding(FindingKind.FOREIGN, locked_seal.number, detail=detail))
            return
        self.last_number = locked_seal.number
        yield locked_seal

    def _is_new(self, number: int) -> bool:
        """Look in a transaction of its own: the verification's does not see what came after."""
        with self._transactions() as connection:
            return reads.find_seal(connection, number) is not None


def _choose(keys: Keys, number: int, versions: Sequence[StoredSeal]) -> LockedSeal:
    """Choose the oldest that one of our keys has signed; else the oldest that is a seal at all."""
    contents = [version.content for version in versions]
    if len(contents) > 1:  # of one alone the chain checks the signature
        contents.sort(key=lambda content: not is_signed(keys, number, content))
    for content in contents:
        with suppress(DamagedText):
            copy = unpack_seal(number, content)
            if parse_seal(read_head(copy.text)).number == number:
                return LockedSeal(number, copy, content, versions)
    return LockedSeal(number, None)
