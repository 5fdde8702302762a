"""Belgian time, in which days of the contract begin and end."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

BELGIUM: Final = ZoneInfo("Europe/Brussels")


def find_start_of(day: date) -> datetime:
    """Compute the first instant of a day in Belgium: where `…Before` ends and `…After` begins."""
    return datetime.combine(day, time.min, tzinfo=BELGIUM)
