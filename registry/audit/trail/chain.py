"""Whether seals follow each other, in the database as in the locked bucket."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry.audit.trail import seal as seals
from registry.audit.trail.bodies import Broken
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.keys import BadSignature, Keys, UnknownKey
from registry.audit.trail.seal import GENESIS, Seal
from registry.audit.trail.verify import check_leaves


@dataclass(frozen=True, slots=True)
class Copy:
    """A seal as one place has it; the number is the one it is kept under there."""

    number: int
    text: str
    signature: str


class Chain:
    """Follows seals from the one with number `first`; the first ever has number 1.

    `first` None begins anywhere and lets seals be left out, as in an export.
    """

    def __init__(self, keys: Keys, first: int | None = 1) -> None:
        self._keys = keys
        self._leaves_out = first is None
        self._number = first
        self._hash: str | None = GENESIS if first == 1 else None
        self._xid: int | None = 0 if first == 1 else None
        self.seal: Seal | None = None  # the one that was followed last; None if it cannot be read

    def follow(self, copy: Copy) -> Iterator[Finding]:
        """What is wrong with the next seal; where one is missing, its links are not looked at."""
        yield from self._place(copy)
        try:
            self.seal = seal = seals.parse(copy.text)
        except Broken as error:
            self.seal = self._hash = self._xid = None
            yield Finding(Kind.BROKEN_SEAL, copy.number, detail=str(error))
            return
        yield from _signed(self._keys, copy)
        yield from self._linked(copy, seal)
        if seals.head(copy.text) != copy.text:
            yield from check_leaves(seal)
        self._hash, self._xid = seals.seal_hash(copy.text), seal.until_xid

    def _place(self, copy: Copy) -> Iterator[Finding]:
        expected, self._number = self._number, copy.number + 1
        if expected is None or expected == copy.number:
            return
        self._hash = self._xid = None
        if copy.number < expected:
            yield Finding(Kind.BROKEN_CHAIN, copy.number, detail="It comes after a later one.")
        elif not self._leaves_out:
            detail = f"The seals {expected} to {copy.number - 1} are nowhere."
            yield Finding(Kind.MISSING_SEAL, expected, detail=detail)

    def _linked(self, copy: Copy, seal: Seal) -> Iterator[Finding]:
        if seal.number != copy.number:
            detail = f"It says that it is seal {seal.number}."
            yield Finding(Kind.BROKEN_CHAIN, copy.number, detail=detail)
        if self._hash is not None and seal.previous != self._hash:
            detail = "It does not follow the seal before it."
            yield Finding(Kind.BROKEN_CHAIN, copy.number, detail=detail)
        begin = seal.first_xid if self._xid is None else self._xid
        if seal.first_xid > begin:
            detail = f"Nothing covers the transactions {begin} to {seal.first_xid - 1}."
            yield Finding(Kind.GAP, copy.number, detail=detail)
        if seal.first_xid < begin or seal.until_xid < seal.first_xid:
            detail = f"It covers {seal.first_xid} to {seal.until_xid}, the one before ends {begin}."
            yield Finding(Kind.OVERLAP, copy.number, detail=detail)


def check_chain(copies: Iterable[Copy], keys: Keys, first: int | None = 1) -> Iterator[Finding]:
    """All seals of one place, in the order of their numbers, without their entries."""
    chain = Chain(keys, first)
    for copy in copies:
        yield from chain.follow(copy)


def _signed(keys: Keys, copy: Copy) -> Iterator[Finding]:
    try:
        seals.verify_signature(keys, copy.text, copy.signature)
    except UnknownKey as error:
        yield Finding(Kind.UNKNOWN_KEY, copy.number, detail=str(error))
    except BadSignature as error:
        yield Finding(Kind.BAD_SIGNATURE, copy.number, detail=str(error))
