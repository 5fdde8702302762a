"""Exports of the audit trail that prove themselves to whoever has the public key."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.store import reads
from registry.audit.store.seals import seals_from
from registry.audit.trail import export_file
from registry.audit.trail import seal as seals
from registry.audit.trail.bodies import Broken
from registry.audit.trail.chain import Copy
from registry.audit.trail.findings import Finding, Kind
from registry.audit.trail.inspect_export import Inspection
from registry.audit.trail.keys import Keys
from registry.audit.trail.records import Record
from registry.audit.trail.seal import Seal
from registry.audit.trail.verify import check_seal
from registry.audit.verification import LONGEST


class Unprovable(Exception):
    """The trail is not what was sealed, so that no export of it would be accepted."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings[:10])))
        self.findings = findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export holds; `unsealed` are entries of its period that could not be in it yet."""

    entries: int
    whole: int  # seals with all their entries
    parts: int  # seals with some
    unsealed: int


class Export:
    """The entries that say that they happened in a period: it is their sealed time that counts."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self._wrong: list[Finding] = []

    def write(
        self,
        connection: Connection,
        file: BinaryIO,
        keys: Keys,
        private_key: Ed25519PrivateKey,
        made_at: datetime,
    ) -> Exported:
        """Write it to a file that can be read too, and verify it; raises `Unprovable`."""
        said = export_file.Header(
            begin=self.begin, end=self.end, made_at=made_at, public_keys=tuple(keys.values())
        )
        file.writelines(export_file.signed(self._lines(connection, said), private_key))
        file.flush()
        file.seek(0)
        inspection = Inspection(keys)
        wrong = self._wrong + list(inspection.findings(file))
        if wrong:
            raise Unprovable(wrong)
        inside = inspection.contents
        until = reads.sealed_until(connection)
        unsealed, _ = reads.since(connection, until, self.begin, self.end)
        return Exported(
            entries=inside.records, whole=inside.whole, parts=inside.parts, unsealed=unsealed
        )

    def _lines(self, connection: Connection, said: export_file.Header) -> Iterator[str]:
        yield export_file.header(said)
        before: datetime | None = None
        for row in seals_from(connection, self._first(connection)):
            if row.stored_at is None or (before and before - LONGEST >= self.end):
                return
            copy = Copy(row.seal_number, row.seal, row.signature)
            seal = self._parsed(copy)
            before = seal.sealed_at
            yield from self._entries(connection, copy, seal)

    def _first(self, connection: Connection) -> int:
        """The first seal of the period's begin or later, by what is signed of it."""
        low, high = 1, reads.last_seal(connection) + 1
        while low < high:
            middle = (low + high) // 2
            row = reads.seal(connection, middle)
            if row is None:
                detail = "The database has no copy of it."
                raise Unprovable([Finding(Kind.MISSING_SEAL, middle, detail=detail)])
            seal = self._parsed(Copy(middle, seals.head(row.seal), row.signature))
            if seal.sealed_at < self.begin:
                low = middle + 1
            else:
                high = middle
        return low

    def _parsed(self, copy: Copy) -> Seal:
        try:
            return seals.parse(copy.text)
        except Broken as error:
            found = Finding(Kind.BROKEN_SEAL, copy.number, detail=str(error))
            raise Unprovable([*self._wrong, found]) from None

    def _entries(self, connection: Connection, copy: Copy, seal: Seal) -> Iterator[str]:
        found = reads.records(connection, seal.first_xid, seal.until_xid)
        wrong = list(check_seal(seal, found))
        self._wrong += wrong
        if wrong:
            return
        chosen = [record for record in found if self._has(record)]
        is_quiet = not found and self.begin <= seal.sealed_at < self.end
        if is_quiet or (chosen and len(chosen) == len(found)):
            yield from export_file.whole(copy, chosen)
        elif chosen:
            yield from export_file.part(copy, chosen)

    def _has(self, record: Record) -> bool:
        return self.begin <= happened_at(record.text) < self.end


def happened_at(entry: str) -> datetime:
    """When an entry says that it happened."""
    return datetime.fromisoformat(json.loads(entry)["TIMESTAMP"])
