"""Rules about a message that is consulted: reading it, and its coming expiry."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A change that the owner of an e-Box asks for; None leaves a member as it is."""

    message_id: UUID
    is_visible: bool | None = None
    partition: str | None = None


def counts_as_reading(*, is_main: bool, is_own: bool) -> bool:
    """Tell if showing this content makes the message read (contract 4.4).

    Only main content does, and only for whoever received it: a sender who looks at what he sent
    (contract 6.27) reads nothing on the recipient's behalf.
    """
    return is_main and is_own


def find_soon_limit(now: datetime, days: int) -> datetime:
    """Compute the instant before which an unread message's expiry is 'soon' (contract 6.9)."""
    return now + timedelta(days=days)
