"""Searches for entries of the trail: what is asked for, and what was found under which seal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from registry.audit.period import EVER, TrailPeriod
from registry.audit.store import reads
from registry.audit.store.search import EntryRow
from registry.audit.trail.entry import LEAF_FORM, Record, hash_leaf
from registry.audit.trail.seal import parse_seal
from registry.audit.trail.untrusted_json import DamagedText
from registry.domain.identifiers import Ebox


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySearch:
    """A search for entries by one of these three, in one period."""

    message_id: UUID | None = None
    token_hash: str | None = None
    ebox: Ebox | None = None
    period: TrailPeriod = EVER
    is_scan: bool = False  # all entries are read, whatever the sheaves say


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedEntry:
    """An entry as it is stored; `seal` is the number of its seal, None until it has one.

    `is_as_sealed` says that the seal has it in just this form; `xid` is its transaction. One that
    `is_hidden` was read, and is not found by its sheaf.
    """

    record: Record
    recorded_at: datetime
    seal: int | None
    is_as_sealed: bool
    xid: int
    is_hidden: bool = False


def locate_entries(connection: Connection, rows: Sequence[EntryRow]) -> Sequence[LocatedEntry]:
    """Give each entry its seal, in the order of time."""
    numbers = reads.find_seal_numbers(connection, [row.xid for row in rows])
    rows_by_seal: dict[int | None, list[EntryRow]] = {}
    for row in rows:
        rows_by_seal.setdefault(numbers.get(row.xid), []).append(row)
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
