"""Expiry is counted on the Belgian calendar and clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.belgian_time import BELGIUM
from registry.domain.retention import compute_expiry

MOMENTS = st.integers(946_684_800, 4_102_444_800).map(lambda s: datetime.fromtimestamp(s, UTC))


def belgian(text):
    return datetime.fromisoformat(text).replace(tzinfo=BELGIUM)


@pytest.mark.parametrize(
    ("received", "number", "unit", "expected"),
    [
        ("2026-11-20T12:00", 1, "day", "2026-11-21T12:00"),
        ("2026-11-20T12:00", 3, "month", "2027-02-20T12:00"),
        ("2026-11-20T12:00", 2, "year", "2028-11-20T12:00"),
        ("2026-01-31T12:00", 1, "month", "2026-02-28T12:00"),
        ("2028-01-31T12:00", 1, "month", "2028-02-29T12:00"),
        ("2028-02-29T12:00", 1, "year", "2029-02-28T12:00"),
        ("2028-02-29T12:00", 4, "year", "2032-02-29T12:00"),
        ("2026-08-31T12:00", 1, "month", "2026-09-30T12:00"),
        ("2026-12-31T23:59:59", 1, "month", "2027-01-31T23:59:59"),
        # Summer time begins on 29 March 2026 and ends on 25 October: the hour stays.
        ("2026-03-28T12:00", 1, "day", "2026-03-29T12:00"),
        ("2026-10-24T12:00", 1, "day", "2026-10-25T12:00"),
        # 02:30 does not exist on that night.
        ("2026-03-28T02:30", 1, "day", "2026-03-29T03:30"),
    ],
)
def test_a_message_expires_so_many_units_later(received, number, unit, expected):
    assert compute_expiry(belgian(received), number, unit) == belgian(expected)


@pytest.mark.parametrize("hour", ["00", "01"])
def test_both_hours_of_the_same_name_lead_behind_the_hour_that_is_skipped(hour):
    received = datetime.fromisoformat(f"2026-10-25T{hour}:30Z")  # 02:30 in Brussels, twice

    assert compute_expiry(received, 154, "day") == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("hour", ["00", "01"])
def test_each_of_two_hours_of_the_same_name_leads_to_its_like(hour):
    received = datetime.fromisoformat(f"2026-10-25T{hour}:30Z")
    expected = datetime.fromisoformat(f"2037-10-25T{hour}:30Z")

    assert compute_expiry(received, 11, "year") == expected


def test_the_day_is_that_of_belgium():
    last_of_march = datetime(2026, 3, 30, 22, 30, tzinfo=UTC)  # in Brussels it is the 31st

    assert compute_expiry(last_of_march, 1, "month") == belgian("2026-04-30T00:30")


@given(MOMENTS, st.integers(1, 90), st.sampled_from(["day", "month", "year"]))
def test_an_expiry_is_aware_later_and_about_as_far_as_it_says(received, number, unit):
    days = {"day": 1, "month": 30.44, "year": 365.25}[unit] * number

    gone = compute_expiry(received, number, unit)

    assert gone.tzinfo is UTC
    assert abs((gone - received) - timedelta(days=days)) < timedelta(days=4)
