"""Expiry of messages (contract 4.5)."""

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from registry.domain.belgian_time import BELGIUM

Unit = Literal["day", "month", "year"]


def compute_expiry(received_at: datetime, number: int, unit: Unit) -> datetime:
    """Compute when a message of `received_at` (aware) expires: `number` units later, in UTC.

    Counted on the Belgian calendar and clock: the hour stays the same over a change to summer
    time, and a day that its month does not have becomes the last of that month. Source: the
    message type's validityPeriod, contract 2.5 and 4.5.
    """
    local = received_at.astimezone(BELGIUM)
    day = _later(local.date(), number, unit)
    first, second = (
        datetime.combine(day, local.timetz().replace(fold=fold)).astimezone(UTC) for fold in (0, 1)
    )
    # An hour that comes twice leads to its like. One that is skipped is read on the old clock, so
    # just after the gap: there the second reading, on the new clock, is the earlier instant.
    return second if local.fold and second > first else first


def _later(day: date, number: int, unit: Unit) -> date:
    if unit == "day":
        return day + timedelta(days=number)
    months = day.year * 12 + day.month - 1 + number * (12 if unit == "year" else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
