"""The seals and entries of an export, each held against the other as they come by."""

from collections.abc import Iterator

from registry.audit.trail import merkle
from registry.audit.trail.chain import Chain, Copy
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.keys import Keys
from registry.audit.trail.lines import Proven
from registry.audit.trail.records import Record, leaf
from registry.audit.trail.seal import Seal, head
from registry.audit.trail.verify import check_seal


class Contents:
    """Checks seals and entries, and counts them; `runs` are seals without one left out."""

    def __init__(self, keys: Keys) -> None:
        self.whole = self.parts = self.runs = self.records = 0
        self.first: int | None = None  # seals
        self.last: int | None = None
        self.signers: set[str] = set()  # key ids
        self._chain = Chain(keys, first=None)
        self._is_whole = False
        self._held: list[Record] = []  # of the seal, if it is whole
        self._index = -1  # of the last entry, in a part

    def take(self, read: Copy | Proven) -> Iterator[Finding]:
        """What is wrong with this one, or with the seal that it shows to be complete."""
        if isinstance(read, Copy):
            yield from self.finish()
            yield from self._follow(read)
            return
        self.records += 1
        seal = self._chain.seal
        if seal is None:
            detail = "There is no seal for it that can be read."
            yield Finding(Kind.NOT_PROVEN, self.last, (read.record.number,), detail)
        elif self._is_whole:
            self._held.append(read.record)
        else:
            yield from self._proven(seal, read)

    def finish(self) -> Iterator[Finding]:
        """What is wrong with the last seal and its entries, once all of them are there."""
        if self._is_whole and self._chain.seal is not None:
            yield from check_seal(self._chain.seal, self._held)
        self._held, self._index, self._is_whole = [], -1, False

    def _follow(self, copy: Copy) -> Iterator[Finding]:
        self._is_whole = head(copy.text) != copy.text
        self.whole += self._is_whole
        self.parts += not self._is_whole
        self.runs += self.last is None or copy.number != self.last + 1
        self.first = copy.number if self.first is None else self.first
        self.last = copy.number
        yield from self._chain.follow(copy)
        if self._chain.seal is not None:
            self.signers.add(self._chain.seal.key_id)

    def _proven(self, seal: Seal, read: Proven) -> Iterator[Finding]:
        about = (read.record.number,)
        if read.index is None:
            yield Finding(Kind.NOT_PROVEN, seal.number, about, "It comes without a proof.")
            return
        if read.index <= self._index:
            detail = "It does not come after the one before it."
            yield Finding(Kind.REORDER, seal.number, about, detail)
        self._index = read.index
        try:
            root = merkle.root_from_path(leaf(read.record), read.index, seal.count, read.path)
        except ValueError as error:
            yield Finding(Kind.NOT_PROVEN, seal.number, about, str(error))
            return
        if root.hex() != seal.root:
            yield Finding(Kind.NOT_PROVEN, seal.number, about, "The seal does not hold it.")
