"""Retry-After: how long a service asks us to wait (RFC 9110 section 10.2.3)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_SECONDS: Final = re.compile(r"[0-9]+")


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Read the header in either of its forms, a number of seconds or a date; `now` is aware.

    The seconds to wait, as many as are asked for; None without the header, for nonsense, and for
    a date that is over: the clocks differ, and nobody asks to be called again at once.
    """
    text = (text or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        # a date without a zone, or with -0000, is UTC
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return wait.total_seconds() if wait.total_seconds() >= 0 else None
