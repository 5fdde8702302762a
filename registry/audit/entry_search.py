"""Searches for entries of the trail: what is asked for, and what was found under which seal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from registry.audit.period import EVER, TrailPeriod
from registry.audit.store import reads
from registry.audit.store.reads import EntryRow
from registry.audit.trail.entry import LEAF_FORM, Record, hash_leaf
from registry.audit.trail.seal import parse_seal
from registry.audit.trail.untrusted_json import DamagedText
from registry.domain.identifiers import Ebox


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

    `is_as_sealed` says that the seal has it in just this form; `xid` is its transaction.
    """

    record: Record
    recorded_at: datetime
    seal: int | None
    is_as_sealed: bool
    xid: int


def locate_entries(connection: Connection, rows: Sequence[EntryRow]) -> Sequence[LocatedEntry]:
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
            xid=row.xid,
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
