"""Keys of documents in storage: each names the message that its document was uploaded for."""

import re
from typing import Final
from uuid import UUID

PREFIX: Final = "documents/"
_KEY: Final = re.compile(rf"{PREFIX}([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})-[0-9]+")


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
