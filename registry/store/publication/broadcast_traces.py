"""The trace of the call that asked for a broadcast, which its events have too."""

from uuid import UUID

from sqlalchemy import Connection, update

from registry.domain.identifiers import Ebox
from registry.store.publication.broadcasts import broadcasts


def note_trace(connection: Connection, sender: Ebox, broadcast_id: UUID, trace: str) -> None:
    """Note by which call a broadcast was asked for first; its events will say so."""
    connection.execute(
        update(broadcasts)
        .where(broadcasts.c.ebox == sender, broadcasts.c.broadcast_id == broadcast_id)
        .where(broadcasts.c.trace.is_(None))
        .values(trace=trace)
    )
