"""Withdrawal of messages: their rows stay, and nobody is shown them; the worker's role alone may.

All e-Boxes of a broadcast have the message under one id; each has a copy.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    cast,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from registry.domain.identifiers import Ebox, EboxKind
from registry.store.consultation.messages import messages
from registry.store.schema import EboxKey
from registry.store.value_pieces import has_message_id


class CopyCounts(NamedTuple):
    """Numbers of copies of a message: by kind of e-Box, `read` ones, and `withdrawn` ones."""

    copies: int
    enterprises: int
    citizens: int
    read: int
    withdrawn: int


class LockedCopy(NamedTuple):
    """A copy that nobody else changes until the transaction is over; it is not withdrawn yet."""

    ebox: Ebox
    sender: str  # an enterprise number
    expires_at: datetime


def count_copies(connection: Connection, message_id: UUID, ebox: Ebox | None) -> CopyCounts:
    """Count the copies of a message, or that of one e-Box; none when there is no such message."""
    is_citizen = cast(messages.c.ebox, Text).like(f"{EboxKind.CITIZEN}:%")
    query = select(
        func.count().label("copies"),
        func.count().filter(~is_citizen).label("enterprises"),
        func.count().filter(is_citizen).label("citizens"),
        func.count().filter(messages.c.read_at.is_not(None)).label("read"),
        func.count().filter(messages.c.withdrawn_at.is_not(None)).label("withdrawn"),
    ).where(*_are_copies(message_id, ebox))
    return CopyCounts._make(connection.execute(query).one())


def find_holder(connection: Connection, message_id: UUID, ebox: Ebox | None) -> Ebox | None:
    """Find an e-Box that has a copy: all of them share the documents."""
    row = select(messages.c.ebox).where(*_are_copies(message_id, ebox)).limit(1)
    return connection.execute(row).scalar()


def lock_copies(
    connection: Connection, message_id: UUID, ebox: Ebox | None, *, limit: int
) -> Sequence[LockedCopy]:
    """Lock up to `limit` copies that are not withdrawn, that of the first recipient before others.

    Broadcasts are copies of that one: whoever records one at this moment is waited for.
    """
    values = {"id": message_id, "ebox": None if ebox is None else ebox.key, "limit": limit}
    return [LockedCopy._make(row) for row in connection.execute(_LOCK, values)]


def mark_copies(
    connection: Connection, message_id: UUID, eboxes: Sequence[Ebox], now: datetime
) -> None:
    """Mark locked copies as withdrawn; they expire now, unless they have before."""
    # A function of the database: the worker may change nothing of what a message says.
    keys = literal([ebox.key for ebox in eboxes], ARRAY(Text))
    connection.execute(select(func.withdraw_copies(message_id, keys, now)))


def _are_copies(message_id: UUID, ebox: Ebox | None) -> tuple[ColumnElement[bool], ...]:
    is_message = has_message_id(messages.c.message_id, message_id)
    return (is_message,) if ebox is None else (is_message, messages.c.ebox == ebox)


_LOCK: Final = text("""
SELECT m.ebox, m.sender, m.expires_at
FROM messages m
WHERE m.message_id = :id AND m.withdrawn_at IS NULL
  AND right(CAST(m.message_id AS text), 3) = right(CAST(:id AS text), 3)
  AND (CAST(:ebox AS text) IS NULL OR m.ebox = :ebox)
ORDER BY NOT EXISTS (
  SELECT FROM sent_messages s
  WHERE s.ebox = 'enterprise:' || m.sender AND s.message_id = m.message_id AND s.recipient = m.ebox
), m.ebox
LIMIT :limit
FOR UPDATE OF m
""").columns(ebox=EboxKey)
