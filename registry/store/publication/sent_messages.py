"""What an enterprise sent, and where it went: how a sender finds his own message again.

Nobody looks through the recipients' e-Boxes for it (contract 6.27, 6.38); `ebox` is the sender's.
A row is also the claim of an idempotency key, which lasts as long as the row (contract 6.23).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from registry.domain.identifiers import Ebox
from registry.domain.messages import GENERAL
from registry.store.schema import BY_EBOX, INSTANT, AnyRow, EboxKey, ebox_column, metadata

sent_messages = Table(
    "sent_messages",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("partition", Text, nullable=False),
    Column("recipient", EboxKey, nullable=False),
    Column("application_id", Text, nullable=False, server_default=text("''")),
    Column("idempotency_key", Text),
    UniqueConstraint("ebox", "application_id", "idempotency_key", name="uq_sent_messages_key"),
    postgresql_partition_by=BY_EBOX,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message and where it goes; `key` is the idempotency key, which may be used once."""

    message_id: UUID
    recipient: Ebox
    partition: str = GENERAL
    application_id: str | None = None
    key: str | None = None


def add(connection: Connection, sender: Ebox, sent: Sent) -> UUID | None:
    """Note what the sender, whose e-Box is named, sent, and claim the idempotency key.

    When sender and application have used the key before, nothing is noted and the message of that
    time is given. Another transaction that is about to use it is waited for.
    """
    claim = (
        insert(sent_messages)
        .values(
            ebox=sender,
            message_id=sent.message_id,
            partition=sent.partition,
            recipient=sent.recipient,
            application_id=sent.application_id or "",
            idempotency_key=sent.key,
        )
        .on_conflict_do_nothing(constraint="uq_sent_messages_key")
        .returning(sent_messages.c.message_id)
    )
    if connection.execute(claim).first():
        return None
    first: UUID = connection.execute(
        select(sent_messages.c.message_id).where(
            sent_messages.c.ebox == sender,
            sent_messages.c.application_id == (sent.application_id or ""),
            sent_messages.c.idempotency_key == sent.key,
        )
    ).scalar_one()
    return first


def find(connection: Connection, ebox: Ebox, message_id: UUID) -> AnyRow | None:
    """Recipient e-Box and sender partition of a message that this e-Box's owner sent."""
    return connection.execute(
        select(sent_messages.c.recipient, sent_messages.c.partition).where(
            sent_messages.c.ebox == ebox, sent_messages.c.message_id == message_id
        )
    ).one_or_none()


def statuses(
    connection: Connection, asked: Sequence[tuple[UUID, Ebox]], now: datetime
) -> Sequence[AnyRow]:
    """How messages that the named e-Box sent fare: `message`, `recipient`, `expires`, `is_read`,
    `is_visible`; those it did not send, or not there, are left out.
    """
    found = func.sent_statuses(
        literal([message for message, _ in asked], ARRAY(Uuid)),
        literal([recipient.key for _, recipient in asked], ARRAY(Text)),
        now,
    ).table_valued(
        Column("message", Uuid),
        Column("recipient", EboxKey),
        Column("expires", INSTANT),
        "is_read",
        "is_visible",
    )
    statuses_found: Sequence[AnyRow] = connection.execute(select(found)).all()
    return statuses_found


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One more e-Box for a message, and where in it; `event_id` tells its owner of it."""

    recipient: Ebox
    partition: str | None
    is_pending: bool
    event_id: UUID


def link(connection: Connection, message_id: UUID, links: Sequence[Link], now: datetime) -> None:
    """Put a message that the named e-Box's owner sent into more e-Boxes that lack it."""
    columns = (
        literal([one.recipient.key for one in links], ARRAY(Text)),
        literal([one.partition for one in links], ARRAY(Text)),
        literal([one.is_pending for one in links], ARRAY(Boolean)),
        literal([one.event_id for one in links], ARRAY(Uuid)),
    )
    connection.execute(select(func.link_message(message_id, *columns, now)))
