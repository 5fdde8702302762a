"""The chain of seals: each must follow the one before, in the database as in the locked bucket."""

from collections.abc import Iterator
from dataclasses import dataclass

from registry.audit.trail.keys import BadSignature, Keys, UnknownKey
from registry.audit.trail.seal import (
    GENESIS,
    Seal,
    hash_seal,
    parse_seal,
    read_head,
    verify_signature,
)
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding, FindingKind, check_leaves, describe_break


@dataclass(frozen=True, slots=True)
class SealCopy:
    """A seal as one place has it; the number is the one that it is kept under there."""

    number: int
    text: str
    signature: str


class Chain:
    """Follows seals from the one with number `first`; the first ever has number 1.

    `first` None begins anywhere and lets seals be left out, as in an export.
    """

    def __init__(self, keys: Keys, first: int | None = 1) -> None:
        self._keys = keys
        self._may_skip = first is None
        self._next_number = first
        # Of the seal before; None where there is none to compare the next one with.
        self._hash: str | None = GENESIS if first == 1 else None
        self._until_xid: int | None = 0 if first == 1 else None
        self.seal: Seal | None = None  # the last one; None if it cannot be read

    def follow(self, copy: SealCopy) -> Iterator[Finding]:
        """Find the faults of the next seal; after a missing one its links are not looked at."""
        yield from self._check_number(copy)
        try:
            self.seal = seal = parse_seal(copy.text)
        except DamagedText as error:
            # The next seal is not blamed for this one: nothing is known that it should follow.
            self.seal = self._hash = self._until_xid = None
            yield Finding(FindingKind.BROKEN_SEAL, copy.number, detail=str(error))
            return
        yield from _check_signature(self._keys, copy)
        yield from self._check_links(copy, seal)
        if read_head(copy.text) != copy.text:
            yield from check_leaves(seal)
        if seal.known_break:
            yield from describe_break(seal, seal.known_break)
        self._hash, self._until_xid = hash_seal(copy.text), seal.until_xid

    def _check_number(self, copy: SealCopy) -> Iterator[Finding]:
        number, self._next_number = self._next_number, copy.number + 1
        if number is None or number == copy.number:
            return
        self._hash = self._until_xid = None
        if copy.number < number:
            detail = "It comes after a later one."
            yield Finding(FindingKind.BROKEN_CHAIN, copy.number, detail=detail)
        elif not self._may_skip:
            detail = f"The seals {number} to {copy.number - 1} are nowhere."
            yield Finding(FindingKind.MISSING_SEAL, number, detail=detail)

    def _check_links(self, copy: SealCopy, seal: Seal) -> Iterator[Finding]:
        if seal.number != copy.number:
            detail = f"It says that it is seal {seal.number}."
            yield Finding(FindingKind.BROKEN_CHAIN, copy.number, detail=detail)
        if self._hash is not None and seal.previous != self._hash:
            detail = "It does not follow the seal before it."
            yield Finding(FindingKind.BROKEN_CHAIN, copy.number, detail=detail)
        begin = seal.first_xid if self._until_xid is None else self._until_xid
        if seal.first_xid > begin:
            detail = f"Nothing covers the transactions {begin} to {seal.first_xid - 1}."
            yield Finding(FindingKind.GAP, copy.number, detail=detail)
        if seal.first_xid < begin or seal.until_xid < seal.first_xid:
            detail = f"It covers {seal.first_xid} to {seal.until_xid}, the one before ends {begin}."
            yield Finding(FindingKind.OVERLAP, copy.number, detail=detail)


def _check_signature(keys: Keys, copy: SealCopy) -> Iterator[Finding]:
    try:
        verify_signature(keys, copy.text, copy.signature)
    except UnknownKey as error:
        yield Finding(FindingKind.UNKNOWN_KEY, copy.number, detail=str(error))
    except BadSignature as error:
        yield Finding(FindingKind.BAD_SIGNATURE, copy.number, detail=str(error))
