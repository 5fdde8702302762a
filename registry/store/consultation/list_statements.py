"""Statements of a listing: the keys of a page first, by an index that has all it takes."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SelectBase,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)

from registry.store.consultation.large_eboxes import (
    COUNTED_FILTERS,
    compare_message,
    is_counted,
    sum_counts,
)
from registry.store.consultation.messages import build_columns, messages
from registry.store.consultation.search import search_ebox, search_newest
from registry.store.direct_query import DirectQuery


class ListShape(Enum):
    """How a page is found and its messages are counted.

    In a small e-Box all that match are gone through. In a large one the total comes from the
    counts, or is counted up to `most`; a far page is reached from the nearer end; and a text is
    looked for among the `newest`, with other filters or alone, or in all, which may find half of
    the e-Box. Of an e-Box that is not of that size, the total is NULL.
    """

    SMALL = auto()
    LARGE = auto()
    LARGE_FAR = auto()
    LARGE_FILTERED = auto()
    LARGE_SEARCH = auto()
    LARGE_SEARCH_ALONE = auto()
    LARGE_SEARCH_ALL = auto()


_OF_TEXT: Final = search_ebox("language", "words", "newest")
_NEWEST_OF_TEXT: Final = search_newest("language", "words", "newest", "enough", "now")
# What a message must be for the value that is bound under the same name.
FILTERS: Final[Mapping[str, ColumnElement[bool]]] = {
    "received_before": messages.c.received_at < bindparam("received_before"),
    "received_after": messages.c.received_at >= bindparam("received_after"),
    "expired_before": messages.c.expires_at < bindparam("expired_before"),
    "expired_after": messages.c.expires_at >= bindparam("expired_after"),
    **{name: compare_message({name: value})[0] for name, value in COUNTED_FILTERS.items()},
    "message_type_id": messages.c.message_type_id == bindparam("message_type_id"),
    "sender_organization_id": messages.c.sender == bindparam("sender_organization_id"),
    "sender_application_id": messages.c.sender_application_id == bindparam("sender_application_id"),
    "words": messages.c.message_id.in_(_OF_TEXT),
}
_SEARCHES: Final = {
    ListShape.LARGE_SEARCH,
    ListShape.LARGE_SEARCH_ALONE,
    ListShape.LARGE_SEARCH_ALL,
}
# Those for which large e-Boxes have an index.
_INDEXED: Final = {"message_type_id", "sender_organization_id", "sender_application_id"}

_EBOX: Final = bindparam("ebox", type_=messages.c.ebox.type)
_SIZE: Final = bindparam("size", type_=BigInteger())
_OFFSET: Final = bindparam("offset", type_=BigInteger())
_MOST: Final = bindparam("most", type_=BigInteger())
_FREQUENT: Final = 5_000  # messages, by key about as long as 200,000 others by their index
_KEY: Final = (messages.c.message_id, messages.c.received_at)


@lru_cache(maxsize=1024)
def build_query(shape: ListShape, names: tuple[str, ...]) -> DirectQuery:
    """Build the query of a listing with these filters, once; then it is only asked.

    Rows are the total and what `Message.from_columns` takes, which is NULL in the one row of a page
    that has none.
    """
    is_right: ColumnElement[bool] = func.coalesce(is_counted, False)
    if shape is ListShape.SMALL:
        is_right = ~is_right
    is_search = shape in _SEARCHES
    filters = FILTERS.keys() - ({"words"} if is_search else set())
    criteria = [
        messages.c.ebox == _EBOX,
        messages.c.expires_at > bindparam("now"),
        *(FILTERS[name] for name in names if name in filters),
    ]
    if shape is ListShape.LARGE_FILTERED and not _INDEXED.isdisjoint(names):
        criteria.append(messages.c.is_large)
    # Of one that is not right PostgreSQL looks at nothing else.
    keys = select(*_KEY).where(*criteria, is_right)
    total: ColumnElement[int]
    if is_search or shape is ListShape.SMALL:
        searched = _search(shape, criteria, is_right) if is_search else keys
        matches = searched.cte("matches")
        total = select(func.count()).select_from(matches).scalar_subquery()
        page = _cut(select(matches))
    elif shape is ListShape.LARGE_FILTERED:
        counted = select(literal(1)).where(*criteria).limit(_MOST).subquery("counted")
        total = select(func.count()).select_from(counted).scalar_subquery()
        page = _cut(keys)
    else:
        values = {name: COUNTED_FILTERS[name] for name in names}
        counts = select(sum_counts(values).label("total")).where(is_right).cte("counts")
        total = select(counts.c.total).scalar_subquery()
        page = _cut(keys) if shape is ListShape.LARGE else _reach(keys, total)
    query = _fill(case((is_right, total)), page.subquery("page"))
    return DirectQuery(query, prepare=_find_preparation(shape, names))


def has_one_plan(names: Iterable[str]) -> bool:
    """Tell if pages with these filters are found by the same indexes in all e-Boxes.

    Of the messages in their order, those are left out that the counts leave out.
    """
    return COUNTED_FILTERS.keys() >= set(names)


def _find_preparation(shape: ListShape, names: tuple[str, ...]) -> bool | None:
    """Find whether a page is prepared: True at once, False never, None once it has come often.

    A plan for any e-Box goes through one as if it had few messages. PostgreSQL expects less of it
    than of a plan that knows the large one, and soon takes it for what is prepared.
    """
    if has_one_plan(names):
        return True
    return None if shape is ListShape.SMALL else False


def _search(
    shape: ListShape, criteria: Sequence[ColumnElement[bool]], is_right: ColumnElement[bool]
) -> SelectBase:
    """Find the keys of those with a text; where it is looked for in all, they may be half of them.

    Each is looked up by its key, or, where there are many, all of the e-Box are gone through in
    turn. The planner is not asked: it knows nothing of the text, and of the e-Box only sometimes.
    A text alone needs no look-up.
    """
    if shape is ListShape.LARGE_SEARCH_ALONE:
        return _NEWEST_OF_TEXT.where(is_right)
    ids = _OF_TEXT.distinct().cte("ids")
    by_key = (
        select(*_KEY)
        .where(*criteria, is_right, messages.c.message_id == ids.c.message_id)
        .limit(literal_column("1"))  # so that it stays a look-up, and becomes no join
        .lateral("by_key")
    )
    one_by_one = select(by_key.c.message_id, by_key.c.received_at).join_from(ids, by_key, true())
    if shape is ListShape.LARGE_SEARCH:
        return one_by_one
    is_frequent = select(func.count()).select_from(ids).scalar_subquery() > _FREQUENT
    has_text = messages.c.message_id.in_(select(ids.c.message_id)).is_(true())
    in_turn = select(*_KEY).where(*criteria, is_right, has_text, is_frequent)
    return union_all(one_by_one.where(~is_frequent), in_turn)


def _cut(keys: Select[Any]) -> Select[Any]:
    """Cut the page out, from the newest on."""
    received_at, message_id = keys.selected_columns.received_at, keys.selected_columns.message_id
    return keys.order_by(received_at.desc(), message_id.desc()).limit(_SIZE).offset(_OFFSET)


def _reach(keys: Select[Any], total: ColumnElement[int]) -> Select[Any]:
    """Cut the page out, from the newest or from the oldest on, whichever is nearer."""
    is_near = total >= _OFFSET * 2
    size = func.least(_SIZE, func.greatest(total - _OFFSET, 0))
    backward = (
        keys.where(~is_near)
        .order_by(messages.c.received_at, messages.c.message_id)
        .limit(size)
        .offset(func.greatest(total - _OFFSET - _SIZE, 0))
    )
    ways = (_cut(keys.where(is_near)).subquery("forward"), backward.subquery("backward"))
    # One of them is empty. The planner takes a limit that is no number for a tenth of all.
    return select(union_all(*(select(way) for way in ways)).subquery("ways")).limit(_SIZE)


def _fill(total: ColumnElement[int | None], page: FromClause) -> Select[Any]:
    """Read the messages of a page beside the total, newest first.

    Each is looked up by its key. As a join it might become one with all messages of the e-Box,
    where the planner takes it for a smaller one.
    """
    message = (
        select(*build_columns(_EBOX))
        .where(
            messages.c.ebox == _EBOX,
            messages.c.message_id == page.c.message_id,
            # Of both, so that either index with both is a way to one message.
            messages.c.received_at == page.c.received_at,
        )
        .limit(literal_column("1"))  # so that it stays a look-up
        .lateral("message")
    )
    rows = select(*message.c).select_from(page.join(message, true())).subquery("rows")
    totals = select(total.label("total")).subquery("totals")
    return (
        select(totals.c.total, *rows.c)
        .select_from(totals.outerjoin(rows, true()))
        .order_by(rows.c.received_at.desc(), rows.c.message_id.desc())
    )
