"""Ten years from the next 1 January, on the Belgian calendar (contract 4.20)."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.audit.legal_period import find_legal_end, is_deletable
from registry.domain.belgian_time import BELGIUM
from tests.factories import NOON


@pytest.mark.parametrize(
    ("recorded", "year"),
    [
        (datetime(2026, 1, 1, tzinfo=BELGIUM), 2037),
        (datetime(2026, 11, 22, 12, tzinfo=UTC), 2037),
        (datetime(2026, 12, 31, 22, 59, 59, 999999, UTC), 2037),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), 2038),
        (datetime(2028, 2, 29, tzinfo=UTC), 2039),
    ],
)
def test_an_entry_is_kept_ten_years_from_the_new_year_in_belgium_after_it(recorded, year):
    assert find_legal_end(recorded) == datetime(year, 1, 1, tzinfo=BELGIUM)


def test_a_time_without_zone_is_in_no_year():
    with pytest.raises(ValueError, match="without its zone"):
        find_legal_end(NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("month_end", "year"),
    [
        (datetime(2026, 2, 1, tzinfo=BELGIUM), 2037),
        (datetime(2027, 1, 1, tzinfo=BELGIUM), 2037),
        (datetime(2027, 1, 1, tzinfo=UTC), 2038),  # its last hour is of 2027 in Belgium
        (datetime(2027, 2, 1, tzinfo=UTC), 2038),
    ],
)
def test_a_month_may_go_once_the_last_of_its_entries_may_and_not_a_moment_before(month_end, year):
    day = datetime(year, 1, 1, tzinfo=BELGIUM)

    assert is_deletable(month_end, day)
    assert not is_deletable(month_end, day - timedelta(microseconds=1))
