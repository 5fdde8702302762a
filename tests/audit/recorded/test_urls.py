"""The URL of an entry: as it came, without what was searched for, and never very long."""

import json

import pytest

from tests.conformance.bases import V2
from tests.conftest import V3

MESSAGES = "/ebox/messages"
SECRET = "85031212362"


def urls(entries, base):
    return [entry.API_CALL_REQUEST_URL.removeprefix(base) for entry in entries]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (f"q={SECRET}&qlang=nl", "q=…&qlang=nl"),
        (f"qlang=nl&%71={SECRET}", "qlang=nl&%71=…"),
        (f"qlang=nl&q={SECRET};q={SECRET}", "qlang=nl&q=…"),
        (f"qlang=nl&q=a={SECRET}%26&pageSize=5", "qlang=nl&q=…&pageSize=5"),
        ("page=1&pageSize=5&isRead=false", "page=1&pageSize=5&isRead=false"),
        ("isRead=%66alse", "isRead=%66alse"),
    ],
)
def test_a_query_is_kept_without_what_was_searched_for(consumer, recorded, query, kept):
    answer = consumer.get(f"{MESSAGES}?{query}")

    assert answer.status_code == 200, answer.text
    (entry,) = recorded(consumer)
    assert urls([entry], consumer.base) == [f"{MESSAGES}?{kept}"]
    assert SECRET not in entry.entry


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (f"x=1;q={SECRET}", "x=1;q=…"),
        (f"Q={SECRET}&x=1", "Q=…&x=1"),
        (f"%51={SECRET}", "%51=…"),
        (f"+q%20={SECRET}", "+q%20=…"),
        ("iq=110&qq=1&aq", "iq=110&qq=1&aq"),
    ],
)
def test_what_version_2_ignores_is_taken_for_a_search_too(consumer, recorded, query, kept):
    consumer.base = V2[consumer.ebox.kind]

    answer = consumer.get(f"{MESSAGES}?{query}")

    assert answer.status_code == 200, answer.text
    assert urls(recorded(consumer), consumer.base) == [f"{MESSAGES}?{kept}"]


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/refData/messageTypes/tax%2Dassessment", "/refData/messageTypes/tax-assessment")],
)
def test_a_path_is_kept_as_it_was_understood(consumer, recorded, path, kept):
    assert consumer.get(path).status_code == 200

    assert urls(recorded(consumer), consumer.base) == [kept]


def test_what_is_no_visible_ascii_is_encoded_and_forges_nothing(app, consumer, recorded):
    raw = 'x=\r\n\x00"\\…","CLIENT_ID":"somebody'.encode().decode("latin-1")
    path = V2[consumer.ebox.kind] + MESSAGES
    headers = {"Authorization": f"Bearer {consumer.token}"}

    answer = app.test_client().get(path, headers=headers, environ_overrides={"QUERY_STRING": raw})

    assert answer.status_code == 200, answer.text
    (entry,) = recorded(consumer)
    assert (f'{path}?x=%0D%0A%00"\\%E2%80%A6","CLIENT_ID":"somebody') == entry.API_CALL_REQUEST_URL
    assert json.loads(entry.entry)["CLIENT_ID"] != "somebody"
    assert entry.entry.isprintable()


@pytest.mark.parametrize(("length", "kept"), [(2000, 2000), (2001, 2000), (7000, 2000)])
def test_no_more_than_two_thousand_characters_are_kept(consumer, recorded, length, kept):
    consumer.base = V2[consumer.ebox.kind]
    begun = f"{MESSAGES}?x="
    query = "9" * (length - len(consumer.base + begun))

    answer = consumer.get(begun + query)

    assert answer.status_code == 200, answer.text
    (entry,) = recorded(consumer)
    whole = consumer.base + begun + query
    assert len(entry.API_CALL_REQUEST_URL) == kept
    assert (whole if length <= kept else f"{whole[:1999]}…") == entry.API_CALL_REQUEST_URL


def test_a_search_at_the_place_of_the_cut_is_left_out_first(consumer, recorded):
    consumer.base = V2[consumer.ebox.kind]
    filler = "x=" + "9" * (1970 - len(consumer.base + MESSAGES))

    consumer.get(f"{MESSAGES}?{filler}&q={SECRET}&qlang=nl")

    (entry,) = recorded(consumer)
    assert SECRET[:3] not in entry.API_CALL_REQUEST_URL.rpartition("&q=")[2]


def test_the_versions_and_families_are_told_apart(consumer, citizen, recorded):
    for visitor in (consumer, citizen):
        visitor.get(MESSAGES)

    found = [recorded(visitor)[0].API_CALL_REQUEST_URL for visitor in (consumer, citizen)]
    assert found == [base + MESSAGES for base in V3.values()]
