"""Inspection of an export, read once from its first line to its last.

An export must be what was sealed and signed.
"""

import hashlib
from collections.abc import Iterable, Iterator

from registry.audit.trail import keys, merkle
from registry.audit.trail.chain import Chain, SealCopy, read_seal
from registry.audit.trail.entry import Record, hash_leaf
from registry.audit.trail.export_file import (
    FORMAT,
    EndLine,
    EntryLine,
    ExportHeader,
    read_header,
    read_line,
    write_statement,
)
from registry.audit.trail.keys import BadSignature, Keys, UnknownKey
from registry.audit.trail.seal import Seal, read_head
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding, FindingKind, check_seal


class ExportContents:
    """Checks seals and entries as they come by, and counts them.

    `runs` counts stretches of seals without one left out.
    """

    def __init__(self, keys: Keys) -> None:
        self.whole_seals = self.partial_seals = self.runs = self.entries = 0
        self.first_seal: int | None = None
        self.last_seal: int | None = None
        self.signers: set[str] = set()  # key ids
        self._keys, self._chain = keys, Chain(first=None)
        self._is_whole = False
        self._records: list[Record] = []  # of the seal, if it is whole
        self._index = -1  # of the last entry, in a part

    def add(self, line: SealCopy | EntryLine) -> Iterator[Finding]:
        """Find the faults of this line, or of the seal that ends before it."""
        if isinstance(line, SealCopy):
            yield from self.finish_seal()
            yield from self._begin_seal(line)
            return
        self.entries += 1
        seal = self._chain.seal
        if seal is None:
            detail = "There is no seal for it that can be read."
            number = line.record.number
            yield Finding(FindingKind.NOT_PROVEN, self.last_seal, (number,), detail)
        elif self._is_whole:
            self._records.append(line.record)
        else:
            yield from self._check_proof(seal, line)

    def finish_seal(self) -> Iterator[Finding]:
        """Find the faults of the last seal and its entries, once all of them are there."""
        if self._is_whole and self._chain.seal is not None:
            yield from check_seal(self._chain.seal, self._records)
        self._records, self._index, self._is_whole = [], -1, False

    def _begin_seal(self, copy: SealCopy) -> Iterator[Finding]:
        self._is_whole = read_head(copy.text) != copy.text
        self.whole_seals += self._is_whole
        self.partial_seals += not self._is_whole
        self.runs += self.last_seal is None or copy.number != self.last_seal + 1
        self.first_seal = copy.number if self.first_seal is None else self.first_seal
        self.last_seal = copy.number
        yield from self._chain.follow(read_seal(self._keys, copy))
        if self._chain.seal is not None:
            self.signers.add(self._chain.seal.key_id)

    def _check_proof(self, seal: Seal, line: EntryLine) -> Iterator[Finding]:
        entries = (line.record.number,)
        if line.index is None:
            detail = "It comes without a proof."
            yield Finding(FindingKind.NOT_PROVEN, seal.number, entries, detail)
            return
        if line.index <= self._index:
            detail = "It does not come after the one before it."
            yield Finding(FindingKind.REORDER, seal.number, entries, detail)
        self._index = line.index
        leaf = hash_leaf(line.record, seal.form)
        try:
            root = merkle.compute_root_from_path(leaf, line.index, seal.count, line.path)
        except ValueError as error:
            yield Finding(FindingKind.NOT_PROVEN, seal.number, entries, str(error))
            return
        if root.hex() != seal.root:
            detail = "The seal does not hold it."
            yield Finding(FindingKind.NOT_PROVEN, seal.number, entries, detail)


class Inspection:
    """Checks the lines of an export, and counts what is inside.

    Signatures must be by one of the keys of `keyring`; None takes those that the export brings,
    which shows only that it agrees with itself.
    """

    def __init__(self, keyring: Keys | None = None) -> None:
        self.keys = keyring or {}
        self.header: ExportHeader | None = None  # None if it cannot be read
        self.contents = ExportContents(self.keys)
        self.is_signed = False  # as a whole: its seals always are
        self._brings_keys = keyring is None

    def check_lines(self, lines: Iterable[bytes]) -> Iterator[Finding]:
        """Find all faults of these lines, each with its line break.

        No more is held in memory than the entries of one seal.
        """
        numbered_lines = enumerate(lines, start=1)
        _, first = next(numbered_lines, (1, b""))
        try:
            self._begin(first)
        except DamagedText as error:
            yield _make_finding(1, str(error))
            return
        yield from self._check_rest(hashlib.sha256(first), numbered_lines)

    def _begin(self, first: bytes) -> None:
        self.header = read_header(first)
        if self._brings_keys:
            self.keys = keys.make_keyring(self.header.public_keys)
        self.contents = ExportContents(self.keys)

    def _check_rest(
        self, digest: "hashlib._Hash", numbered_lines: Iterator[tuple[int, bytes]]
    ) -> Iterator[Finding]:
        for number, line_bytes in numbered_lines:
            try:
                line = read_line(line_bytes)
            except DamagedText as error:
                yield _make_finding(number, str(error))
            else:
                if isinstance(line, EndLine):
                    yield from self.contents.finish_seal()
                    # The digest is that of the lines before this one.
                    yield from self._check_end(line, number - 1, digest.hexdigest())
                    if next(numbered_lines, None):
                        yield _make_finding(number + 1, "There is more after the end.")
                    return
                yield from self.contents.add(line)
            digest.update(line_bytes)
        yield from self.contents.finish_seal()
        yield Finding(FindingKind.BROKEN_BUNDLE, None, detail="It stops before its end.")

    def _check_end(self, end: EndLine, lines: int, sha256: str) -> Iterator[Finding]:
        if end.key_id is None:
            if end.signature != sha256:
                detail = "The export is not what it says at its end."
                yield Finding(FindingKind.BROKEN_BUNDLE, None, detail=detail)
            return
        self.is_signed = True
        form = self.header.format if self.header else FORMAT
        statement = write_statement(lines, sha256, form)
        try:
            keys.verify(self.keys, end.key_id, statement, end.signature)
        except UnknownKey as error:
            yield Finding(FindingKind.UNKNOWN_KEY, None, detail=str(error))
        except BadSignature:
            detail = "The export is not what was signed at its end."
            yield Finding(FindingKind.BAD_SIGNATURE, None, detail=detail)


def _make_finding(line: int, reason: str) -> Finding:
    return Finding(FindingKind.BROKEN_BUNDLE, None, detail=f"Line {line}: {reason}")
