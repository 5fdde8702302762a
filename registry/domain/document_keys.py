"""Keys in storage: each names the message that its document was uploaded for, or its record."""

import re
from typing import Final
from uuid import UUID

PREFIX: Final = "documents/"
RECORDS: Final = "records/"
_ID: Final = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_KEY: Final = re.compile(rf"{PREFIX}{_ID}-[0-9]+")
_RECORD_KEY: Final = re.compile(rf"{RECORDS}{_ID}")


def make_prefix(message_id: UUID) -> str:
    """Make what the keys of all documents of a message begin with, and no other's."""
    return f"{PREFIX}{message_id}-"


def make_key(message_id: UUID, number: int) -> str:
    """Make the key of a document, `number` of those of its message.

    Nothing of the sender's is in it: file names repeat, and may say whom they are about.
    """
    return f"{make_prefix(message_id)}{number}"


def find_message_id(key: str) -> UUID | None:
    """Find the message that a document was uploaded for; None if the key is of former versions."""
    match = _KEY.fullmatch(key)
    return UUID(match[1]) if match else None


def make_record_key(message_id: UUID) -> str:
    """Make the key of the record of a publication, beside its documents (ADR 030)."""
    return f"{RECORDS}{message_id}"


def find_recorded_id(key: str) -> UUID | None:
    """Find the message that a record is of; None if the key is no record's."""
    match = _RECORD_KEY.fullmatch(key)
    return UUID(match[1]) if match else None


def find_record_key(key: str) -> str | None:
    """Find the key of the record that goes where this document goes: with the first of a message.

    None for the other documents, and for those of former versions.
    """
    message_id = find_message_id(key)
    if message_id is None or key != make_key(message_id, 1):
        return None
    return make_record_key(message_id)
