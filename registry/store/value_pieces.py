"""Pieces of long random values, by which rows are found without their e-Box.

An index of pieces takes a fraction of the bytes of one of values: a piece is written once, with all
rows that have it (ADR 043). Whoever asks by a value names its piece, too. Statements that are
written out say the same in SQL.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, text

# One row in 4,096 has the same: an operator asks now and then.
ID_PIECE: Final = text("right(CAST(message_id AS text), 3)")
DIGEST_PIECE: Final = text("left(digest, 2)")
# Of the message id in `documents/ID-NUMBER`, one in a million: the worker asks for each document.
KEY_PIECE: Final = text("substr(blob_key, 11, 5)")
# Never bound: PostgreSQL holds them against those of the index.
_BEGIN: Final[ColumnElement[int]] = literal_column("11")
_LENGTH: Final[ColumnElement[int]] = literal_column("5")


def has_message_id(column: ColumnElement[UUID], message_id: UUID) -> ColumnElement[bool]:
    """Tell if a row is of this message, in whatever e-Box."""
    piece = func.right(cast(column, Text), literal_column("3"))
    return (piece == str(message_id)[-3:]) & (column == message_id)


def has_key(column: ColumnElement[str], key: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Tell if a row has the document of this key."""
    return (take_key_piece(column) == take_key_piece(key)) & (column == key)


def is_behind(column: ColumnElement[str], key: str) -> ColumnElement[bool]:
    """Tell if a row's document comes behind this key, in the order of pieces, then of keys."""
    piece, last = take_key_piece(column), take_key_piece(key)
    return (piece >= last) & ((piece > last) | (column > key))


def take_key_piece(key: ColumnElement[str] | str) -> ColumnElement[Any]:
    """Take the piece of a key, by which documents are found."""
    return func.substr(key, _BEGIN, _LENGTH)
