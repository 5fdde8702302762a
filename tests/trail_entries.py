"""Entries of the trail as somebody reads them who may: unpacked."""

from types import SimpleNamespace

from registry.audit.store.packing import pack, read_record

_QUERY = """
SELECT entry_number, packed, ARRAY[entry, ebox, person], recorded_at, xid::text FROM audit_entries
ORDER BY entry_number
"""


def read_trail(connection, *parts):
    """All entries that have these texts in them, by number; of either library's connection.

    Each has `entry`, `ebox` and `person`, and what the database says of it.
    """
    ask = getattr(connection, "exec_driver_sql", None) or connection.execute
    rows = [_read(*row) for row in ask(_QUERY)]
    return [row for row in rows if all(part in row.entry for part in parts)]


def change_text(connection, row, text):
    """Have an entry another text, as somebody does who knows how entries are packed."""
    packed = pack(text, row.ebox, row.person)
    statement = "UPDATE audit_entries SET packed = %s WHERE entry_number = %s"
    connection.exec_driver_sql(statement, (packed, row.entry_number))


def _read(number, packed, columns, recorded_at, xid):
    record = read_record(number, packed, columns, recorded_at)
    return SimpleNamespace(
        entry_number=number,
        entry=record.text,
        ebox=record.ebox,
        person=record.person,
        recorded_at=recorded_at,
        xid=int(xid),
    )
