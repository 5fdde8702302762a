"""Investigations of operators and auditors: faults of the trail, searches in it, exports of it.

Whoever reads or takes out entries leaves an entry himself (contract 4.20).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.checkpoint import Checkpoint
from registry.audit.export import Export, ExportSummary
from registry.audit.inspection_pool import InspectionPool
from registry.audit.log import AuditLog
from registry.audit.period import EVER, TrailPeriod
from registry.audit.store import reads
from registry.audit.store.reads import EntryRow
from registry.audit.store.seal_bucket import SealStore
from registry.audit.trail.entry import LEAF_FORM, Record, hash_leaf
from registry.audit.trail.keys import Keys
from registry.audit.trail.seal import parse_seal
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding
from registry.audit.verification import ReportProgress, Verification
from registry.domain.identifiers import Ebox
from registry.domain.pseudonyms import Pseudonyms
from registry.store.transactions import Transactions, lift_time_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySearch:
    """A search for entries that have all of these that are not None, in one period."""

    message_id: UUID | None = None
    token_hash: str | None = None
    ebox: Ebox | None = None
    period: TrailPeriod = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedEntry:
    """An entry as it is stored; `seal` is the number of its seal, None until it has one.

    `is_as_sealed` says that the seal has it in just this form.
    """

    record: Record
    recorded_at: datetime
    seal: int | None
    is_as_sealed: bool


@dataclass(frozen=True)
class Investigation:
    """Reads the trail through the worker's role.

    `former_pseudonyms` are those under the keys that the hash key was before. Without a private key
    an export is not signed as a whole.
    """

    transactions: Transactions
    bucket: SealStore
    keys: Keys
    private_key: Ed25519PrivateKey | None
    audit_log: AuditLog
    former_pseudonyms: Sequence[Pseudonyms]
    now: Callable[[], datetime]

    def verify(
        self,
        period: TrailPeriod,
        report_progress: ReportProgress,
        checkpoint: Checkpoint | None = None,
        pool: InspectionPool | None = None,
    ) -> tuple[Verification, Iterator[Finding]]:
        """Begin a verification of the trail, which goes on as its findings are read.

        Raises `Unavailable`.
        """
        verification = Verification(
            self.keys, period, self.now(), report_progress, checkpoint, pool
        )
        return verification, verification.find_faults(self.transactions, self.bucket)

    def search(self, search: EntrySearch) -> Sequence[LocatedEntry]:
        """Find entries in the order of time; the search itself is recorded."""
        with self.transactions() as connection:
            lift_time_limit(connection)
            rows = reads.search_entries(
                connection,
                texts=_make_texts(search),
                eboxes=self._hash_ebox(search.ebox),
                begin=search.period.begin,
                end=search.period.end,
            )
            entries = _locate(connection, rows)
            details = {**_describe(search), "entries": len(entries)}
            self.audit_log.note(connection, "audit/reconstruct", details, ebox=search.ebox)
        return entries

    def export(self, begin: datetime, end: datetime, file: BinaryIO) -> ExportSummary:
        """Write the entries of a period to a file that can be read too, with proof of each.

        The export is verified and recorded before it counts. Raises `UnprovableTrail`.
        """
        with self.transactions() as connection:
            reads.freeze_snapshot(connection)
            lift_time_limit(connection)
            export = Export(begin, end)
            summary = export.write(connection, file, self.keys, self.private_key, self.now())
            period = {"from": begin.isoformat(), "until": end.isoformat()}
            details = {**period, "entries": summary.entries}
            self.audit_log.note(connection, "audit/export", details)
        return summary

    def _hash_ebox(self, ebox: Ebox | None) -> Sequence[str]:
        # Entries keep the hash of their day, whatever the key is now.
        keys = (self.audit_log.pseudonyms, *self.former_pseudonyms)
        return [] if ebox is None else [key.hash_ebox(ebox) for key in keys]


def _make_texts(search: EntrySearch) -> Sequence[str]:
    texts = [str(search.message_id)] if search.message_id else []
    if search.token_hash:
        texts.append(f'"subject_token_hashed":"{search.token_hash.lower()}"')
    return texts


def _describe(search: EntrySearch) -> Mapping[str, str]:
    """Describe a search, but for the e-Box, which stands beside the text of an entry."""
    details = {
        "messageId": search.message_id,
        "tokenHash": search.token_hash,
        "from": search.period.begin and search.period.begin.isoformat(),
        "until": search.period.end and search.period.end.isoformat(),
    }
    return {name: str(value) for name, value in details.items() if value is not None}


def _locate(connection: Connection, rows: Sequence[EntryRow]) -> Sequence[LocatedEntry]:
    """Give each entry its seal, in the order of time."""
    # Both sorted by transaction, so that one pass over the seals is enough.
    rows_left = sorted(rows, key=lambda row: row.xid, reverse=True)  # to pop from the end
    rows_by_seal: dict[int | None, list[EntryRow]] = {}
    if rows_left:
        for number, until_xid in reads.read_seal_ends(connection):
            while rows_left and rows_left[-1].xid < until_xid:
                rows_by_seal.setdefault(number, []).append(rows_left.pop())
            if not rows_left:
                break
    rows_by_seal[None] = rows_left
    entries = [
        entry
        for number, seal_rows in rows_by_seal.items()
        for entry in _compare_with_seal(connection, number, seal_rows)
    ]
    return sorted(entries, key=lambda entry: (entry.recorded_at, entry.record.number))


def _compare_with_seal(
    connection: Connection, number: int | None, rows: Sequence[EntryRow]
) -> Iterator[LocatedEntry]:
    leaves, form = ({}, LEAF_FORM) if number is None else _read_leaves(connection, number)
    for row in rows:
        yield LocatedEntry(
            record=row.record,
            recorded_at=row.recorded_at,
            seal=number,
            is_as_sealed=leaves.get(row.record.number) == hash_leaf(row.record, form),
        )


def _read_leaves(connection: Connection, number: int) -> tuple[Mapping[int, bytes], int]:
    """Read the leaves of a seal by the numbers of its entries, and their form.

    None if it cannot be read.
    """
    row = reads.find_seal(connection, number)
    try:
        seal = parse_seal(row.seal) if row else None
    except DamagedText:
        seal = None
    if seal is None:
        return {}, LEAF_FORM
    return dict(zip(seal.numbers, seal.leaves, strict=True)), seal.form
