"""What the owner of an e-Box changes in messages: visibility, partition, action."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, Text, Uuid, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from registry.domain.identifiers import Ebox
from registry.store.base import AnyRow
from registry.store.messages import messages, present

_MARKS = (
    messages.c.message_id,
    messages.c.is_visible,
    messages.c.partition,
    messages.c.action_id,
    messages.c.action_label,
    messages.c.action_executed_at,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a message is to be from now on; `partition` None for citizens."""

    message_id: UUID
    is_visible: bool
    partition: str | None

    def differs(self, row: AnyRow) -> bool:
        """Whether the row of the message is not so yet."""
        return (self.is_visible, self.partition) != (row.is_visible, row.partition)


def lock(
    connection: Connection, ebox: Ebox, message_ids: Iterable[UUID], now: datetime
) -> Sequence[AnyRow]:
    """Those of the messages that are there, which nobody else changes until this is over.

    Always in the same order, so that two who change the same messages cannot block each other.
    """
    return connection.execute(
        select(*_MARKS)
        .where(*present(ebox, now), messages.c.message_id.in_(list(message_ids)))
        .order_by(messages.c.message_id)
        .with_for_update()
    ).all()


def update_all(connection: Connection, ebox: Ebox, marks: Sequence[Mark]) -> None:
    """Change messages; one that somebody puts somewhere waits for no routing rule any more."""
    if not marks:
        return
    new = select(
        func.unnest(literal([mark.message_id for mark in marks], ARRAY(Uuid))).label("message_id"),
        func.unnest(literal([mark.is_visible for mark in marks], ARRAY(Boolean))).label("visible"),
        func.unnest(literal([mark.partition for mark in marks], ARRAY(Text))).label("partition"),
    ).subquery("new")
    values: dict[str, Any] = {"is_visible": new.c.visible, "partition": new.c.partition}
    moved = messages.c.partition.is_distinct_from(new.c.partition)
    values["is_routing_pending"] = messages.c.is_routing_pending & ~moved
    connection.execute(
        update(messages)
        .where(messages.c.ebox == ebox, messages.c.message_id == new.c.message_id)
        .values(values)
    )


def execute_action(connection: Connection, ebox: Ebox, message_id: UUID, now: datetime) -> None:
    """Note that the action of a message was executed."""
    connection.execute(
        update(messages)
        .where(messages.c.ebox == ebox, messages.c.message_id == message_id)
        .values(action_executed_at=now)
    )
