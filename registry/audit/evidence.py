"""Evidence of one letter, out of the trail: its own entries, each with the proof of its seal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.entry_search import LocatedEntry
from registry.audit.evidence_page import make_page
from registry.audit.export import UnprovableTrail
from registry.audit.store import reads
from registry.audit.trail import export_file
from registry.audit.trail.evidence_package import make_package, write_package
from registry.audit.trail.evidence_report import EvidenceReport, inspect_evidence, name_letter
from registry.audit.trail.keys import Keys
from registry.audit.trail.letter_story import find_step, read_members, tell_story
from registry.audit.trail.verify import Finding, FindingKind


class NoEvidence(Exception):
    """The trail has nothing under a seal that is evidence of this letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The file of a package, what it shows, and how many entries are not yet under a seal.

    `hidden_entries` are those of it that a scan has read and the sheaves do not find.
    """

    file: bytes
    report: EvidenceReport
    entries: int
    waiting_entries: int
    hidden_entries: int


def make_evidence(
    connection: Connection,
    message_id: UUID,
    entries: Sequence[LocatedEntry],
    keys: Keys,
    private_key: Ed25519PrivateKey | None,
    made_at: datetime,
) -> Evidence:
    """Make the package of a letter out of the entries that name it, and check it as readers do.

    Raises `NoEvidence`, and `UnprovableTrail` where an entry is not what was sealed.
    """
    letter_entries = [entry for entry in entries if _is_evidence(entry, str(message_id))]
    entries_under_seal = [entry for entry in letter_entries if entry.seal is not None]
    if not entries_under_seal:
        raise NoEvidence
    header = export_file.ExportHeader(
        begin=entries_under_seal[0].recorded_at,
        end=made_at,
        made_at=made_at,
        public_keys=tuple(keys.values()),
        about=name_letter(str(message_id)),
    )
    lines = [export_file.write_header(header), *_write_entries(connection, entries_under_seal)]
    proof = b"".join(export_file.sign_lines(lines, private_key))
    story = tell_story((entry.record for entry in entries_under_seal), str(message_id))
    page = make_page(proof, str(message_id), story, keys, made_at)
    file = write_package(make_package(proof, page, private_key))
    report = inspect_evidence(file, keys)
    # A package that its reader would refuse must not leave the house.
    if report.findings:
        raise UnprovableTrail(report.findings)
    return Evidence(
        file=file,
        report=report,
        entries=len(entries_under_seal),
        waiting_entries=len(letter_entries) - len(entries_under_seal),
        hidden_entries=sum(entry.is_hidden for entry in letter_entries),
    )


def _is_evidence(entry: LocatedEntry, message_id: str) -> bool:
    return find_step(read_members(entry.record.text), message_id).is_evidence


def _write_entries(connection: Connection, entries: Sequence[LocatedEntry]) -> Iterator[str]:
    """Write the lines of each seal that has entries of the letter, with their proofs."""
    by_seal = sorted(entries, key=lambda entry: (entry.seal or 0, entry.xid, entry.record.number))
    for number, seal_entries in groupby(by_seal, key=lambda entry: entry.seal or 0):
        row = reads.find_seal(connection, number)
        if row is None:
            finding = Finding(FindingKind.MISSING_SEAL, number, detail="The database has no copy.")
            raise UnprovableTrail([finding])
        records = [entry.record for entry in seal_entries]
        try:
            yield from export_file.write_part_of_seal(row.copy, records)
        except ValueError as error:  # `NotSealed`, or a copy that is no seal any more
            numbers = tuple(record.number for record in records)
            finding = Finding(FindingKind.NOT_PROVEN, number, numbers, str(error))
            raise UnprovableTrail([finding]) from None
