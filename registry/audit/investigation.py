"""What operators and auditors ask of the trail: whether it holds, who did what, and proof of it.

Whoever reads or takes out what is written there is written there too (contract 4.20).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection

from registry.audit.export import Export, Exported
from registry.audit.log import AuditLog
from registry.audit.store import reads
from registry.audit.trail import seal as seals
from registry.audit.trail.bodies import Broken
from registry.audit.trail.findings import Finding
from registry.audit.trail.keys import Keys
from registry.audit.trail.records import Record, leaf
from registry.audit.verification import EVER, Comparison, Period, Tell
from registry.blobs import SealStore
from registry.domain.identifiers import Ebox
from registry.domain.pseudonyms import Pseudonyms
from registry.store.schema import AnyRow, Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Whose or what story: what of these is given, in one period."""

    message_id: UUID | None = None
    token_hash: str | None = None
    ebox: Ebox | None = None
    period: Period = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry as it is stored; `seal` is the number of its seal, None until it has one.

    `is_sealed_so` is whether the seal has it just so.
    """

    record: Record
    recorded_at: datetime
    seal: int | None
    is_sealed_so: bool


@dataclass(frozen=True)
class Investigation:
    """Reads the trail through the worker's role; `former` are the keys that pseudonyms had."""

    transactions: Transactions
    shelf: SealStore
    keys: Keys
    private_key: Ed25519PrivateKey
    audit_log: AuditLog
    former: Sequence[Pseudonyms]
    now: Callable[[], datetime]

    def compare(self, period: Period, tell: Tell) -> tuple[Comparison, Iterator[Finding]]:
        """The comparison of the trail with its seals, and all that it finds, as it is asked for.

        Raises `Unavailable`.
        """
        comparison = Comparison(self.keys, period, self.now(), tell)
        return comparison, comparison.findings(self.transactions, self.shelf)

    def story(self, sought: Sought) -> Sequence[Told]:
        """The entries of a story in the order of time; that somebody asked is recorded."""
        with self.transactions() as connection:
            reads.take_time(connection)
            found = reads.entries(
                connection,
                texts=_texts(sought),
                eboxes=self._names(sought.ebox),
                begin=sought.period.begin,
                end=sought.period.end,
            )
            told = _sealed(connection, found)
            details = {**_details(sought), "entries": len(told)}
            self.audit_log.note(connection, "audit/reconstruct", details, ebox=sought.ebox)
        return told

    def export(self, begin: datetime, end: datetime, file: BinaryIO) -> Exported:
        """Write the entries of a period to a file that can be read too, with proof of each.

        It is verified and recorded before it counts. Raises `Unprovable`.
        """
        with self.transactions() as connection:
            reads.freeze(connection)
            reads.take_time(connection)
            export = Export(begin, end)
            exported = export.write(connection, file, self.keys, self.private_key, self.now())
            period = {"from": begin.isoformat(), "until": end.isoformat()}
            details = {**period, "entries": exported.entries}
            self.audit_log.note(connection, "audit/export", details)
        return exported

    def public_key(self) -> Ed25519PublicKey:
        """The key with which auditors verify."""
        return self.private_key.public_key()

    def _names(self, ebox: Ebox | None) -> Sequence[str]:
        keys = (self.audit_log.pseudonyms, *self.former)
        return [] if ebox is None else [each.of(ebox) for each in keys]


def _texts(sought: Sought) -> Sequence[str]:
    texts = [str(sought.message_id)] if sought.message_id else []
    if sought.token_hash:
        texts.append(f'"subject_token_hashed":"{sought.token_hash.lower()}"')
    return texts


def _details(sought: Sought) -> Mapping[str, str]:
    """What was asked for, as far as the entry does not say it otherwise."""
    told = {
        "messageId": sought.message_id,
        "tokenHash": sought.token_hash,
        "from": sought.period.begin and sought.period.begin.isoformat(),
        "until": sought.period.end and sought.period.end.isoformat(),
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _sealed(connection: Connection, found: Sequence[AnyRow]) -> Sequence[Told]:
    """Each entry with its seal, in the same order."""
    waiting = sorted(found, key=lambda row: row.xid, reverse=True)  # to pop from the end
    by_seal: dict[int | None, list[AnyRow]] = {}
    if waiting:
        for number, until_xid in reads.ends(connection):
            while waiting and waiting[-1].xid < until_xid:
                by_seal.setdefault(number, []).append(waiting.pop())
            if not waiting:
                break
    by_seal[None] = waiting
    told = [each for number, rows in by_seal.items() for each in _under(connection, number, rows)]
    return sorted(told, key=lambda each: (each.recorded_at, each.record.number))


def _under(connection: Connection, number: int | None, rows: Sequence[AnyRow]) -> Iterator[Told]:
    leaves = {} if number is None else _leaves(connection, number)
    for row in rows:
        record = Record(row.entry_number, row.entry, row.ebox, row.person)
        yield Told(
            record=record,
            recorded_at=row.recorded_at,
            seal=number,
            is_sealed_so=leaves.get(record.number) == leaf(record),
        )


def _leaves(connection: Connection, number: int) -> Mapping[int, bytes]:
    row = reads.seal(connection, number)
    try:
        seal = seals.parse(row.seal) if row else None
    except Broken:
        seal = None
    return dict(zip(seal.numbers, seal.leaves, strict=True)) if seal else {}
