"""The federal events: what the e-Box Event Service hears of a message (contract 3.3)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from registry.domain.identifiers import Ebox

_NAMESPACE = UUID("5f2e7c54-9c5b-4f52-a3e4-0f6c0b7a2d11")


class EventType(StrEnum):
    """What can happen to a message that the federation tells its owner."""

    NEW_DOCUMENT = "newDocument"
    NEW_DOCUMENT_REMINDER = "newDocumentReminder"
    READ_DOCUMENT = "readDocument"
    DOCUMENT_EXPIRATION_ALERT = "documentExpirationAlert"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one message in one e-Box."""

    type: EventType
    ebox: Ebox
    message_id: UUID

    @property
    def correlation_id(self) -> UUID:
        """The same for the same happening, so that telling it twice is harmless."""
        return uuid5(_NAMESPACE, f"{self.ebox.key}/{self.message_id}/{self.type}")
