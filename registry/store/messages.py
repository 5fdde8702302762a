"""Messages and their attachments: one row per (e-Box, message), newest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
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
    Insert,
    Select,
    SmallInteger,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from registry.domain.identifiers import Ebox
from registry.domain.messages import searchable
from registry.domain.queries import MessageQuery
from registry.store.base import BY_EBOX, INSTANT, JSON, AnyRow, Records, ebox_column, metadata
from registry.store.search import matching, pattern, search_texts

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
    CheckConstraint("(body IS NULL) = (is_body_main IS NULL)", name="body"),
    CheckConstraint("(partition IS NULL) = (ebox LIKE 'citizen:%')", name="partition"),
    Index(None, "ebox", text("received_at DESC"), text("message_id DESC")),
    # Search by the name of a type, application or organization finds their messages with these.
    Index(None, "ebox", "message_type_id"),
    Index(None, "ebox", "sender_application_id"),
    Index(None, "ebox", "sender"),
    Index(
        "ix_messages_ebox_routing_pending",
        "ebox",
        postgresql_where=text("is_routing_pending"),
    ),
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
    # The one index that does not begin with the e-Box: a sweep asks whether anybody has a document.
    Index("ix_attachments_blob_key", "blob_key"),
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
    also: Insert | None = None,
) -> None:
    """Put a message into an e-Box: columns of `messages`, and of `attachments` for each file.

    It is found by the texts that it has now (contract 4.3). One statement, with what else is to be
    added: PostgreSQL looks at foreign keys when it is over.
    """
    key = {"ebox": ebox, "message_id": message["message_id"]}
    texts = searchable(message["subject"], message.get("business_data"), message.get("attention"))
    filed = insert(messages).values(ebox=ebox, **message).cte("filed")
    found = insert(search_texts).values(**key, **texts)
    others = [filed] if also is None else [filed, also.cte("also")]
    if not files:
        connection.execute(found.add_cte(*others))
        return
    rows = [{**key, "position": number, **file} for number, file in enumerate(files)]
    connection.execute(insert(attachments).values(rows).add_cte(*others, found.cte("found")))


def page_of(
    connection: Connection,
    ebox: Ebox,
    query: MessageQuery,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
) -> tuple[Sequence[Any], int]:
    """A page of an e-Box, newest first, and how many messages match in all.

    `partitions` are those to look in, None for all. One statement, and a second for the total
    only behind the last page.
    """
    asked = {name: value for name, value in _asked(query) if value is not None}
    if partitions is not None:
        asked["partitions"] = sorted(partitions)
    named = {"ebox": ebox, "now": now, **asked}
    statements = _listing(tuple(asked))
    page = query.page
    rows = connection.execute(
        statements.page, {**named, "size": page.size, "offset": page.offset}
    ).all()
    if rows or page.number == 1:
        return [_Listed._make(row) for row in rows], rows[0].total if rows else 0
    return [], connection.scalar(statements.total, named) or 0


def find(connection: Connection, ebox: Ebox, message_id: UUID, now: datetime) -> AnyRow | None:
    """One message that has not expired, with its attachments."""
    return connection.execute(
        _SHOWN.add_columns(messages.c.body, messages.c.structured_data).where(
            *present(ebox, now), messages.c.message_id == message_id
        )
    ).one_or_none()


def unclaimed(connection: Connection, keys: Sequence[str]) -> Sequence[str]:
    """Those of the keys of stored documents that no message of anybody has."""
    found = func.unclaimed_documents(literal(list(keys), ARRAY(Text))).column_valued()
    return connection.scalars(select(found)).all()


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

# One line per filter: what a message must be for the value that is bound under the same name.
_CRITERIA: Final[Mapping[str, ColumnElement[bool]]] = {
    "received_before": messages.c.received_at < bindparam("received_before"),
    "received_after": messages.c.received_at >= bindparam("received_after"),
    "expired_before": messages.c.expires_at < bindparam("expired_before"),
    "expired_after": messages.c.expires_at >= bindparam("expired_after"),
    "is_read": messages.c.read_at.is_not(None) == bindparam("is_read"),
    "is_visible": messages.c.is_visible == bindparam("is_visible"),
    "is_registered": messages.c.is_registered == bindparam("is_registered"),
    "is_action_required": action_required == bindparam("is_action_required"),
    "partitions": messages.c.partition == any_(bindparam("partitions", type_=ARRAY(Text))),
    "message_type_id": messages.c.message_type_id == bindparam("message_type_id"),
    "sender_organization_id": messages.c.sender == bindparam("sender_organization_id"),
    "sender_application_id": messages.c.sender_application_id == bindparam("sender_application_id"),
    "pattern": messages.c.message_id.in_(matching(bindparam("language"), bindparam("pattern"))),
}


def _asked(query: MessageQuery) -> Iterator[tuple[str, Any]]:
    """The filters of the query, None for those that do not filter."""
    for name in _CRITERIA:
        if name not in ("partitions", "pattern"):
            yield name, getattr(query, name)
    if query.search is not None:
        yield "pattern", pattern(query.search.text)
        yield "language", query.search.language


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Select[Any]
    total: Select[Any]


@lru_cache(maxsize=1024)
def _listing(names: tuple[str, ...]) -> _Listing:
    """The statements of a listing with these filters, built once and then only executed."""
    criteria = [
        messages.c.ebox == bindparam("ebox"),
        messages.c.expires_at > bindparam("now"),
        *(_CRITERIA[name] for name in names if name in _CRITERIA),
    ]
    total = select(func.count()).select_from(messages).where(*criteria)
    page = (
        _SHOWN.add_columns(total.correlate(None).scalar_subquery().label("total"))
        .where(*criteria)
        .order_by(messages.c.received_at.desc(), messages.c.message_id.desc())
        .limit(bindparam("size"))
        .offset(bindparam("offset"))
    )
    return _Listing(page, total)


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


# Body and structured data have resources of their own; the rest is the worker's memory.
_UNSHOWN: Final = ("body", "structured_data", "is_reminded", "is_alerted")
# What a listing and a detail show.
_SHOWN = select(
    *(column for column in messages.c if column.name not in _UNSHOWN),
    _attachments(),
)

# A listing reads each of these a hundred times over, and a named tuple gives its members ten times
# as fast as a row of SQLAlchemy does.
_Listed = NamedTuple(  # type: ignore[misc] # its members are the statement's columns
    "_Listed", [(name, Any) for name in [*_SHOWN.selected_columns.keys(), "total"]]
)
