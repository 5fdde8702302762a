"""GET …/v2/ebox/messages: the same listing, asked for with the parameters of version 2.1."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.sandbox.personas import CONSUMER, SENDER
from tests.api.v2.visiting import in_version_2, told
from tests.factories import a_file, an_ebox

NOW = datetime.now(UTC)
MARCH = datetime(2026, 3, 15, 12, tzinfo=UTC)
# A message that the filter finds, by its columns, and another that it does not.
FILTERS = {
    "readStatus=true": ({"read_at": NOW}, {}),
    "readStatus=false": ({}, {"read_at": NOW}),
    "visible=true": ({}, {"is_visible": False}),
    "visible=false": ({"is_visible": False}, {}),
    "registeredMail=true": ({"is_registered": True}, {}),
    "registeredMail=false": ({}, {"is_registered": True}),
    "receivedBefore=2026-03-16": ({"received_at": MARCH}, {"received_at": NOW}),
    "receivedAfter=2026-03-16": ({"received_at": NOW}, {"received_at": MARCH}),
    "expiredBefore=2100-01-01": ({}, {"expires_at": datetime(2100, 6, 1, tzinfo=UTC)}),
    "expiredAfter=2100-01-01": ({"expires_at": datetime(2100, 6, 1, tzinfo=UTC)}, {}),
    "messageTypeId=tax-assessment": ({}, {"message_type_id": "information-letter"}),
    "senderOrganizationId=0308357159": ({}, {"sender": "0206731645"}),
    "senderApplicationId=my-minfin": ({}, {"sender_application_id": "sandbox-sender"}),
    "q=NEEDLE&qlang=nl": ({"subject": {"fr": "A needlé"}}, {}),
}
# Right in their syntax, and yet nothing is called so.
NOTHING = [
    "messageTypeId=no-such-type",
    "messageTypeId=",
    "messageTypeId=%00",
    "messageTypeId=a%20b",
    "senderOrganizationId=412398765",
    "senderOrganizationId=nobody",
    "senderOrganizationId=%00",
    "senderApplicationId=%C3%A9",
    "senderApplicationId=" + "x" * 500,
    "q=nowhere&qlang=nl",
    "q=a%00z&qlang=fr",
    "q=" + "x" * 1000 + "&qlang=de",
    "page=2147483647&pageSize=100",
]
WRONG = [
    "q=x",
    "q=x&qlang=en",
    "q=x&qlang=",
    "page=0",
    "page=x",
    "page=9223372036854775807",
    "pageSize=101",
    "pageSize=",
    "readStatus=maybe",
    "visible=",
    "registeredMail=1",
    "receivedBefore=yesterday",
    "expiredAfter=2026-02-30",
    "page=1&page=2",
    "q=%FF&qlang=nl",
]


def shown(visitor, query=""):
    """The ids in a listing, and how many it says there are."""
    answer = visitor.get(f"/ebox/messages?{query}")
    assert answer.status_code == 200, answer.json
    return [item["messageId"] for item in answer.json["items"]], answer.json["totalItems"]


@pytest.mark.parametrize(("query", "columns"), FILTERS.items(), ids=FILTERS)
def test_a_filter_finds_what_it_says_and_nothing_else(consumer_2, deliver, query, columns):
    wanted, other = (str(deliver(consumer_2.ebox, **each)) for each in columns)

    assert shown(consumer_2, query) == ([wanted], 1)
    assert set(shown(consumer_2)[0]) == {wanted, other}


def test_all_filters_must_hold(consumer_2, deliver):
    deliver(consumer_2.ebox, read_at=NOW)
    both = deliver(consumer_2.ebox, read_at=NOW, is_visible=False)

    assert shown(consumer_2, "readStatus=true&visible=false") == ([str(both)], 1)


@pytest.mark.parametrize("query", NOTHING)
def test_what_cannot_be_found_gives_an_empty_list(consumer_2, deliver, query):
    deliver(consumer_2.ebox)

    ids, _ = shown(consumer_2, query)

    assert ids == []


@pytest.mark.parametrize("query", WRONG)
def test_only_bad_syntax_and_a_search_without_language_are_refused(consumer_2, query):
    answer = consumer_2.get(f"/ebox/messages?{query}")

    assert told(answer, 400)[0] == "INVALID_INPUT"


def test_a_search_without_language_is_told_what_it_lacks(consumer_2):
    answer = consumer_2.get("/ebox/messages?q=x")

    assert told(answer, 400) == ("INVALID_INPUT", "qlang is required when q is given")


@pytest.mark.parametrize(
    "query", ["isRead=true", "partition=secret", "x=1&x=2", "sort=%FF", "%FF=1", "q1=a"]
)
def test_parameters_it_does_not_know_are_ignored(consumer_2, deliver, query):
    message = deliver(consumer_2.ebox)

    assert shown(consumer_2, query) == ([str(message)], 1)


def test_control_characters_count_as_spaces_as_they_do_in_texts(consumer_2, deliver):
    message = deliver(consumer_2.ebox, subject={"nl": "two\twords"})

    assert shown(consumer_2, "q=two%0Awords&qlang=nl") == ([str(message)], 1)


def test_messages_come_newest_first_in_pages(consumer_2, deliver):
    ids = [
        str(deliver(consumer_2.ebox, received_at=NOW - timedelta(minutes=age))) for age in range(5)
    ]

    assert shown(consumer_2, "pageSize=2") == (ids[:2], 5)
    assert shown(consumer_2, "pageSize=2&page=3") == (ids[4:], 5)


def test_a_message_is_shown_as_its_detail_shows_it(consumer_2, deliver):
    message = deliver(consumer_2.ebox, a_file(), is_registered=True)

    (item,) = consumer_2.get("/ebox/messages").json["items"]

    assert item == consumer_2.get(f"/ebox/messages/{message}").json


def test_an_organization_with_zeros_before_its_number_is_found(consumer_2, deliver):
    deliver(consumer_2.ebox, sender="0000000097")

    assert shown(consumer_2, "senderOrganizationId=0000000097")[1] == 1


def test_a_person_sees_only_the_partitions_he_may_read(portal_user_2, deliver):
    readable = deliver(portal_user_2.ebox)
    deliver(portal_user_2.ebox, partition="partitionNoAccess")

    assert shown(portal_user_2) == ([str(readable)], 1)


def test_a_citizen_sees_his_own_and_nobody_elses(citizen_2, deliver):
    own = deliver(citizen_2.ebox)
    deliver(an_ebox())

    assert shown(citizen_2) == ([str(own)], 1)


@pytest.mark.parametrize(("scope", "status"), [(CONSUMER, 200), (SENDER, 403)])
def test_a_scope_to_read_messages_is_needed(visitor, scope, status):
    assert in_version_2(visitor(scope)).get("/ebox/messages").status_code == status


def test_a_listing_costs_no_more_than_in_version_3(consumer, consumer_2, deliver, statements):
    for _ in range(10):
        deliver(consumer.ebox, a_file())
    consumer.get("/ebox/messages")

    with statements() as in_three:
        consumer.get("/ebox/messages")
    with statements() as in_two:
        consumer_2.get("/ebox/messages")

    assert in_two == in_three
