"""The federal events: what the e-Box Event Service hears of a message (contract 3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What the federation is told of one event: the event and the facts of its message.

    `subject` None tells no subject; instants are aware.
    """

    type: EventType
    correlation_id: UUID
    ebox: Ebox
    message_id: UUID
    received_at: datetime
    expires_at: datetime
    is_registered: bool
    message_type_id: str
    sender: str  # an enterprise number
    sender_application_id: str | None = None
    subject: Mapping[str, str] | None = None


class Verdict(Enum):
    """What the event service made of a batch."""

    ACCEPTED = auto()
    KNOWN = auto()  # 409: at least one of them was told before
    REFUSED = auto()  # something is wrong with at least one of them
    AWAY = auto()  # the service, or our way to it, is ill: nothing is known of the batch


@dataclass(frozen=True, slots=True)
class Response:
    """The verdict on a batch, why in words for an operator, and how long to wait, in seconds.

    `wait` is what the service asks for (`Retry-After`), None when it does not say.
    """

    verdict: Verdict
    reason: str = ""
    wait: float | None = None
