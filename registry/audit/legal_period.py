"""The legal period: how many years entries of the audit trail must be kept (contract 4.20).

Not in `registry.audit.trail`, as years are Belgian: a verifier may have no time zones.
"""

from datetime import datetime
from typing import Final

from registry.domain.belgian_time import BELGIUM

YEARS: Final = 10


def find_legal_end(recorded_at: datetime) -> datetime:
    """Find the instant until which an entry must be kept: ten years from the next 1 January.

    Aware. Years begin at midnight in Belgium; an entry of that very midnight is of the new year.
    """
    if recorded_at.tzinfo is None:
        raise ValueError("A time without its zone is in no year for certain.")
    year = recorded_at.astimezone(BELGIUM).year
    return datetime(year + 1 + YEARS, 1, 1, tzinfo=BELGIUM)


def is_deletable(month_end: datetime, now: datetime) -> bool:
    """Say whether all entries from before `month_end` may go; a month is deleted at once.

    `month_end` is the first instant that is no longer of the month, as partitions have it.
    """
    return now >= find_legal_end(month_end - month_end.resolution)
