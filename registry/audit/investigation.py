"""Investigations of operators and auditors: faults of the trail, searches in it, exports of it.

Whoever reads or takes out entries leaves an entry himself (contract 4.20).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.checkpoint import Checkpoint
from registry.audit.entry_search import EntrySearch, LocatedEntry, locate_entries
from registry.audit.evidence import Evidence, make_evidence
from registry.audit.export import Export, ExportSummary
from registry.audit.inspection_pool import InspectionPool
from registry.audit.log import AuditLog
from registry.audit.period import TrailPeriod
from registry.audit.store import reads
from registry.audit.store.seal_bucket import SealStore
from registry.audit.store.search import EntryQuery, search_entries
from registry.audit.terms import compute_term
from registry.audit.trail.keys import Keys
from registry.audit.trail.verify import Finding
from registry.audit.verification import ReportProgress, Verification
from registry.domain.pseudonyms import Pseudonyms
from registry.store.transactions import Transactions, lift_time_limit


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
            entries = self._find_entries(connection, search)
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

    def gather_evidence(self, message_id: UUID, *, is_scan: bool = False) -> Evidence:
        """Gather the evidence of one letter; that it was taken out is recorded.

        With `is_scan` every entry is read, whatever the sheaves say. Raises `NoEvidence`,
        `UnprovableTrail`.
        """
        with self.transactions() as connection:
            reads.freeze_snapshot(connection)
            lift_time_limit(connection)
            search = EntrySearch(message_id=message_id, is_scan=is_scan)
            entries = self._find_entries(connection, search)
            evidence = make_evidence(
                connection, message_id, entries, self.keys, self.private_key, self.now()
            )
            details = {"messageId": str(message_id), "entries": evidence.entries}
            self.audit_log.note(connection, "audit/evidence", details)
        return evidence

    def _find_entries(self, connection: Connection, search: EntrySearch) -> Sequence[LocatedEntry]:
        query = self._make_query(search)
        if search.is_scan:
            return _scan(connection, query)
        return locate_entries(connection, search_entries(connection, query))

    def _make_query(self, search: EntrySearch) -> EntryQuery:
        text, eboxes = None, []
        if search.message_id is not None:
            text = str(search.message_id)
            names = [text]
        elif search.token_hash is not None:
            token = search.token_hash.lower()
            text = f'"subject_token_hashed":"{token}"'
            names = [token]
        elif search.ebox is not None:
            # Entries keep the hash of their day, whatever the key is now.
            keys = (self.audit_log.pseudonyms, *self.former_pseudonyms)
            names = eboxes = [key.hash_ebox(search.ebox) for key in keys]
        else:
            raise ValueError("Nothing is looked for.")
        return EntryQuery(
            text=text,
            eboxes=eboxes,
            begin=search.period.begin,
            end=search.period.end,
            terms=list(map(compute_term, names)),
        )


def _scan(connection: Connection, query: EntryQuery) -> Sequence[LocatedEntry]:
    """Read all entries, and tell which of those that match the sheaves do not find."""
    entries = locate_entries(connection, search_entries(connection, replace(query, terms=())))
    known = {(row.xid, row.record.number) for row in search_entries(connection, query)}
    return [
        replace(entry, is_hidden=(entry.xid, entry.record.number) not in known) for entry in entries
    ]


def _describe(search: EntrySearch) -> Mapping[str, str]:
    """Describe a search, but for the e-Box, which stands beside the text of an entry."""
    details = {
        "messageId": search.message_id,
        "tokenHash": search.token_hash,
        "from": search.period.begin and search.period.begin.isoformat(),
        "until": search.period.end and search.period.end.isoformat(),
    }
    return {name: str(value) for name, value in details.items() if value is not None}
