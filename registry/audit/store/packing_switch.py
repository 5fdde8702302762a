"""The switch of a database, by which new entries of the trail are packed; it only goes on.

A program before revision 0019 can neither seal nor find what is packed. While it may be there, the
database has new entries written as it reads them.
"""

import time
from typing import Final

from sqlalchemy import Connection, text

# What a connection remembers: the answer, and from which monotonic time on to ask again.
MEMORY: Final = "registry.audit.packing_switch"
_PERIOD: Final = 60.0  # seconds: both forms are read, so that it may as well begin a bit later


def is_packing(connection: Connection) -> bool:
    """Say whether new entries are packed; a connection asks each minute, and once it is on no more.

    So that a call has no statement more for it.
    """
    is_on, due = connection.info.get(MEMORY, (False, 0.0))
    if not is_on and time.monotonic() >= due:
        is_on = bool(connection.execute(_IS_PACKING).scalar_one())
        connection.info[MEMORY] = (is_on, time.monotonic() + _PERIOD)
    return bool(is_on)


def begin_packing(connection: Connection) -> None:
    """Have new entries packed from now on, as the owner; nothing where they are already."""
    connection.execute(_BEGIN_PACKING)


_IS_PACKING: Final = text("SELECT audit_entries_are_packed()")
_BEGIN_PACKING: Final = text("""
CREATE OR REPLACE FUNCTION audit_entries_are_packed() RETURNS boolean LANGUAGE sql STABLE
  AS $$ SELECT true $$
""")
