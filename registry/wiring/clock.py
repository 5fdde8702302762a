"""The clock, read nowhere else: services and rules are given the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """Read the present instant, aware and in UTC."""
    return datetime.now(UTC)
