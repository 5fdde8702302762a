"""What an enterprise sent, and where it went: how a sender finds his own message again.

Nobody looks through the recipients' e-Boxes for it (contract 6.27, 6.38); `ebox` is the sender's.
"""

from uuid import UUID

from sqlalchemy import Column, Connection, Table, Text, Uuid, insert, select

from registry.domain.identifiers import Ebox
from registry.store.base import BY_EBOX, AnyRow, EboxKey, ebox_column, metadata, name_ebox

sent_messages = Table(
    "sent_messages",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("partition", Text, nullable=False),
    Column("recipient", EboxKey, nullable=False),
    postgresql_partition_by=BY_EBOX,
)


def add(
    connection: Connection, sender: Ebox, message_id: UUID, *, partition: str, recipient: Ebox
) -> None:
    """Note what the sender sent; the transaction is left at the sender's e-Box."""
    name_ebox(connection, sender)
    connection.execute(
        insert(sent_messages).values(
            ebox=sender, message_id=message_id, partition=partition, recipient=recipient
        )
    )


def find(connection: Connection, ebox: Ebox, message_id: UUID) -> AnyRow | None:
    """Recipient e-Box and sender partition of a message that this e-Box's owner sent."""
    return connection.execute(
        select(sent_messages.c.recipient, sent_messages.c.partition).where(
            sent_messages.c.ebox == ebox, sent_messages.c.message_id == message_id
        )
    ).one_or_none()
