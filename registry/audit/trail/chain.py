"""The chain of seals: each must follow the one before, in the database as in the locked bucket."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from registry.audit.trail import keys
from registry.audit.trail.seal import GENESIS, Seal, hash_seal, parse_seal, read_head
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding, FindingKind, check_leaves, describe_break


@dataclass(frozen=True, slots=True)
class SealCopy:
    """A seal as one place has it; the number is the one that it is kept under there."""

    number: int
    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class SealReading:
    """A copy of a seal with the faults that it has by itself, whatever the seal before it says.

    `number` is that of the copy, `seal` None if it cannot be read: `faults` says why. `hash` is the
    one by which the next seal names it, empty then.
    """

    number: int
    seal: Seal | None
    hash: str = ""
    signature_faults: tuple[Finding, ...] = ()
    faults: tuple[Finding, ...] = ()

    def drop_body(self) -> "SealReading":
        """Give the same without numbers and leaves, which nobody needs to follow the chain."""
        seal = self.seal and replace(self.seal, numbers=(), leaves=())
        return replace(self, seal=seal)


def read_seal(public_keys: keys.Keys, copy: SealCopy) -> SealReading:
    """Read a copy of a seal, and find its faults: signature, root, count."""
    try:
        seal = parse_seal(copy.text)
    except DamagedText as error:
        finding = Finding(FindingKind.BROKEN_SEAL, copy.number, detail=str(error))
        return SealReading(copy.number, None, faults=(finding,))
    faults = check_leaves(seal) if read_head(copy.text) != copy.text else ()
    signature_faults = tuple(_check_signature(public_keys, copy, seal.key_id))
    return SealReading(copy.number, seal, hash_seal(copy.text), signature_faults, tuple(faults))


class Chain:
    """Follows seals from the one with number `first`; the first ever has number 1.

    `first` None begins anywhere and lets seals be left out, as in an export.
    """

    def __init__(self, first: int | None = 1) -> None:
        self._may_skip = first is None
        self._next_number = first
        # Of the seal before; None where there is none to compare the next one with.
        self._hash: str | None = GENESIS if first == 1 else None
        self._until_xid: int | None = 0 if first == 1 else None
        self.seal: Seal | None = None  # the last one; None if it cannot be read

    def follow(self, reading: SealReading) -> Iterator[Finding]:
        """Find the faults of the next seal; after a missing one its links are not looked at."""
        yield from self._check_number(reading.number)
        self.seal = seal = reading.seal
        if seal is None:
            # The next seal is not blamed for this one: nothing is known that it should follow.
            self._hash = self._until_xid = None
            yield from reading.faults
            return
        yield from reading.signature_faults
        yield from self._check_links(reading.number, seal)
        yield from reading.faults
        if seal.known_break:
            yield from describe_break(seal, seal.known_break)
        self._hash, self._until_xid = reading.hash, seal.until_xid

    def _check_number(self, seal_number: int) -> Iterator[Finding]:
        number, self._next_number = self._next_number, seal_number + 1
        if number is None or number == seal_number:
            return
        self._hash = self._until_xid = None
        if seal_number < number:
            detail = "It comes after a later one."
            yield Finding(FindingKind.BROKEN_CHAIN, seal_number, detail=detail)
        elif not self._may_skip:
            detail = f"The seals {number} to {seal_number - 1} are nowhere."
            yield Finding(FindingKind.MISSING_SEAL, number, detail=detail)

    def _check_links(self, number: int, seal: Seal) -> Iterator[Finding]:
        if seal.number != number:
            detail = f"It says that it is seal {seal.number}."
            yield Finding(FindingKind.BROKEN_CHAIN, number, detail=detail)
        if self._hash is not None and seal.previous != self._hash:
            detail = "It does not follow the seal before it."
            yield Finding(FindingKind.BROKEN_CHAIN, number, detail=detail)
        begin = seal.first_xid if self._until_xid is None else self._until_xid
        if seal.first_xid > begin:
            detail = f"Nothing covers the transactions {begin} to {seal.first_xid - 1}."
            yield Finding(FindingKind.GAP, number, detail=detail)
        if seal.first_xid < begin or seal.until_xid < seal.first_xid:
            detail = f"It covers {seal.first_xid} to {seal.until_xid}, the one before ends {begin}."
            yield Finding(FindingKind.OVERLAP, number, detail=detail)


def _check_signature(public_keys: keys.Keys, copy: SealCopy, signer: str) -> Iterator[Finding]:
    try:
        keys.verify(public_keys, signer, read_head(copy.text), copy.signature)
    except keys.UnknownKey as error:
        yield Finding(FindingKind.UNKNOWN_KEY, copy.number, detail=str(error))
    except keys.BadSignature as error:
        yield Finding(FindingKind.BAD_SIGNATURE, copy.number, detail=str(error))
