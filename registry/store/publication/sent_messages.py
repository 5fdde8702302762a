"""Messages that an enterprise sent, with their recipients: how a sender finds his own again.

Nobody looks through the recipients' e-Boxes for them (contract 6.27, 6.38); `ebox` is the sender's.
A row is also the claim of an idempotency key, which lasts as long as the row (contract 6.23).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from registry.domain.errors import UploadNotKept
from registry.domain.identifiers import Ebox
from registry.domain.partitions import GENERAL
from registry.store.schema import BY_EBOX, INSTANT, EboxKey, ebox_column, metadata

sent_messages = Table(
    "sent_messages",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("partition", Text, nullable=False),
    Column("recipient", EboxKey, nullable=False),
    # '' for none: in a unique constraint NULL would differ from NULL, and a key be used twice.
    Column("application_id", Text, nullable=False, server_default=text("''")),
    Column("idempotency_key", Text),
    UniqueConstraint("ebox", "application_id", "idempotency_key", name="uq_sent_messages_key"),
    postgresql_partition_by=BY_EBOX,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message and its first recipient; `partition` is the sender's, that it was sent from.

    `key` is the idempotency key, which sender and application may use once. `has_upload`: documents
    were uploaded for it, and noted.
    """

    message_id: UUID
    recipient: Ebox
    partition: str = GENERAL
    application_id: str | None = None
    key: str | None = None
    has_upload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentStatus:
    """State of a message in the e-Box of one of its recipients.

    `withdrawn_at` is when an operator took it out of there again, None if nobody did.
    """

    message_id: UUID
    recipient: Ebox
    expires_at: datetime
    is_read: bool
    is_visible: bool
    withdrawn_at: datetime | None = None


def add(connection: Connection, sender: Ebox, message: SentMessage) -> UUID | None:
    """Note a message of the sender, whose e-Box is named, and claim the idempotency key.

    When sender and application have used the key before, nothing is noted and the id of the message
    of that time is given. Another transaction that is about to use the key is waited for.
    The note of its upload goes away in the same statement; raises `UploadNotKept` when it is gone
    already, since the sweep may have taken the documents.
    """
    values = {
        "ebox": sender,
        "message_id": message.message_id,
        "partition": message.partition,
        "recipient": message.recipient,
        "application_id": message.application_id or "",
        "idempotency_key": message.key,
    }
    if (
        connection.execute(_CLAIM_AND_ADD if message.has_upload else _ADD, values).first()
        is not None
    ):
        return None
    # A second look, not an update that returns the row: a message that was filed is never touched.
    first_id: UUID | None = connection.execute(
        select(sent_messages.c.message_id).where(
            sent_messages.c.ebox == sender,
            sent_messages.c.application_id == values["application_id"],
            sent_messages.c.idempotency_key == message.key,
        )
    ).scalar_one_or_none()
    if first_id is None:
        raise UploadNotKept
    return first_id


def find(connection: Connection, sender: Ebox, message_id: UUID) -> SentMessage | None:
    """Find a message that the owner of an e-Box sent; None when he sent no such message."""
    row = connection.execute(
        select(
            sent_messages.c.message_id,
            sent_messages.c.recipient,
            sent_messages.c.partition,
            func.nullif(sent_messages.c.application_id, "").label("application_id"),
            sent_messages.c.idempotency_key.label("key"),
        ).where(sent_messages.c.ebox == sender, sent_messages.c.message_id == message_id)
    ).one_or_none()
    return None if row is None else SentMessage(**row._asdict())


def find_statuses(
    connection: Connection, copies: Sequence[tuple[UUID, Ebox]], now: datetime
) -> Sequence[SentStatus]:
    """Find the states of messages that the named e-Box sent, each in one recipient's e-Box.

    Messages that it did not send, or that are not there, are left out; those that were withdrawn
    are there until they would have expired.
    """
    # A function of the database looks, which may see the recipients' e-Boxes.
    statuses = func.sent_states(
        literal([message_id for message_id, _ in copies], ARRAY(Uuid)),
        literal([recipient.key for _, recipient in copies], ARRAY(Text)),
        now,
    ).table_valued(
        Column("message", Uuid),
        Column("recipient", EboxKey),
        Column("expires", INSTANT),
        "is_read",
        "is_visible",
        Column("withdrawal", INSTANT),
    )
    rows = connection.execute(
        select(
            statuses.c.message.label("message_id"),
            statuses.c.recipient,
            statuses.c.expires.label("expires_at"),
            statuses.c.is_read,
            statuses.c.is_visible,
            statuses.c.withdrawal.label("withdrawn_at"),
        )
    )
    return [SentStatus(**row._asdict()) for row in rows]


_ADD: Final = (
    insert(sent_messages)
    .on_conflict_do_nothing(constraint="uq_sent_messages_key")
    .returning(sent_messages.c.message_id)
)
# Nothing is noted without its upload; two rooms of the sender's e-Box, one statement.
_CLAIM_AND_ADD: Final = text("""
WITH claim AS (
  DELETE FROM upload_notes
  WHERE ebox = :ebox AND message_id = :message_id AND condemned_at IS NULL
  RETURNING ebox, message_id
)
INSERT INTO sent_messages
  (ebox, message_id, partition, recipient, application_id, idempotency_key)
SELECT ebox, message_id, :partition, :recipient, :application_id, CAST(:idempotency_key AS text)
FROM claim
ON CONFLICT ON CONSTRAINT uq_sent_messages_key DO NOTHING
RETURNING message_id
""").bindparams(
    bindparam("ebox", type_=EboxKey),
    bindparam("message_id", type_=Uuid),
    bindparam("recipient", type_=EboxKey),
)
