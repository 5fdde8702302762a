"""Exports of the audit trail that prove themselves to whoever has the public key."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.period import LONGEST
from registry.audit.store import reads
from registry.audit.store.breaks import read_breaks
from registry.audit.store.seals import read_seals_from
from registry.audit.trail import export_file
from registry.audit.trail.breaks import Break
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.entry import Record
from registry.audit.trail.inspect_export import Inspection
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import Seal, parse_seal, read_head
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding, FindingKind, check_records


class UnprovableTrail(Exception):
    """The trail is not what was sealed, so that no export of it would be accepted."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings[:10])))
        self.findings = findings


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """Counts of an export.

    `unsealed_entries` are those of its period that could not be in it yet.
    """

    entries: int
    whole_seals: int  # with all their entries
    partial_seals: int  # with some
    unsealed_entries: int


class Export:
    """The entries that say that they happened in a period: it is their sealed time that counts."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self._findings: list[Finding] = []
        self._breaks: Sequence[Break] = ()

    def write(
        self,
        connection: Connection,
        file: BinaryIO,
        keys: Keys,
        private_key: Ed25519PrivateKey | None,
        made_at: datetime,
    ) -> ExportSummary:
        """Write the export to a file that can be read too, and verify it.

        Raises `UnprovableTrail`.
        """
        header = export_file.ExportHeader(
            begin=self.begin, end=self.end, made_at=made_at, public_keys=tuple(keys.values())
        )
        file.writelines(export_file.sign_lines(self._write_lines(connection, header), private_key))
        # Read back as an auditor does: an export that he would refuse must not leave the house.
        file.flush()
        file.seek(0)
        inspection = Inspection(keys)
        inspection_findings = (each for each in inspection.check_lines(file) if not each.is_known)
        findings = self._findings + list(inspection_findings)
        if findings:
            raise UnprovableTrail(findings)
        contents = inspection.contents
        until = reads.read_sealed_until(connection)
        return ExportSummary(
            entries=contents.entries,
            whole_seals=contents.whole_seals,
            partial_seals=contents.partial_seals,
            unsealed_entries=reads.count_unsealed_between(connection, until, self.begin, self.end),
        )

    def _write_lines(
        self, connection: Connection, header: export_file.ExportHeader
    ) -> Iterator[str]:
        yield export_file.write_header(header)
        self._breaks = read_breaks(connection, header.public_keys)
        previous: Seal | None = None
        for row in read_seals_from(connection, self._find_first_seal(connection)):
            # Entries come under the first seal after their transaction, so that none of the
            # period is under a seal that was begun an hour after it.
            is_past = previous is not None and previous.sealed_at - LONGEST >= self.end
            if row.stored_at is None or is_past:
                return
            previous = self._parse(row.copy)
            yield from self._write_entries(connection, row.copy, previous)

    def _find_first_seal(self, connection: Connection) -> int:
        """Find the first seal of the period's begin or later, by the time in its signed head."""
        low, high = 1, reads.read_last_seal_number(connection) + 1
        while low < high:
            middle = (low + high) // 2
            row = reads.find_seal(connection, middle)
            if row is None:
                detail = "The database has no copy of it."
                finding = Finding(FindingKind.MISSING_SEAL, middle, detail=detail)
                raise UnprovableTrail([finding])
            seal = self._parse(SealCopy(middle, read_head(row.seal), row.signature))
            if seal.sealed_at < self.begin:
                low = middle + 1
            else:
                high = middle
        return low

    def _parse(self, copy: SealCopy) -> Seal:
        try:
            return parse_seal(copy.text)
        except DamagedText as error:
            finding = Finding(FindingKind.BROKEN_SEAL, copy.number, detail=str(error))
            raise UnprovableTrail([*self._findings, finding]) from None

    def _write_entries(self, connection: Connection, copy: SealCopy, seal: Seal) -> Iterator[str]:
        records = reads.read_records(connection, seal.first_xid, seal.until_xid)
        findings = list(check_records(seal, records, self._breaks))
        self._findings += findings
        if findings:
            return
        period_records = [record for record in records if self._has(record)]
        # A seal without entries belongs to the chain of the period in which it was made.
        is_quiet = not seal.count and self.begin <= seal.sealed_at < self.end
        # Of one that an older database had lost there may be no more than a part.
        if is_quiet or (period_records and len(period_records) == seal.count):
            yield from export_file.write_whole_seal(copy, period_records)
        elif period_records:
            yield from export_file.write_part_of_seal(copy, period_records)

    def _has(self, record: Record) -> bool:
        return self.begin <= read_timestamp(record.text) < self.end


def read_timestamp(entry: str) -> datetime:
    """Read the time at which an entry says that it happened."""
    return datetime.fromisoformat(json.loads(entry)["TIMESTAMP"])
