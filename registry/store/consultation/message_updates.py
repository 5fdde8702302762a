"""Changes that the owner of an e-Box makes in messages: visibility, partition, action."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select, text, update

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import is_present, messages


class MessageState(NamedTuple):
    """A message as its owner sees to it; `partition` is None for citizens."""

    message_id: UUID
    is_visible: bool
    partition: str | None
    is_routing_pending: bool


class MessageAction(NamedTuple):
    """What the reader of a message is asked to do, if anything (contract 6.11)."""

    action_id: str | None
    action_label: Mapping[str, str] | None
    action_executed_at: datetime | None


class LockedMessage(NamedTuple):
    """A message that nobody else changes until the transaction is over."""

    state: MessageState
    action: MessageAction


_STATE: Final = [messages.c[name] for name in MessageState._fields]
_ACTION: Final = [messages.c[name] for name in MessageAction._fields]


def lock(
    connection: Connection, ebox: Ebox, message_ids: Iterable[UUID], now: datetime
) -> Sequence[LockedMessage]:
    """Lock those of the messages that are there.

    Always in the same order, so that two who change the same messages cannot block each other.
    """
    rows = connection.execute(
        select(*_STATE, *_ACTION)
        .where(*is_present(ebox, now), messages.c.message_id.in_(list(message_ids)))
        .order_by(messages.c.message_id)
        .with_for_update()
    )
    states = len(_STATE)
    return [
        LockedMessage(MessageState._make(row[:states]), MessageAction._make(row[states:]))
        for row in rows
    ]


def update_all(connection: Connection, ebox: Ebox, states: Sequence[MessageState]) -> None:
    """Give locked messages these states, all in one statement; none if there are none."""
    if not states:
        return
    columns = {
        f"{name}s": [getattr(state, name) for state in states] for name in MessageState._fields
    }
    connection.execute(_UPDATE, {"ebox": ebox.key, **columns})


def execute_action(
    connection: Connection, ebox: Ebox, message_id: UUID, now: datetime
) -> MessageAction:
    """Note that the action of a message was executed; give the action as it is then."""
    row = connection.execute(
        update(messages)
        .where(messages.c.ebox == ebox, messages.c.message_id == message_id)
        .values(action_executed_at=now)
        .returning(*_ACTION)
    ).one()
    return MessageAction._make(row)


def reset(connection: Connection, ebox: Ebox, now: datetime) -> int:
    """Make all messages that are there unread and visible, no action executed; give how many."""
    return connection.execute(
        update(messages)
        .where(*is_present(ebox, now))
        .values(read_at=None, is_visible=True, action_executed_at=None)
    ).rowcount


_UPDATE: Final = text("""
UPDATE messages AS m
SET is_visible = new.is_visible, partition = new.partition,
  is_routing_pending = new.is_routing_pending
FROM unnest(CAST(:message_ids AS uuid[]), CAST(:is_visibles AS boolean[]),
  CAST(:partitions AS text[]), CAST(:is_routing_pendings AS boolean[]))
  AS new (message_id, is_visible, partition, is_routing_pending)
WHERE m.ebox = :ebox AND m.message_id = new.message_id
""")
