"""Search: messages by their text, folded per language."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    select,
    text,
)

from registry.domain.languages import LANGUAGES
from registry.store.schema import BY_EBOX, INSTANT, ebox_column, metadata

# Beside `messages`, not in it: a listing that searches nothing never reads these wide rows.
search_texts = Table(
    "search_texts",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    *(Column(language, Text, nullable=False) for language in LANGUAGES),
    Column("is_large", Boolean, nullable=False, server_default=text("false")),
    ForeignKeyConstraint(
        ["ebox", "message_id"], ["messages.ebox", "messages.message_id"], ondelete="CASCADE"
    ),
    # A small e-Box is read through in less time than an index takes, and most are small (ADR 038).
    Index(
        "ix_search_texts_large",
        "ebox",
        *LANGUAGES,
        text("letter_pairs(nl, fr, de)"),
        postgresql_using="gin",
        # Some forty messages wait in a list that each search reads, and are filed together: a
        # quarter of what it takes one by one. A longer list would cost searches too much.
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": "256"},
        postgresql_ops=dict.fromkeys(LANGUAGES, "gin_trgm_ops"),
        postgresql_where=text("is_large"),
    ),
    postgresql_partition_by=BY_EBOX,
)


def search_ebox(language: str, words: str, newest: str) -> Select[Any]:
    """Select the ids of the named e-Box's messages with the text in a field of contract 4.3.

    The arguments name the values that are bound: a language, a folded text, and among how many of
    the newest messages of a large e-Box it is looked for, 0 for all.

    Asked of a database function, because row-level security keeps LIKE, which PostgreSQL does not
    hold leakproof, away from an index. The function runs with the owner's rights and reads only
    the e-Box that the transaction has named.
    """
    values = (*_bind(language, words, newest), cast(None, Integer))  # and no end of matches
    return select(func.search_ebox(*values).column_valued("message_id"))


def search_newest(language: str, words: str, newest: str, enough: str, now: str) -> Select[Any]:
    """Select keys of those among the newest messages of a large e-Box that have the text.

    As `search_ebox`, but the newest first, no more than `enough`, none that has expired by `now`,
    and each with its `received_at`: whoever cuts a page out of them looks none of the others up.
    """
    names = _bind(language, words, newest, enough, now)
    columns = column("message_id", Uuid()), column("received_at", INSTANT)
    return select(func.search_newest(*names).table_valued(*columns, name="keys"))


def _bind(*names: str) -> tuple[Any, ...]:
    return tuple(bindparam(name) for name in names)
