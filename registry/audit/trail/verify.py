"""What became of the entries of a seal, told by their numbers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

from registry.audit.trail import merkle
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.records import Record, leaf
from registry.audit.trail.seal import Seal

_TRIED: Final = 64  # edited entries of one seal among which an exchange is looked for: each pair


def check_leaves(seal: Seal) -> Iterator[Finding]:
    """Whether a whole seal agrees with itself: its count and its root with its leaves."""
    if len(seal.leaves) != seal.count:
        detail = f"It counts {seal.count} entries and lists {len(seal.leaves)}."
        yield Finding(Kind.BROKEN_SEAL, seal.number, detail=detail)
    if merkle.root(seal.leaves).hex() != seal.root:
        yield Finding(Kind.WRONG_ROOT, seal.number, detail="The root is not that of the leaves.")


def check_seal(seal: Seal, records: Iterable[Record]) -> Iterator[Finding]:
    """How the records of the transactions of a seal, by (xid, number), differ from its leaves.

    Of a seal whose body is unknown it is told only that they differ. All records are held in
    memory, those of one seal.
    """
    found = list(records)
    leaves = [leaf(record) for record in found]
    if tuple(leaves) == seal.leaves and len(leaves) == seal.count:
        return
    if seal.count and not seal.leaves:
        if merkle.root(leaves).hex() != seal.root:
            detail = f"Its {seal.count} entries are not the {len(leaves)} that are here."
            yield Finding(Kind.WRONG_ROOT, seal.number, detail=detail)
        return
    yield from _located(seal, found, leaves)


def _located(seal: Seal, found: Sequence[Record], leaves: Sequence[bytes]) -> Iterator[Finding]:
    sealed = dict(zip(seal.numbers, seal.leaves, strict=True))
    kept: dict[int, Record] = {}
    edited: list[Record] = []
    pairs = list(zip(found, leaves, strict=True))
    right = {record.number for record, hashed in pairs if hashed == sealed.get(record.number)}
    for record, hashed in pairs:
        number, is_right = record.number, hashed == sealed.get(record.number)
        if number not in sealed or number in kept or (number in right and not is_right):
            yield _about(seal, Kind.INSERTION, number, detail="The seal does not have this entry.")
            continue
        kept[number] = record
        if not is_right:
            edited.append(record)
    for number in seal.numbers:
        if number not in kept:
            yield _about(seal, Kind.DELETION, number, detail="The entry is missing.")
    exchanged = _exchanged(edited, sealed)
    swapped = {number for pair in exchanged for number in pair}
    for record in edited:
        if record.number not in swapped:
            yield _about(seal, Kind.EDIT, record.number, detail="The entry is not what was sealed.")
    yield from _moved(seal, list(kept), exchanged)


def _exchanged(edited: Sequence[Record], sealed: dict[int, bytes]) -> set[tuple[int, int]]:
    """Pairs that have each other's contents, which is no edit but a reorder."""
    if len(edited) > _TRIED:
        return set()
    return {
        (min(one.number, other.number), max(one.number, other.number))
        for one, other in combinations(edited, 2)
        if leaf(one._replace(number=other.number)) == sealed[other.number]
        and leaf(other._replace(number=one.number)) == sealed[one.number]
    }


def _moved(
    seal: Seal, numbers: Sequence[int], exchanged: set[tuple[int, int]]
) -> Iterator[Finding]:
    kept = set(numbers)
    places = zip((n for n in seal.numbers if n in kept), numbers, strict=True)
    instead = {sealed: found for sealed, found in places if sealed != found}
    pairs = {(n, m) for n, m in instead.items() if n < m and instead.get(m) == n} | exchanged
    for pair in sorted(pairs):
        yield _about(seal, Kind.REORDER, *pair, detail="The two have changed places.")
    swapped = {number for pair in pairs for number in pair}
    rest = sorted(number for number in instead if number not in swapped)
    if rest:
        yield _about(seal, Kind.REORDER, *rest, detail="They are not in the order of the seal.")


def _about(seal: Seal, kind: Kind, *numbers: int, detail: str) -> Finding:
    return Finding(kind, seal.number, numbers, detail)
