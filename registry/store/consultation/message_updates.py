"""What the owner of an e-Box changes in messages: visibility, partition, action."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select, text, update

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import messages, present
from registry.store.schema import AnyRow


@dataclass(frozen=True, slots=True)
class Mark:
    """What a message is to be from now on; `partition` None for citizens."""

    message_id: UUID
    is_visible: bool
    partition: str | None
    is_routing_pending: bool


_ACTION: Final = (messages.c.action_id, messages.c.action_label, messages.c.action_executed_at)
_LOCKED: Final = (*(messages.c[name] for name in Mark.__slots__), *_ACTION)


def lock(
    connection: Connection, ebox: Ebox, message_ids: Iterable[UUID], now: datetime
) -> Sequence[AnyRow]:
    """Those of the messages that are there, which nobody else changes until this is over.

    Always in the same order, so that two who change the same messages cannot block each other.
    """
    return connection.execute(
        select(*_LOCKED)
        .where(*present(ebox, now), messages.c.message_id.in_(list(message_ids)))
        .order_by(messages.c.message_id)
        .with_for_update()
    ).all()


def update_all(connection: Connection, ebox: Ebox, marks: Sequence[Mark]) -> None:
    """Change messages that are locked, all in one statement; none if there are none."""
    if not marks:
        return
    columns = {f"{name}s": [getattr(mark, name) for mark in marks] for name in Mark.__slots__}
    connection.execute(_UPDATE, {"ebox": ebox.key, **columns})


def execute_action(connection: Connection, ebox: Ebox, message_id: UUID, now: datetime) -> AnyRow:
    """Note that the action of a message was executed; gives the action as it is then."""
    return connection.execute(
        update(messages)
        .where(messages.c.ebox == ebox, messages.c.message_id == message_id)
        .values(action_executed_at=now)
        .returning(*_ACTION)
    ).one()


_UPDATE: Final = text("""
UPDATE messages AS m
SET is_visible = new.is_visible, partition = new.partition,
  is_routing_pending = new.is_routing_pending
FROM unnest(CAST(:message_ids AS uuid[]), CAST(:is_visibles AS boolean[]),
  CAST(:partitions AS text[]), CAST(:is_routing_pendings AS boolean[]))
  AS new (message_id, is_visible, partition, is_routing_pending)
WHERE m.ebox = :ebox AND m.message_id = new.message_id
""")
