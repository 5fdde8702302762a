"""The clock: everybody else is given the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware."""
    return datetime.now(UTC)
