"""Messages and their attachments: one row per (e-Box, message), newest first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from registry.domain.identifiers import Ebox
from registry.domain.messages import searchable
from registry.domain.queries import MessageQuery
from registry.store.base import BY_EBOX, INSTANT, JSON, AnyRow, Records, ebox_column, metadata
from registry.store.search import matching, search_texts

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
    CheckConstraint("(body IS NULL) = (is_body_main IS NULL)", name="body"),
    CheckConstraint("(partition IS NULL) = (ebox LIKE 'citizen:%')", name="partition"),
    Index(None, "ebox", text("received_at DESC"), text("message_id DESC")),
    # Search by the name of a type, application or organization finds their messages with these.
    Index(None, "ebox", "message_type_id"),
    Index(None, "ebox", "sender_application_id"),
    Index(None, "ebox", "sender"),
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
    ForeignKeyConstraint(
        ["ebox", "message_id"], ["messages.ebox", "messages.message_id"], ondelete="CASCADE"
    ),
    postgresql_partition_by=BY_EBOX,
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message as it is shown; `size` in bytes, `digest` SHA-256 in base64url."""

    message_id: UUID
    attachment_id: str
    title: Mapping[str, str] | None
    file_name: str
    is_main: bool
    media_type: str
    size: int
    digest: str
    is_signed: bool
    blob_key: str


def add(
    connection: Connection,
    ebox: Ebox,
    message: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]],
) -> None:
    """Put a message into an e-Box: columns of `messages`, and of `attachments` for each file.

    It is found by the texts that it has now (contract 4.3).
    """
    key = {"ebox": ebox, "message_id": message["message_id"]}
    connection.execute(insert(messages).values(ebox=ebox, **message))
    texts = searchable(message["subject"], message.get("business_data"), message.get("attention"))
    connection.execute(insert(search_texts).values(**key, **texts))
    if files:
        rows = [{**key, "position": number, **file} for number, file in enumerate(files)]
        connection.execute(insert(attachments), rows)


def page_of(
    connection: Connection,
    ebox: Ebox,
    query: MessageQuery,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
) -> tuple[Sequence[AnyRow], int]:
    """A page of an e-Box, newest first, and how many messages match in all.

    `partitions` are those to look in, None for all. One statement, and a second for the total
    unless the page itself tells it.
    """
    criteria = [*present(ebox, now), *_criteria(query)]
    if partitions is not None:
        criteria.append(messages.c.partition.in_(sorted(partitions)))
    page = query.page
    rows = connection.execute(
        _SHOWN.where(*criteria)
        .order_by(messages.c.received_at.desc(), messages.c.message_id.desc())
        .limit(page.size)
        .offset(page.offset)
    ).all()
    if len(rows) < page.size and (rows or page.number == 1):
        return rows, page.offset + len(rows)
    counted = select(func.count()).select_from(messages).where(*criteria)
    return rows, connection.scalar(counted) or 0


def find(connection: Connection, ebox: Ebox, message_id: UUID, now: datetime) -> AnyRow | None:
    """One message that has not expired, with its attachments."""
    return connection.execute(
        _SHOWN.add_columns(messages.c.body, messages.c.structured_data).where(
            *present(ebox, now), messages.c.message_id == message_id
        )
    ).one_or_none()


def mark_read(connection: Connection, ebox: Ebox, message_id: UUID, now: datetime) -> bool:
    """Mark the message read; whether this was the first time, also under concurrency."""
    marked = connection.execute(
        update(messages)
        .where(
            messages.c.ebox == ebox,
            messages.c.message_id == message_id,
            messages.c.read_at.is_(None),
        )
        .values(read_at=now)
    )
    return marked.rowcount == 1


def present(ebox: Ebox, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """An expired message is gone from that instant, purged or not (contract 6.33)."""
    return messages.c.ebox == ebox, messages.c.expires_at > now


is_unread = messages.c.read_at.is_(None)
action_required = messages.c.action_id.is_not(None) & messages.c.action_executed_at.is_(None)

# One line per filter: how a filled-in field of the query narrows the messages.
_NARROWED_BY: Final[Mapping[str, Callable[[Any], ColumnElement[bool]]]] = {
    "received_before": lambda instant: messages.c.received_at < instant,
    "received_after": lambda instant: messages.c.received_at >= instant,
    "expired_before": lambda instant: messages.c.expires_at < instant,
    "expired_after": lambda instant: messages.c.expires_at >= instant,
    "is_read": lambda wanted: messages.c.read_at.is_not(None) if wanted else is_unread,
    "is_visible": lambda wanted: messages.c.is_visible == wanted,
    "is_registered": lambda wanted: messages.c.is_registered == wanted,
    "is_action_required": lambda wanted: action_required if wanted else ~action_required,
    "message_type_id": lambda wanted: messages.c.message_type_id == wanted,
    "sender_organization_id": lambda wanted: messages.c.sender == wanted,
    "sender_application_id": lambda wanted: messages.c.sender_application_id == wanted,
    "search": lambda search: messages.c.message_id.in_(matching(search)),
}


def _criteria(query: MessageQuery) -> Iterator[ColumnElement[bool]]:
    for field, narrow in _NARROWED_BY.items():
        if (value := getattr(query, field)) is not None:
            yield narrow(value)


def _attachments() -> ColumnElement[Any]:
    shown = [attachments.c[field] for field in Attachment.__slots__]
    one = aggregate_order_by(func.jsonb_build_array(*shown), attachments.c.position)
    return (
        select(func.jsonb_agg(one, type_=Records(Attachment)))
        .where(
            attachments.c.ebox == messages.c.ebox,
            attachments.c.message_id == messages.c.message_id,
        )
        .scalar_subquery()
        .label("attachments")
    )


# What a listing and a detail show; body and structured data have resources of their own.
_SHOWN = select(
    *(column for column in messages.c if column.name not in ("body", "structured_data")),
    _attachments(),
)
