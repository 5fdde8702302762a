"""Findings about documents: what the database says of one, held against what storage has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

_PURGE_TIME: Final = timedelta(days=1)  # for which an expired message may still be there


class StorageFault(StrEnum):
    """A fault of a document in storage; the value is what programs read."""

    MISSING = "missing"
    WRONG_SIZE = "wrongSize"
    WRONG_DIGEST = "wrongDigest"
    NO_LOCK = "unlocked"
    NOT_HELD = "notHeld"
    HELD_FOR_NOBODY = "heldForNobody"
    PAST_EXPIRY = "expired"
    STRAY = "stray"
    MARKED_THOUGH_SOUND = "markedThoughSound"

    @property
    def description(self) -> str:
        """One sentence for people."""
        return _DESCRIPTIONS[self]

    @property
    def is_unreadable(self) -> bool:
        """Tell if readers cannot get what was published."""
        return self in _UNREADABLE


_DESCRIPTIONS: Final = {
    StorageFault.MISSING: "A message has this document, and storage has not.",
    StorageFault.WRONG_SIZE: "The object has another size than the document that was published.",
    StorageFault.WRONG_DIGEST: "The object has other bytes than the document that was published.",
    StorageFault.NO_LOCK: "The object is under no Object Lock, though the settings ask for one.",
    StorageFault.NOT_HELD: "A legal hold is on the message, and none on the object.",
    StorageFault.HELD_FOR_NOBODY: "A legal hold is on the object, and none on any of its messages.",
    StorageFault.PAST_EXPIRY: "The message expired more than a day ago, nobody holds it, and the "
    "document is still there.",
    StorageFault.STRAY: "The object belongs to no message, and to no upload that is noted.",
    StorageFault.MARKED_THOUGH_SOUND: "Readers are refused the document, and the object is right.",
}
_UNREADABLE: Final = (StorageFault.MISSING, StorageFault.WRONG_SIZE, StorageFault.WRONG_DIGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledDocument:
    """A document as the rows of its message have it, in one e-Box or in many.

    `size` in bytes, `digest` SHA-256 in base64url. `expires_at` is the last of all e-Boxes;
    `is_held`: a legal hold is on one of them. `fault` is the mark that readers meet, or None.
    """

    blob_key: str
    message_id: UUID
    size: int
    digest: str
    expires_at: datetime
    is_held: bool
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as storage describes it; `size` in bytes.

    `locked_until`: before, nobody may delete it; `is_held`: a legal hold is on it.
    """

    key: str
    size: int
    stored_at: datetime
    locked_until: datetime | None = None
    is_held: bool = False

    def is_locked(self, now: datetime) -> bool:
        """Tell if storage must keep it."""
        return self.is_held or (self.locked_until is not None and self.locked_until > now)


@dataclass(frozen=True, slots=True)
class StorageFinding:
    """Something wrong with one object; `message_id` is None when no message has it.

    `outcome` says what was done about it, if anything was; `is_settled`: nothing is left to do.
    """

    fault: StorageFault
    key: str
    message_id: UUID | None
    outcome: str | None = None
    is_settled: bool = False


def compare(
    document: FiledDocument, stored_object: StoredObject | None, *, now: datetime, needs_lock: bool
) -> Iterator[StorageFault]:
    """Compare a document with its object, None if there is none.

    `needs_lock`: documents are stored under Object Lock, and legal holds are set on them too.
    """
    if not document.is_held and document.expires_at + _PURGE_TIME < now:
        yield StorageFault.PAST_EXPIRY
    if stored_object is None:
        yield StorageFault.MISSING
        return
    if stored_object.size != document.size:
        yield StorageFault.WRONG_SIZE
    if not needs_lock:
        return
    if stored_object.locked_until is None:
        yield StorageFault.NO_LOCK
    if document.is_held != stored_object.is_held:
        yield StorageFault.NOT_HELD if document.is_held else StorageFault.HELD_FOR_NOBODY
