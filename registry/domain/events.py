"""Federal events: the news of a message that the e-Box Event Service gets (contract 3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto
from uuid import UUID, uuid5

from registry.domain.identifiers import Ebox

# Of the correlation ids; a new namespace would make the service take old news for fresh.
_NAMESPACE = UUID("5f2e7c54-9c5b-4f52-a3e4-0f6c0b7a2d11")


class EventType(StrEnum):
    """The four kinds of news of a message, by their names in the contract."""

    NEW_DOCUMENT = "newDocument"
    NEW_DOCUMENT_REMINDER = "newDocumentReminder"
    READ_DOCUMENT = "readDocument"
    DOCUMENT_EXPIRATION_ALERT = "documentExpirationAlert"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one message in one e-Box.

    `is_withdrawal`: the message expires because an operator withdrew it. That is news of its own,
    also where the federation was told before that it would expire.
    """

    type: EventType
    ebox: Ebox
    message_id: UUID
    is_withdrawal: bool = False

    @property
    def correlation_id(self) -> UUID:
        """Name of this event: equal for equal events, so that sending one twice is harmless."""
        name = f"{self.ebox.key}/{self.message_id}/{self.type}"
        return uuid5(_NAMESPACE, f"{name}/withdrawal" if self.is_withdrawal else name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One event as it is sent to the event service: the event and the facts of its message.

    Without `subject` the subject stays with us; instants are aware. `trace` is that of the call
    that was its cause (W3C Trace Context), if one was.
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
    trace: str | None = None


class Verdict(Enum):
    """Outcome of sending a batch of events."""

    SUCCESS = auto()
    DUPLICATE = auto()  # 409: the service has had at least one of the events before
    REFUSAL = auto()  # something is wrong with at least one of the events
    OUTAGE = auto()  # the service, or the way to it, fails: nothing is known of the batch


@dataclass(frozen=True, slots=True)
class EventServiceResponse:
    """The verdict on a batch, with its reason in words for an operator.

    `wait` is the pause that the service asks for (`Retry-After`), in seconds, or None. `trace` is
    that under which the call was made.
    """

    verdict: Verdict
    reason: str = ""
    wait: float | None = None
    trace: str | None = field(default=None, compare=False)
