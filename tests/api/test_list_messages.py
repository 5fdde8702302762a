"""GET …/ebox/messages: which messages a listing shows, in what order, and to whom."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, PORTAL
from tests.factories import a_file, a_person, an_ebox

BELGIUM = ZoneInfo("Europe/Brussels")
NOW = datetime.now(UTC)
AN_ACTION = {"action_id": "confirm", "action_label": {"nl": "Bevestig"}}
DONE = {**AN_ACTION, "action_executed_at": NOW}


def shown(visitor, query=""):
    """The ids in a listing, and how many it says there are."""
    answer = visitor.get(f"/ebox/messages?{query}")
    assert answer.status_code == 200, answer.json
    return [item["messageId"] for item in answer.json["items"]], answer.json["totalItems"]


def midnight(day):
    return datetime.combine(day, time.min, tzinfo=BELGIUM)


def test_a_fresh_ebox_is_empty(consumer):
    answer = consumer.get("/ebox/messages")

    assert answer.status_code == 200, answer.json
    assert answer.json == {"items": [], "totalItems": 0}


def test_messages_come_newest_first(consumer, deliver):
    older = deliver(consumer.ebox, received_at=NOW - timedelta(hours=2))
    newest = deliver(consumer.ebox, received_at=NOW - timedelta(minutes=1))
    newer = deliver(consumer.ebox, received_at=NOW - timedelta(hours=1))

    ids, _ = shown(consumer)

    assert ids == [str(newest), str(newer), str(older)]


def test_messages_of_one_instant_keep_one_order_across_pages(consumer, deliver):
    same = [str(deliver(consumer.ebox, received_at=NOW)) for _ in range(7)]

    walked = [id_ for page in (1, 2, 3) for id_ in shown(consumer, f"pageSize=3&page={page}")[0]]

    assert sorted(walked) == sorted(same)
    assert walked == shown(consumer)[0]


@pytest.mark.parametrize(
    ("held", "page", "items"),
    [
        (5, 1, 2),
        (5, 2, 2),
        (5, 3, 1),
        (5, 4, 0),
        (4, 2, 2),
        (4, 3, 0),
        (1, 1, 1),
        (5, 2**31 - 1, 0),
    ],
)
def test_every_page_tells_the_same_total(consumer, deliver, held, page, items):
    for _ in range(held):
        deliver(consumer.ebox)

    ids, total = shown(consumer, f"pageSize=2&page={page}")

    assert (len(ids), total) == (items, held)


def test_a_page_holds_25_messages_unless_asked_otherwise(consumer, deliver):
    for _ in range(26):
        deliver(consumer.ebox)

    default, _ = shown(consumer)
    largest, total = shown(consumer, "pageSize=100")

    assert (len(default), len(largest), total) == (25, 26, 26)


def test_each_item_is_the_whole_message_with_its_attachments(consumer, deliver):
    message = deliver(consumer.ebox, a_file(), a_file(attachment_id="2", is_main=False))

    (item,) = consumer.get("/ebox/messages").json["items"]

    assert item == consumer.get(f"/ebox/messages/{message}").json
    assert [file["attachmentId"] for file in item["attachments"]["items"]] == ["1", "2"]


FILTERS = {
    "isRead=true": ({"read_at": NOW}, {}),
    "isRead=false": ({}, {"read_at": NOW}),
    "isVisible=true": ({}, {"is_visible": False}),
    "isVisible=false": ({"is_visible": False}, {}),
    "isRegisteredMail=true": ({"is_registered": True}, {}),
    "isRegisteredMail=false": ({}, {"is_registered": True}),
    "messageTypeId=summons": ({"message_type_id": "summons"}, {}),
    "senderOrganizationId=0206731645": ({"sender": "0206731645"}, {}),
    "senderApplicationId=dmfa": ({"sender_application_id": "dmfa"}, {}),
    "senderApplicationId=my-minfin": ({}, {"sender_application_id": None}),
    "partition=partitionB": ({"partition": "partitionB"}, {}),
    "q=paard&qlang=nl": ({"subject": {"nl": "Het paard"}}, {}),
}


@pytest.mark.parametrize("query", FILTERS)
def test_a_filter_shows_what_it_names_and_nothing_else(consumer, deliver, query):
    matching, other = FILTERS[query]
    wanted = deliver(consumer.ebox, **matching)
    deliver(consumer.ebox, **other)

    assert shown(consumer, query) == ([str(wanted)], 1)


@pytest.mark.parametrize(("wanted", "which"), [("true", ["open"]), ("false", ["done", "none"])])
def test_an_action_is_required_until_it_is_executed(consumer, deliver, wanted, which):
    ids = {
        "none": deliver(consumer.ebox, received_at=NOW - timedelta(hours=3)),
        "done": deliver(consumer.ebox, received_at=NOW - timedelta(hours=2), **DONE),
        "open": deliver(consumer.ebox, received_at=NOW - timedelta(hours=1), **AN_ACTION),
    }

    found, total = shown(consumer, f"isActionRequired={wanted}")

    assert (found, total) == ([str(ids[name]) for name in which], len(which))


def test_all_criteria_must_hold_at_once(consumer, deliver):
    day = date(2026, 3, 10)
    expiry = midnight(NOW.astimezone(BELGIUM).date() + timedelta(days=50))
    query = (
        "isRead=true&isVisible=false&isRegisteredMail=true&isActionRequired=true"
        "&messageTypeId=summons&senderOrganizationId=0206731645&senderApplicationId=dmfa"
        "&partition=partitionB&q=paard&qlang=nl&receivedAfter=2026-03-10&receivedBefore=2026-03-11"
        f"&expiredAfter={expiry.date()}&expiredBefore={expiry.date() + timedelta(days=1)}"
    )
    fitting = {
        "read_at": NOW,
        "is_visible": False,
        "is_registered": True,
        "action_executed_at": None,
        "message_type_id": "summons",
        "sender": "0206731645",
        "sender_application_id": "dmfa",
        "partition": "partitionB",
        "subject": {"nl": "paard"},
        "received_at": midnight(day),
        "expires_at": expiry,
        **AN_ACTION,
    }
    failing_one = [
        {"read_at": None},
        {"is_visible": True},
        {"is_registered": False},
        {"action_executed_at": NOW},
        {"message_type_id": "tax-assessment"},
        {"sender": "0308357159"},
        {"sender_application_id": "my-minfin"},
        {"partition": "GENERAL"},
        {"subject": {"nl": "koe"}},
        {"received_at": midnight(day) - timedelta(seconds=1)},
        {"received_at": midnight(day) + timedelta(days=1)},
        {"expires_at": expiry - timedelta(seconds=1)},
        {"expires_at": expiry + timedelta(days=1)},
    ]
    wanted = deliver(consumer.ebox, **fitting)
    for change in failing_one:
        deliver(consumer.ebox, **{**fitting, **change})

    assert shown(consumer, query) == ([str(wanted)], 1)


@pytest.mark.parametrize("day", [date(2026, 1, 15), date(2026, 7, 15)], ids=["winter", "summer"])
def test_a_day_of_receipt_begins_at_midnight_in_belgium(consumer, deliver, day):
    first = deliver(consumer.ebox, received_at=midnight(day))
    eve = deliver(consumer.ebox, received_at=midnight(day) - timedelta(seconds=1))

    assert shown(consumer, f"receivedAfter={day}") == ([str(first)], 1)
    assert shown(consumer, f"receivedBefore={day}") == ([str(eve)], 1)


@pytest.mark.parametrize("month", [1, 7], ids=["winter", "summer"])
def test_a_day_of_expiry_begins_at_midnight_in_belgium(consumer, deliver, month):
    day = date(NOW.year + 1, month, 15)
    first = deliver(consumer.ebox, expires_at=midnight(day))
    eve = deliver(consumer.ebox, expires_at=midnight(day) - timedelta(seconds=1))

    assert shown(consumer, f"expiredAfter={day}") == ([str(first)], 1)
    assert shown(consumer, f"expiredBefore={day}") == ([str(eve)], 1)


@pytest.mark.parametrize(
    "query",
    [
        "receivedAfter=2026-05-02&receivedBefore=2026-05-01",
        "expiredBefore=2000-01-01",
        "receivedBefore=0001-01-01",
        "receivedAfter=9999-12-31",
        "messageTypeId=no-such-type",
        "senderApplicationId=no-such-application",
        "senderOrganizationId=0000000000",
        "partition=no-such-partition",
        "isRead=true",
    ],
)
def test_criteria_that_nothing_can_meet_give_an_empty_list(consumer, deliver, query):
    deliver(consumer.ebox)

    assert shown(consumer, query) == ([], 0)


def test_an_expired_message_is_neither_listed_nor_counted(consumer, deliver):
    deliver(consumer.ebox, expires_at=NOW - timedelta(seconds=1))
    present = deliver(consumer.ebox)

    assert shown(consumer) == ([str(present)], 1)
    assert shown(consumer, "pageSize=1&page=2") == ([], 1)


def test_an_application_sees_all_partitions(consumer, deliver):
    for partition in ("GENERAL", "partitionB", "secret"):
        deliver(consumer.ebox, partition=partition)

    assert shown(consumer)[1] == 3
    assert shown(consumer, "partition=partitionB&partition=secret")[1] == 2
    assert shown(consumer, "partition=secret&partition=unknown")[1] == 1


def test_a_token_with_the_portals_scope_and_no_person_sees_nothing(visitor, deliver):
    somebody = visitor(PORTAL)
    deliver(somebody.ebox)

    answer = somebody.get("/ebox/messages")

    assert (answer.status_code, "items" in answer.json) == (403, False)


def test_a_person_sees_only_the_partitions_he_may_read(portal_user, deliver):
    general = deliver(portal_user.ebox, received_at=NOW)
    other = deliver(portal_user.ebox, partition="partitionB")
    deliver(portal_user.ebox, partition="partitionNoAccess")

    assert shown(portal_user) == ([str(general), str(other)], 2)
    assert shown(portal_user, "partition=partitionB") == ([str(other)], 1)
    assert shown(portal_user, "partition=partitionB&partition=unknown") == ([str(other)], 1)
    assert shown(portal_user, "partition=unknown") == ([], 0)


@pytest.mark.parametrize("more", ["", "&partition=GENERAL", "&partition=unknown"])
def test_asking_for_a_partition_without_right_is_refused(portal_user, deliver, more):
    deliver(portal_user.ebox)

    answer = portal_user.get(f"/ebox/messages?partition=partitionNoAccess{more}")

    assert answer.status_code == 403
    assert answer.json["type"] == "urn:problem-type:belgif:missingPermission"
    assert "WWW-Authenticate" not in answer.headers


def test_a_person_with_the_consumers_scope_sees_all_partitions(visitor, deliver):
    person = visitor(CONSUMER, person=a_person())
    deliver(person.ebox, partition="secret")

    assert shown(person, "partition=secret")[1] == 1


def test_a_person_without_any_right_sees_nothing(visitor, deliver, grant):
    ebox = an_ebox()
    grant(ebox.number, ["GENERAL"])
    stranger = visitor(PORTAL, ebox=ebox, person=a_person())
    deliver(ebox)

    assert shown(stranger) == ([], 0)


def test_rights_that_cannot_be_had_are_never_guessed(app_with, elsewhere, portal_user, faults):
    there = elsewhere(portal_user, app_with())
    faults(partitions="error")

    answer = there.get("/ebox/messages")

    assert answer.status_code == 503
    assert answer.json["type"] == "urn:problem-type:belgif:serviceUnavailable"


def test_rights_that_were_heard_serve_while_the_partition_service_is_down(
    app_with, elsewhere, portal_user, deliver, faults
):
    there = elsewhere(portal_user, app_with(partition_rights_ttl=0))
    deliver(portal_user.ebox, partition="partitionNoAccess")
    deliver(portal_user.ebox)
    assert shown(there)[1] == 1
    faults(partitions="error")

    assert shown(there)[1] == 1


def test_a_citizen_has_no_partitions(citizen, deliver):
    message = deliver(citizen.ebox)

    assert shown(citizen) == ([str(message)], 1)
    assert shown(citizen, "partition=GENERAL") == ([], 0)


def test_a_sent_message_is_not_listed(consumer, deliver):
    deliver(an_ebox(), sender=consumer.ebox.number, sent_from="GENERAL")

    assert shown(consumer) == ([], 0)


def test_the_messages_of_others_are_never_listed(consumer, deliver):
    deliver(an_ebox())
    deliver(an_ebox(EboxKind.CITIZEN))
    own = deliver(consumer.ebox)

    assert shown(consumer) == ([str(own)], 1)
