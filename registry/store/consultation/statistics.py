"""Statistics: counts over an e-Box."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    false,
    func,
    literal,
    select,
    true,
)

from registry.domain.errors import Unavailable
from registry.domain.identifiers import Ebox
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.consultation.large_eboxes import (
    COUNTED_FILTERS,
    Values,
    compare_message,
    is_counted,
    select_sums,
)
from registry.store.consultation.messages import action_required, is_unread, messages
from registry.store.direct_query import DirectQuery


class EboxCounts(NamedTuple):
    """Numbers of messages; `last_received_at` is None in an empty e-Box."""

    messages: int
    unread: int
    soon_expiring: int
    action_required: int
    registered_messages: int
    last_received_at: datetime | None


def count_messages(
    connection: Connection,
    ebox: Ebox,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
    soon: datetime,
    known_sizes: KnownSizes,
) -> EboxCounts:
    """Count all of contract 6.9 in one statement; invisible messages count, expired ones do not.

    `soon` is the instant before which an unread message expires soon. In a large e-Box the counts
    say it, and only what expires soon is looked for. Either has one plan for all e-Boxes, which the
    transaction should ask for.
    """
    values: dict[str, Any] = {"ebox": ebox.key, "now": now, "soon": soon}
    if partitions is not None:
        values["partitions"] = sorted(partitions)
    has_partitions = partitions is not None
    for is_large in known_sizes.guess(ebox):
        ((*counts, was_large),) = _QUERIES[is_large, has_partitions].read(connection, values)
        if was_large == is_large:
            known_sizes.note(ebox, is_large=is_large)
            return EboxCounts(*counts)
    raise Unavailable("The e-Box is just being erased.")


_NOW: Final = bindparam("now", type_=messages.c.expires_at.type)
_SOON: Final = bindparam("soon", type_=messages.c.expires_at.type)
_IS_LARGE: Final = func.coalesce(is_counted, False).label("is_large")


def _list_present(values: Values) -> list[ColumnElement[bool]]:
    of_ebox = messages.c.ebox == bindparam("ebox", type_=messages.c.ebox.type)
    return [of_ebox, messages.c.expires_at > _NOW, *compare_message(values)]


def _count_rows(values: Values) -> Select[Any]:
    """Count the rows of a small e-Box; of a large one nothing is read."""
    counts: list[ColumnElement[Any]] = [
        func.count(),
        func.count().filter(is_unread),
        func.count().filter(is_unread, messages.c.expires_at < _SOON),
        func.count().filter(action_required),
        func.count().filter(messages.c.is_registered),
        func.max(messages.c.received_at),
    ]
    return select(*counts, _IS_LARGE).where(*_list_present(values), ~_IS_LARGE.element)


def _ask_counts(values: Values) -> Select[Any]:
    """Ask the counts of a large e-Box: all of them of one reading."""
    present = _list_present(values)
    sums = select_sums(
        values,
        [{}, {"is_read": false()}, {"is_action_required": true()}, {"is_registered": true()}],
    )
    counted, unread, action, registered = sums.subquery("sums").c
    expiring = (
        select(literal(1))
        .where(*present, messages.c.is_large, is_unread, messages.c.expires_at < _SOON)
        # By the index in that order, and no other that has the e-Box's messages.
        .order_by(messages.c.expires_at)
        .subquery("expiring")
    )
    soon = select(func.count()).select_from(expiring)
    newest = select(messages.c.received_at).where(*present)
    return select(
        counted,
        unread,
        soon.scalar_subquery(),
        action,
        registered,
        newest.order_by(messages.c.received_at.desc()).limit(1).scalar_subquery(),
        _IS_LARGE,
    )


_FILTERS: Final[tuple[Values, Values]] = ({}, {"partitions": COUNTED_FILTERS["partitions"]})
# By whether the e-Box is large, and whether some of its partitions are looked at.
_QUERIES: Final = {
    (is_large, bool(values)): DirectQuery(build(values), prepare=True)
    for is_large, build in ((False, _count_rows), (True, _ask_counts))
    for values in _FILTERS
}
