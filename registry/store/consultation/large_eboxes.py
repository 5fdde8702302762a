"""Large e-Boxes: their messages are counted as they come and go (ADR 038).

Triggers add what each transaction changes, so that nobody who writes waits for another; the worker
sums up. An e-Box is counted once every row of it is marked as one of a large e-Box.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Identity,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from registry.domain.identifiers import Ebox
from registry.store.consultation.messages import action_required, is_unread, messages
from registry.store.schema import INSTANT, ebox_column, metadata

# Added by whoever reads an e-Box that has grown, in the transaction `asked_by`. Of what a later one
# files, a trigger says whose it is.
large_eboxes = Table(
    "large_eboxes",
    metadata,
    ebox_column(),
    Column(
        "asked_by",
        BigInteger,
        nullable=False,
        server_default=text("((pg_current_xact_id())::text)::bigint"),
    ),
    Column("counted_at", INSTANT),
)


_FLAGS: Final = ("is_read", "is_visible", "is_registered", "is_action_required")


def _make_kind(*, is_key: bool) -> Sequence[Column[Any]]:
    """Make the columns that tell messages apart; `partition` is '' where there is none."""
    return [
        Column("partition", Text, primary_key=is_key, nullable=False),
        *(Column(flag, Boolean, primary_key=is_key, nullable=False) for flag in _FLAGS),
    ]


message_counts = Table(
    "message_counts",
    metadata,
    ebox_column(),
    *_make_kind(is_key=True),
    Column("messages", BigInteger, nullable=False),
)
message_count_changes = Table(
    "message_count_changes",
    metadata,
    ebox_column(),
    Column("change_number", BigInteger, Identity(always=True), primary_key=True),
    *_make_kind(is_key=False),
    Column("messages", BigInteger, nullable=False),
)

_EBOX: Final = bindparam("ebox", type_=messages.c.ebox.type)
# Filters whose answer is in the counts, by the name of the value that each is compared with.
COUNTED_FILTERS: Final[Mapping[str, ColumnElement[Any]]] = {
    **{flag: bindparam(flag, type_=Boolean()) for flag in _FLAGS},
    "partitions": bindparam("partitions", type_=ARRAY(Text)),
}
is_counted: Final[ColumnElement[bool]] = (
    select(large_eboxes.c.counted_at.is_not(None))
    .where(large_eboxes.c.ebox == _EBOX)
    .scalar_subquery()
)

Values = Mapping[str, ColumnElement[Any]]


def sum_counts(values: Values) -> ColumnElement[int]:
    """Build the number of messages with these values of `COUNTED_FILTERS`, in a counted e-Box."""
    return select_sums(values, [{}]).scalar_subquery()


def select_sums(values: Values, kinds: Sequence[Values]) -> Select[Any]:
    """Select the numbers of messages with these values: a column for each kind, of its own flags.

    Messages that have expired and are not purged are taken off, one by one: there are few.
    """
    kept = union_all(
        *(
            select(*(table.c[name] for name in (*_FLAGS, "messages"))).where(
                table.c.ebox == _EBOX, *_compare(dict(table.c.items()), values)
            )
            for table in (message_counts, message_count_changes)
        )
    ).subquery("kept")
    flags = dict(kept.c.items())
    messages_kept = select(
        *(func.sum(kept.c.messages).filter(*_compare(flags, kind)) for kind in kinds)
    ).subquery("messages_kept")
    expired = (
        select(*(and_(true(), *compare_message(kind)).label(None) for kind in kinds))
        .where(
            messages.c.ebox == _EBOX,
            messages.c.is_large,
            messages.c.expires_at <= bindparam("now"),
            *compare_message(values),
        )
        # By the index in that order, and no other that has the e-Box's messages.
        .order_by(messages.c.expires_at)
        .subquery("expired")
    )
    messages_expired = select(*(func.count().filter(is_kind) for is_kind in expired.c)).subquery(
        "messages_expired"
    )
    pairs = zip(messages_kept.c, messages_expired.c, strict=True)
    numbers: list[ColumnElement[Any]] = [
        cast(func.greatest(func.coalesce(kept_sum, 0) - count, 0), BigInteger)
        for kept_sum, count in pairs
    ]
    return select(*numbers).select_from(messages_kept.join(messages_expired, true()))


def compare_message(values: Values) -> list[ColumnElement[bool]]:
    """Build what a message must be for these values of `COUNTED_FILTERS`."""
    return _compare(
        {
            "is_read": ~is_unread,
            "is_visible": messages.c.is_visible,
            "is_registered": messages.c.is_registered,
            "is_action_required": action_required,
            "partition": messages.c.partition,
        },
        values,
    )


def ask_for_counts(connection: Connection, ebox: Ebox) -> None:
    """Ask the worker to count an e-Box that has become large; once is enough."""
    connection.execute(insert(large_eboxes).on_conflict_do_nothing(), {"ebox": ebox})


def _compare(
    columns: Mapping[str, ColumnElement[Any]], values: Values
) -> list[ColumnElement[bool]]:
    return [
        columns["partition"] == any_(value) if name == "partitions" else columns[name] == value
        for name, value in sorted(values.items())
    ]
