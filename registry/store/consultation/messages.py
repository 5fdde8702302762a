"""Messages and their attachments: one row per (e-Box, message)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Insert,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from registry.domain.identifiers import Ebox
from registry.domain.search import make_search_texts
from registry.store.consultation.message_records import Attachment, Message, MessageContent
from registry.store.consultation.search import search_texts
from registry.store.direct_query import DirectQuery
from registry.store.schema import BY_EBOX, INSTANT, JSON, ebox_column, metadata
from registry.store.value_pieces import DIGEST_PIECE, ID_PIECE, KEY_PIECE

_NEWEST_FIRST: Final = (text("received_at DESC"), text("message_id DESC"))
_IS_LARGE: Final = text("is_large")

messages = Table(
    "messages",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("received_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("read_at", INSTANT),
    Column("is_visible", Boolean, nullable=False, server_default=text("true")),
    Column("is_registered", Boolean, nullable=False),
    Column("is_reply_authorized", Boolean, nullable=False),
    Column("partition", Text),  # NULL for citizens, who have none (contract 4.15)
    Column("is_routing_pending", Boolean, nullable=False, server_default=text("false")),
    Column("original_message_id", Uuid),
    Column("message_type_id", ForeignKey("message_types.message_type_id"), nullable=False),
    Column("sender", Text, nullable=False),  # an enterprise number
    Column("sender_partition", Text),
    Column("sender_application_id", ForeignKey("sender_applications.application_id")),
    Column("subject", JSON, nullable=False),
    Column("body", JSON),
    Column("is_body_main", Boolean),  # NULL exactly when there is no body
    Column("attention", JSON),
    Column("business_data", JSON),
    Column("payment_data", JSON),
    Column("structured_data", JSON),
    Column("action_id", Text),
    Column("action_label", JSON),
    Column("action_executed_at", INSTANT),
    Column("message_template_id", ForeignKey("message_templates.message_template_id")),
    Column("is_reminded", Boolean, nullable=False, server_default=text("false")),
    Column("is_alerted", Boolean, nullable=False, server_default=text("false")),
    # Withdrawn by an operator: row-level security shows it to nobody from then on (ADR 037).
    Column("withdrawn_at", INSTANT),
    Column("original_expires_at", INSTANT),  # what `expires_at` was before
    # Of an e-Box that has grown large (ADR 038); a trigger says it of what comes in.
    Column("is_large", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("(body IS NULL) = (is_body_main IS NULL)", name="body"),
    CheckConstraint("(partition IS NULL) = (ebox LIKE 'citizen:%')", name="partition"),
    # What a page is found by, without its rows.
    Index(
        "ix_messages_newest",
        "ebox",
        *_NEWEST_FIRST,
        postgresql_include=["expires_at", "withdrawn_at"],
    ),
    # Small e-Boxes need no more. Large ones are counted, filtered, and searched by names of types,
    # applications and organizations.
    Index(
        "ix_messages_large_expires_at",
        "ebox",
        "expires_at",
        postgresql_include=["read_at", "withdrawn_at", "partition"],
        postgresql_where=_IS_LARGE,
    ),
    *(
        Index(
            f"ix_messages_large_{column}",
            "ebox",
            column,
            *_NEWEST_FIRST,
            postgresql_include=["expires_at", "withdrawn_at"],
            postgresql_where=_IS_LARGE,
        )
        for column in ("message_type_id", "sender", "sender_application_id")
    ),
    Index("ix_messages_ebox_routing_pending", "ebox", postgresql_where=text("is_routing_pending")),
    # The worker's, which looks across e-Boxes for what the clock asks for.
    Index(
        "ix_messages_to_remind",
        "received_at",
        postgresql_where=text("read_at IS NULL AND is_visible AND NOT is_reminded"),
    ),
    Index(
        "ix_messages_to_alert",
        "expires_at",
        postgresql_where=text("read_at IS NULL AND is_visible AND NOT is_alerted"),
    ),
    Index("ix_messages_expires_at", "expires_at"),
    # An operator has an id, the hash of a subject or a time, and not whose message it is.
    Index("ix_messages_id_piece", ID_PIECE),
    Index(
        "ix_messages_subject_pieces",
        text("subject_pieces(subject)"),
        postgresql_using="gin",
        # A longer list of those that wait would take more than it spares.
        postgresql_with={"gin_pending_list_limit": "256"},
    ),
    Index("ix_messages_received_at", "received_at", postgresql_using="brin"),
    postgresql_partition_by=BY_EBOX,
)

attachments = Table(
    "attachments",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("attachment_id", Text, primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Column("title", JSON),
    Column("file_name", Text, nullable=False),
    Column("is_main", Boolean, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes
    Column("digest", Text, nullable=False),  # SHA-256, base64url
    Column("is_signed", Boolean, nullable=False),
    Column("blob_key", Text, nullable=False),
    Column("fault", Text),  # why storage cannot give it, as `registry fsck` has found
    ForeignKeyConstraint(
        ["ebox", "message_id"], ["messages.ebox", "messages.message_id"], ondelete="CASCADE"
    ),
    # Not by e-Box: a sweep asks if anybody has a document, an operator who has one of these bytes.
    Index("ix_attachments_key_piece", KEY_PIECE),
    Index("ix_attachments_digest_piece", DIGEST_PIECE),
    postgresql_partition_by=BY_EBOX,
)


def add(
    connection: Connection,
    ebox: Ebox,
    message: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]],
    also: Insert | None = None,
) -> None:
    """Put a message into an e-Box: columns of `messages`, and of `attachments` for each file.

    It is found by the texts that it has now (contract 4.3). One statement, with what else is to be
    added: PostgreSQL looks at foreign keys when it is over.
    """
    key = {"ebox": ebox, "message_id": message["message_id"]}
    texts = make_search_texts(
        message["subject"], message.get("business_data"), message.get("attention")
    )
    message_row = insert(messages).values(ebox=ebox, **message).cte("message_row")
    text_row = insert(search_texts).values(**key, **texts)
    others = [message_row] if also is None else [message_row, also.cte("also")]
    if not files:
        connection.execute(text_row.add_cte(*others))
        return
    rows = [{**key, "position": number, **file} for number, file in enumerate(files)]
    statement = insert(attachments).values(rows)
    connection.execute(statement.add_cte(*others, text_row.cte("text_row")))


def find(
    connection: Connection, ebox: Ebox, message_id: UUID, now: datetime
) -> MessageContent | None:
    """Find one message that has not expired, with its attachments."""
    values = {"of_ebox": ebox.key, "of_message": message_id, "now": now}
    rows = _FIND.read(connection, values)
    if not rows:
        return None
    ((*columns, body, structured_data),) = rows
    return MessageContent(Message.from_columns(ebox, columns), body, structured_data)


def filter_unclaimed(connection: Connection, keys: Sequence[str]) -> Sequence[str]:
    """Keep those keys of stored documents that no message of anybody has."""
    unclaimed_keys = func.unclaimed_documents(literal(list(keys), ARRAY(Text))).column_valued()
    return connection.scalars(select(unclaimed_keys)).all()


def mark_read(connection: Connection, ebox: Ebox, message_id: UUID, now: datetime) -> bool:
    """Mark the message read; tell if this was the first time, also under concurrency."""
    values = {"of_ebox": ebox, "of_message": message_id, "now": now}
    return connection.execute(_MARK_READ, values).rowcount == 1


def is_present(
    ebox: Ebox | BindParameter[Ebox], now: datetime | BindParameter[datetime]
) -> tuple[ColumnElement[bool], ...]:
    """Build the criteria of a message that is there.

    An expired one is gone from that instant, purged or not (contract 6.33).
    """
    return messages.c.ebox == ebox, messages.c.expires_at > now


is_unread = messages.c.read_at.is_(None)
action_required = messages.c.action_id.is_not(None) & messages.c.action_executed_at.is_(None)


def build_columns(ebox: BindParameter[Ebox]) -> Sequence[ColumnElement[Any]]:
    """Build the columns that `Message.from_columns` takes, for messages of this e-Box."""
    computed: dict[str, ColumnElement[Any]] = {
        "business_data": cast(messages.c.business_data, Text).label("business_data"),
        "attachments": _build_attachments(ebox),
    }
    names = Message._fields[1:]  # whoever asks knows the e-Box
    return [computed[name] if name in computed else messages.c[name] for name in names]


def _build_attachments(ebox: BindParameter[Ebox]) -> ColumnElement[Any]:
    # By the e-Box that is bound, of which the planner knows the one partition for all messages.
    members = [attachments.c[field] for field in Attachment._fields]
    item = aggregate_order_by(func.json_build_array(*members), attachments.c.position)
    return (
        select(func.json_agg(item))
        .where(
            attachments.c.ebox == ebox,
            attachments.c.message_id == messages.c.message_id,
        )
        .scalar_subquery()
        .label("attachments")
    )


# Built once: building them took a third of the CPU of each call.
_EBOX: Final[BindParameter[Ebox]] = bindparam("of_ebox", type_=messages.c.ebox.type)
_MESSAGE_ID: Final[BindParameter[UUID]] = bindparam("of_message", type_=Uuid())
_NOW: Final[BindParameter[datetime]] = bindparam("now", type_=INSTANT)
_FIND: Final = DirectQuery(
    select(*build_columns(_EBOX), messages.c.body, messages.c.structured_data).where(
        *is_present(_EBOX, _NOW), messages.c.message_id == _MESSAGE_ID
    )
)
_MARK_READ: Final = (
    update(messages)
    .where(messages.c.ebox == _EBOX, messages.c.message_id == _MESSAGE_ID, is_unread)
    .values(read_at=_NOW)
)
