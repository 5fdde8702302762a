"""The seals of the bucket in a range of numbers, and what else somebody has put there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter

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


@dataclass
class LockedSeals:
    """Reads the seals of a range in order, but for those that are made during the verification.

    Those up to `known_until` are not read: an earlier verification did, and nobody changed them.
    After `last_seal`, the last of the database, `is_new` says of a number that it has one by now.
    """

    bucket: SealStore
    keys: Keys
    last_seal: int
    known_until: int
    is_new: Callable[[int], bool]
    _foreign: list[tuple[str, Finding]] = field(default_factory=list)  # by key

    def read(self, first: int, until: int | None) -> Iterator[LockedSeal]:
        """Read from this number on to just before the other, None for all that follow."""
        for stored_object, versions in self.bucket.fetch_all(self._list_seals(first, until)):
            number = stored_object.number or 0
            if number <= self.known_until:
                yield LockedSeal(number, None)
                continue
            locked_seal = choose_seal(self.keys, number, versions)
            if locked_seal.copy is None:
                detail = "The bucket has something under its name that is no seal."
                finding = Finding(FindingKind.FOREIGN, number, detail=detail)
                self._foreign.append((stored_object.key, finding))
                continue
            yield locked_seal

    def find_foreign_objects(self) -> Iterator[Finding]:
        """Find what else was in the range, in the order of keys, after all seals were read."""
        yield from (finding for _, finding in sorted(self._foreign, key=itemgetter(0)))

    def read_one(self, number: int) -> SealCopy | None:
        """Read a seal that was not, since the database has no copy of it."""
        return choose_seal(self.keys, number, self.bucket.read(number)).copy

    def _list_seals(self, first: int, until: int | None) -> Iterator[SealObject]:
        is_new = False  # as are all that follow
        for stored_object in self.bucket.list_objects(first, until):
            number = stored_object.number
            if stored_object.is_touched:
                what = f"Something lies over or under {stored_object.key} or hides it"
                detail = f"{what}, or it is no seal."
                finding = Finding(FindingKind.COPY_DIFFERS, number, detail=detail)
                self._foreign.append((stored_object.key, finding))
            if number is None or is_new:
                continue
            is_new = number > self.last_seal and self.is_new(number)
            if not is_new:
                is_known = number <= self.known_until
                yield replace(stored_object, versions=()) if is_known else stored_object


def choose_seal(keys: Keys, number: int, versions: Sequence[StoredSeal]) -> LockedSeal:
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
