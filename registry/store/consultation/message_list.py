"""A page of an e-Box: filters narrow it, the newest come first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from registry.domain.identifiers import Ebox
from registry.domain.queries import MessageQuery
from registry.store.consultation.messages import SHOWN, action_required, messages
from registry.store.consultation.search import matching, pattern


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
        SHOWN.add_columns(total.correlate(None).scalar_subquery().label("total"))
        .where(*criteria)
        .order_by(messages.c.received_at.desc(), messages.c.message_id.desc())
        .limit(bindparam("size"))
        .offset(bindparam("offset"))
    )
    return _Listing(page, total)


# A listing reads each of these a hundred times over, and a named tuple gives its members ten times
# as fast as a row of SQLAlchemy does.
_Listed = NamedTuple(  # type: ignore[misc] # its members are the statement's columns
    "_Listed", [(name, Any) for name in [*SHOWN.selected_columns.keys(), "total"]]
)
