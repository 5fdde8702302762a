"""Search: messages by their text, folded per language, with a trigram index."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ForeignKeyConstraint,
    Index,
    Select,
    Table,
    Text,
    Uuid,
    func,
    select,
)

from registry.domain.languages import LANGUAGES
from registry.store.schema import BY_EBOX, ebox_column, metadata

# Beside `messages`, not in it: a listing that searches nothing never reads these wide rows.
search_texts = Table(
    "search_texts",
    metadata,
    ebox_column(),
    Column("message_id", Uuid, primary_key=True),
    *(Column(language, Text, nullable=False) for language in LANGUAGES),
    ForeignKeyConstraint(
        ["ebox", "message_id"], ["messages.ebox", "messages.message_id"], ondelete="CASCADE"
    ),
    *(
        Index(
            None,
            "ebox",
            language,
            postgresql_using="gin",
            # Texts wait in no list: a search goes by the index, also after a broadcast.
            postgresql_with={"fastupdate": "off"},
            postgresql_ops={language: "gin_trgm_ops"},
        )
        for language in LANGUAGES
    ),
    postgresql_partition_by=BY_EBOX,
)


def matching(language: BindParameter[str], like: BindParameter[str]) -> Select[Any]:
    """Select the ids of the named e-Box's messages with the text in a field of contract 4.3.

    Asked of a database function, because row-level security keeps LIKE, which PostgreSQL does not
    hold leakproof, away from an index. The function runs with the owner's rights and reads only
    the e-Box that the transaction has named.
    """
    return select(func.search_messages(language, like).column_valued())


def build_pattern(text: str) -> str:
    """Build the LIKE pattern that finds a folded text anywhere, its wildcards taken literally."""
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
