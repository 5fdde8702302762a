"""The URL of an entry: what was understood of it, and never very long."""

import pytest

from tests.api.v2.visiting import in_version_2
from tests.conftest import V3

MESSAGES = "/ebox/messages"
SECRET = "85031212362"


def urls(entries, base):
    return [entry.API_CALL_REQUEST_URL.removeprefix(base) for entry in entries]


@pytest.fixture(params=["3-enterprise", "3-citizen", "2-enterprise", "2-citizen"])
def anyone(request, consumer, citizen):
    """Somebody at the base path of each version and family."""
    version, family = request.param.split("-")
    visitor = citizen if family == "citizen" else consumer
    return in_version_2(visitor) if version == "2" else visitor


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (f"q={SECRET}&qlang=nl", "?q=…&qlang=nl"),
        (f"qlang=nl&%71={SECRET}", "?qlang=nl&q=…"),
        (f"qlang=nl&q={SECRET};q={SECRET}", "?qlang=nl&q=…"),
        (f"qlang=nl&q=a={SECRET}%26&pageSize=5", "?qlang=nl&q=…&pageSize=5"),
        ("page=1&pageSize=5", "?page=1&pageSize=5"),
        ("pageSize=%35&receivedAfter=2026-01-01", "?pageSize=5&receivedAfter=2026-01-01"),
        # What nobody checked may be anything, a person's number to begin with.
        (f"ssin={SECRET}", ""),
        (f"page=1&{SECRET}={SECRET}", "?page=1"),
        (f"Q={SECRET}&x=1", ""),
        (f"+q%20={SECRET}", ""),
        ('x=%0D%0A"%5C","CLIENT_ID":"somebody', ""),
        # An id may have that shape, and pass.
        (f"messageTypeId={SECRET}", "?messageTypeId=***"),
        ("messageTypeId=tax-assessment", "?messageTypeId=tax-assessment"),
    ],
)
def test_a_query_is_kept_as_far_as_it_was_understood(anyone, recorded, query, kept):
    answer = anyone.get(f"{MESSAGES}?{query}")

    assert answer.status_code == 200, answer.text
    (entry,) = recorded(anyone)
    assert urls([entry], anyone.base) == [f"{MESSAGES}{kept}"]
    assert SECRET not in entry.entry
    assert entry.entry.isprintable()


@pytest.mark.parametrize("value", ["85.03.12-123.62 An", "a b", "x" * 101])
def test_what_version_2_forgives_is_not_kept(consumer, citizen, recorded, value):
    for visitor in map(in_version_2, (consumer, citizen)):
        answer = visitor.get(f"{MESSAGES}?page=1&messageTypeId={value}")

        assert answer.status_code == 200, answer.text
        assert urls(recorded(visitor), visitor.base) == [f"{MESSAGES}?page=1"]


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/refData/messageTypes/tax%2Dassessment", "/refData/messageTypes/tax-assessment")],
)
def test_a_path_is_kept_as_it_was_understood(consumer, recorded, path, kept):
    assert consumer.get(path).status_code == 200

    assert urls(recorded(consumer), consumer.base) == [kept]


@pytest.mark.parametrize("partitions", [1, 31, 100])
def test_no_more_than_two_thousand_characters_are_kept(consumer, recorded, partitions):
    query = "&".join(f"partition={number:064}" for number in range(partitions))

    answer = consumer.get(f"{MESSAGES}?{query}")

    assert answer.status_code == 200, answer.text
    (entry,) = recorded(consumer)
    whole = f"{consumer.base}{MESSAGES}?{query}"
    kept = whole if len(whole) <= 2000 else f"{whole[:1999]}…"
    assert kept == entry.API_CALL_REQUEST_URL


def test_the_versions_and_families_are_told_apart(consumer, citizen, recorded):
    for visitor in (consumer, citizen):
        visitor.get(MESSAGES)

    found = [recorded(visitor)[0].API_CALL_REQUEST_URL for visitor in (consumer, citizen)]
    assert found == [base + MESSAGES for base in V3.values()]
