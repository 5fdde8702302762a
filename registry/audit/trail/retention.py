"""How long the audit trail is kept (contract 4.20)."""

from datetime import datetime
from typing import Final

from registry.domain.queries import BELGIUM

YEARS: Final = 10


def legal_until(recorded: datetime) -> datetime:
    """Until when an entry must be kept: ten years from the 1 January after it, aware.

    Years begin at midnight in Belgium; an entry of that very midnight is of the new year.
    """
    if recorded.tzinfo is None:
        raise ValueError("A time without its zone is in no year for certain.")
    year = recorded.astimezone(BELGIUM).year
    return datetime(year + 1 + YEARS, 1, 1, tzinfo=BELGIUM)


def deletable(month_end: datetime, now: datetime) -> bool:
    """Whether all entries from before `month_end` may go, where a month is deleted at once.

    `month_end` is the first instant that is no longer of the month, as partitions have it.
    """
    return now >= legal_until(month_end - month_end.resolution)
