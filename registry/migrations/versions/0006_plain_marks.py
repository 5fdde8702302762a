"""Texts to be found are kept with plain apostrophes, quotes and dashes.

Revision ID: 0006
Revises: 0005

A search for `l'impot` did not find what word processors write, with a typographic apostrophe. Texts
are folded further now, by `registry.domain.languages`; those that are there follow here.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APOSTROPHES = "`\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u2039\u203a"
_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212"
_MARKS = _APOSTROPHES + _QUOTES + _DASHES
_PLAIN_MARKS = "'" * len(_APOSTROPHES) + '"' * len(_QUOTES) + "-" * len(_DASHES)

_COLUMNS = {
    "search_texts": ("nl", "fr", "de"),
    "message_types": ("folded_nl", "folded_fr", "folded_de"),
    "sender_applications": ("folded_nl", "folded_fr", "folded_de"),
    "sender_organizations": ("folded_nl", "folded_fr", "folded_de"),
}


def upgrade() -> None:
    """Write plain marks; rows without others stay untouched."""
    connection = op.get_bind()
    for table, columns in _COLUMNS.items():
        plain = ", ".join(f"{column} = translate({column}, %(m)s, %(p)s)" for column in columns)
        other = " OR ".join(f"{column} <> translate({column}, %(m)s, %(p)s)" for column in columns)
        statement = f"UPDATE {table} SET {plain} WHERE {other}"  # noqa: S608 - names of our own
        connection.exec_driver_sql(statement, {"m": _MARKS, "p": _PLAIN_MARKS})


def downgrade() -> None:
    """Leave them: which marks there were, only the messages know."""
