"""When main content counts as read, and when a message is about to expire."""

from datetime import datetime, timedelta
from typing import Final

GENERAL: Final = "GENERAL"  # the partition that every enterprise e-Box has (contract 4.15)


def counts_as_reading(*, is_main: bool, is_own: bool) -> bool:
    """Whether showing this content makes the message read (contract 4.4).

    Only main content does, and only for whoever received it: a sender who looks at what he sent
    (contract 6.27) reads nothing on the recipient's behalf.
    """
    return is_main and is_own


def soon_expiring_until(now: datetime, days: int) -> datetime:
    """The instant before which an unread message's expiry is 'soon' (contract 6.9)."""
    return now + timedelta(days=days)
