"""What a listing asks for: pages, and days as Belgium has them."""

from datetime import UTC, date, datetime

import pytest

from registry.domain.belgian_time import find_start_of
from registry.domain.queries import MessageQuery, Page


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        (date(2026, 1, 15), datetime(2026, 1, 14, 23, tzinfo=UTC)),
        (date(2026, 7, 15), datetime(2026, 7, 14, 22, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "clocks forward", "after it", "clocks back", "after it again"],
)
def test_a_day_begins_at_midnight_in_belgium(day, begins):
    assert find_start_of(day) == begins


@pytest.mark.parametrize("day", [date.min, date.max])
def test_even_the_first_and_the_last_day_there_is_begin(day):
    assert find_start_of(day).date() == day


@pytest.mark.parametrize(("number", "size", "offset"), [(1, 25, 0), (2, 25, 25), (3, 1, 2)])
def test_a_page_comes_after_all_pages_before_it(number, size, offset):
    assert Page(number=number, size=size).offset == offset


def test_a_query_that_asks_for_nothing_filters_nothing():
    query = MessageQuery()

    assert query.page == Page(number=1, size=25)
    assert query.partitions == frozenset()
    filters = set(MessageQuery.__slots__) - {"page", "partitions"}
    assert {getattr(query, name) for name in filters} == {None}
