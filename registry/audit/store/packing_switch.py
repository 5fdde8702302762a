"""The switch of a database, by which new entries of the trail are packed; it only goes on.

A program before revision 0019 can neither seal nor find what is packed. While it may be there, the
database has new entries written as it reads them.
"""

from typing import Final

from sqlalchemy import Connection, text

_IS_ON: Final = "registry.audit.entries_are_packed"  # what a connection remembers


def is_packing(connection: Connection) -> bool:
    """Say whether new entries are packed; a connection that has seen it once asks no more."""
    memory = connection.info
    if not memory.get(_IS_ON):
        memory[_IS_ON] = bool(connection.execute(_IS_PACKING).scalar_one())
    return bool(memory[_IS_ON])


def begin_packing(connection: Connection) -> None:
    """Have new entries packed from now on, as the owner; nothing where they are already."""
    connection.execute(_BEGIN_PACKING)


_IS_PACKING: Final = text("SELECT audit_entries_are_packed()")
_BEGIN_PACKING: Final = text("""
CREATE OR REPLACE FUNCTION audit_entries_are_packed() RETURNS boolean LANGUAGE sql STABLE
  AS $$ SELECT true $$
""")
