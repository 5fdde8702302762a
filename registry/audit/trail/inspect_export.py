"""Whether an export is what was sealed and signed, read once from its first line to its last."""

import hashlib
from collections.abc import Iterable, Iterator

from registry.audit.trail import export_file, keys, lines
from registry.audit.trail.bodies import Broken
from registry.audit.trail.contents import Contents
from registry.audit.trail.export_file import Header
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.keys import BadSignature, Keys, UnknownKey
from registry.audit.trail.lines import End


class Inspection:
    """Checks the lines of an export, and counts what is inside.

    Signatures must be by one of the keys `trusted`; None trusts those that the export brings, which
    shows only that it agrees with itself.
    """

    def __init__(self, trusted: Keys | None = None) -> None:
        self.keys = trusted or {}
        self.header: Header | None = None  # None if it cannot be read
        self.contents = Contents(self.keys)
        self._trusted = trusted

    def findings(self, source: Iterable[bytes]) -> Iterator[Finding]:
        """Everything that is wrong with these lines, each with its line break.

        No more is held in memory than the entries of one seal.
        """
        numbered = enumerate(source, start=1)
        _, first = next(numbered, (1, b""))
        try:
            self._begin(first)
        except Broken as error:
            yield _broken(1, str(error))
            return
        yield from self._rest(hashlib.sha256(first), numbered)

    def _begin(self, first: bytes) -> None:
        self.header = lines.read_header(first)
        if self._trusted is None:
            self.keys = keys.keyring(self.header.public_keys)
        self.contents = Contents(self.keys)

    def _rest(
        self, hashed: "hashlib._Hash", numbered: Iterator[tuple[int, bytes]]
    ) -> Iterator[Finding]:
        for number, line in numbered:
            try:
                read = lines.read(line)
            except Broken as error:
                yield _broken(number, str(error))
            else:
                if isinstance(read, End):
                    yield from self.contents.finish()
                    yield from self._signed(
                        read, export_file.statement(number - 1, hashed.hexdigest())
                    )
                    if next(numbered, None):
                        yield _broken(number + 1, "There is more after the end.")
                    return
                yield from self.contents.take(read)
            hashed.update(line)
        yield from self.contents.finish()
        yield Finding(Kind.BROKEN_BUNDLE, None, detail="It stops before its end.")

    def _signed(self, end: End, statement: str) -> Iterator[Finding]:
        try:
            keys.verify(self.keys, end.key_id, statement, end.signature)
        except UnknownKey as error:
            yield Finding(Kind.UNKNOWN_KEY, None, detail=str(error))
        except BadSignature:
            detail = "The export is not what was signed at its end."
            yield Finding(Kind.BAD_SIGNATURE, None, detail=detail)


def _broken(line: int, why: str) -> Finding:
    return Finding(Kind.BROKEN_BUNDLE, None, detail=f"Line {line}: {why}")
