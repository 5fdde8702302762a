"""Searches of the trail: by sheaves as far as entries are in some, and by reading what is new."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, TextClause, text

from registry.audit.store.entries import walk_by_transaction
from registry.audit.store.packing import read_record
from registry.audit.store.sheaves import find_trusted_end
from registry.audit.trail.entry import Record

_PAGE: Final = 1000  # sheaves that are looked through with one statement
_ROWS: Final = 1000  # that a server-side cursor hands over at once


class EntryRow(NamedTuple):
    """An entry with the time and the transaction that the database gave it."""

    record: Record
    recorded_at: datetime
    xid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryQuery:
    """A query for entries that have a text in them, or are of one of these e-Boxes, in a period.

    The text is in small letters, whatever those of entries are. `terms` are those of the text or
    the e-Boxes, of which a sheaf has one at least; without any all entries are read.
    """

    text: str | None = None
    eboxes: Sequence[str] = ()
    begin: datetime | None = None
    end: datetime | None = None
    terms: Sequence[int] = ()


def search_entries(connection: Connection, query: EntryQuery) -> Sequence[EntryRow]:
    """Search for entries, by time."""
    values: dict[str, Any] = {
        "text": query.text,
        "eboxes": list(query.eboxes) or None,
        "begin": query.begin,
        "end": query.end,
    }
    filed_until = find_trusted_end(connection) if query.terms else 0
    if not filed_until:
        return _sort(_read(connection, _SEARCH_ALL, values))
    values["filed"] = str(filed_until)
    sheaves = connection.execute(_FIND_SHEAVES, {**values, "terms": list(query.terms)}).all()
    walk_by_transaction(connection)
    rows = list(_read(connection, _SEARCH_NEW, values))
    for at in range(0, len(sheaves), _PAGE):
        oldest, newest, first_xids, until_xids = zip(*sheaves[at : at + _PAGE], strict=True)
        ranges = {
            "oldest": list(oldest),
            "newest": list(newest),
            "first_xids": list(first_xids),
            "until_xids": list(until_xids),
        }
        rows += _read(connection, _SEARCH_SHEAVES, {**values, **ranges})
    return _sort(rows)


def _sort(rows: Iterable[EntryRow]) -> Sequence[EntryRow]:
    return sorted(rows, key=lambda row: (row.recorded_at, row.record.number))


def _read(
    connection: Connection, statement: TextClause, values: Mapping[str, Any]
) -> Iterator[EntryRow]:
    options = {"yield_per": _ROWS}
    with connection.execute(statement, values, execution_options=options) as rows:
        for number, parcel, entry, ebox, person, recorded_at, xid in rows:
            record = read_record(number, parcel, (entry, ebox, person), recorded_at)
            if _is_match(record, values):
                yield EntryRow(record, recorded_at, int(xid))


def _is_match(record: Record, values: Mapping[str, Any]) -> bool:
    """Say whether an entry has what is asked for: of packed ones the database cannot see it."""
    text, eboxes = values["text"], values["eboxes"]
    return (text is None or text in record.text.lower()) and (
        eboxes is None or record.ebox in eboxes
    )


# Statements are put together from these constants alone: what is asked for is bound.
_COLUMNS: Final = "entry_number, packed, entry, ebox, person, recorded_at, CAST(xid AS text)"
_CRITERIA: Final = """
  (packed IS NOT NULL OR CAST(:text AS text) IS NULL OR strpos(lower(entry), :text) > 0)
  AND (packed IS NOT NULL OR CAST(:eboxes AS text[]) IS NULL
    OR ebox = ANY(CAST(:eboxes AS text[])))
  AND (CAST(:begin AS timestamptz) IS NULL OR recorded_at >= :begin)
  AND (CAST(:end AS timestamptz) IS NULL OR recorded_at < :end)
"""
_SEARCH_ALL: Final = text(f"""
SELECT {_COLUMNS} FROM audit_entries WHERE {_CRITERIA}
""")  # noqa: S608
_SEARCH_NEW: Final = text(f"""
SELECT {_COLUMNS} FROM audit_entries WHERE xid >= CAST(:filed AS xid8) AND {_CRITERIA}
""")  # noqa: S608
# Not those that are filed meanwhile, of which the entries are read as new ones.
_FIND_SHEAVES: Final = text("""
SELECT oldest, newest, CAST(first_xid AS text), CAST(until_xid AS text) FROM audit_sheaves
WHERE terms && CAST(:terms AS integer[]) AND until_xid <= CAST(:filed AS xid8)
  AND (CAST(:begin AS timestamptz) IS NULL OR newest >= :begin)
  AND (CAST(:end AS timestamptz) IS NULL OR oldest < :end)
""")
# By the times of a sheaf one month is looked at, or two.
_SEARCH_SHEAVES: Final = text(f"""
SELECT e.* FROM unnest(
  CAST(:oldest AS timestamptz[]), CAST(:newest AS timestamptz[]),
  CAST(:first_xids AS text[]), CAST(:until_xids AS text[])
) AS s(oldest, newest, first_xid, until_xid)
CROSS JOIN LATERAL (
  SELECT {_COLUMNS} FROM audit_entries
  WHERE xid >= CAST(s.first_xid AS xid8) AND xid < CAST(s.until_xid AS xid8)
    AND recorded_at BETWEEN s.oldest AND s.newest AND {_CRITERIA}
) AS e
""")  # noqa: S608
