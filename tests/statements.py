"""The SQL that an engine executes while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

# Each connection is checked before its first transaction, and which block meets a new one is
# chance: health may just hold the one that was there.
_OF_THE_CHECK = ("pg_backend_pid()", "FROM pg_roles", "FROM pg_policy")


@contextmanager
def record_statements(engine: Engine, *, with_checks: bool = False) -> Iterator[list[str]]:
    """The statements of this thread, without those that check the role of a new connection."""
    statements: list[str] = []
    ours = threading.get_ident()

    def note(_connection, _cursor, statement, *_):
        if threading.get_ident() != ours:
            return
        if with_checks or not any(part in statement for part in _OF_THE_CHECK):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
