"""A page of an e-Box: filters narrow it, the newest come first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from registry.domain.identifiers import Ebox
from registry.domain.queries import MessageQuery
from registry.store.consultation.messages import MESSAGE, Message, action_required, messages
from registry.store.consultation.search import build_pattern, matching


def read_page(
    connection: Connection,
    ebox: Ebox,
    query: MessageQuery,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
) -> tuple[Sequence[Message], int]:
    """Read a page of an e-Box, newest first, and count the messages that match in all.

    `partitions` are those to look in, None for all. One statement, and a second for the total
    only behind the last page.
    """
    filters = {name: value for name, value in _filters(query) if value is not None}
    if partitions is not None:
        filters["partitions"] = sorted(partitions)
    parameters = {"ebox": ebox, "now": now, **filters}
    statements = _build_statements(tuple(filters))
    page = query.page
    rows = connection.execute(
        statements.page, {**parameters, "size": page.size, "offset": page.offset}
    ).all()
    if rows or page.number == 1:
        return [Message._make(row[:-1]) for row in rows], rows[0].total if rows else 0
    return [], connection.scalar(statements.total, parameters) or 0


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


def _filters(query: MessageQuery) -> Iterator[tuple[str, Any]]:
    """The filters of the query, None for those that do not filter."""
    for name in _CRITERIA:
        if name not in ("partitions", "pattern"):
            yield name, getattr(query, name)
    if query.search is not None:
        yield "pattern", build_pattern(query.search.text)
        yield "language", query.search.language


@dataclass(frozen=True, slots=True)
class _Statements:
    page: Select[Any]
    total: Select[Any]


@lru_cache(maxsize=1024)
def _build_statements(names: tuple[str, ...]) -> _Statements:
    """Build the statements of a listing with these filters, once; then they are only executed."""
    criteria = [
        messages.c.ebox == bindparam("ebox"),
        messages.c.expires_at > bindparam("now"),
        *(_CRITERIA[name] for name in names if name in _CRITERIA),
    ]
    total = select(func.count()).select_from(messages).where(*criteria)
    page = (
        MESSAGE.add_columns(total.correlate(None).scalar_subquery().label("total"))
        .where(*criteria)
        .order_by(messages.c.received_at.desc(), messages.c.message_id.desc())
        .limit(bindparam("size"))
        .offset(bindparam("offset"))
    )
    return _Statements(page, total)
