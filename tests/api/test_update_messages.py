"""PATCH …/ebox/messages: showing, hiding and moving, all or nothing (contract 6.7, 6.8)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, PORTAL, SENDER
from tests.api.message_updates import change, held, patch
from tests.api.publication import BELGIF, MESSAGES, OWN, at
from tests.factories import a_person, an_ebox

HIDE, SHOW = {"isVisible": False}, {"isVisible": True}
VALIDATION = f"{BELGIF}input-validation:"


def to(partition):
    return {"partition": partition}


def state(visitor, message_id):
    """Whether a message is visible, and where it is."""
    shown = visitor.get(f"{MESSAGES}/{message_id}").json
    return shown["isVisible"], shown["recipient"].get("partition")


def faults_of(answer):
    """Type and name of each fault of a 400."""
    assert answer.status_code == 400, answer.text
    assert {issue["in"] for issue in answer.json["issues"]} == {"body"}
    return [
        (issue["type"].removeprefix(VALIDATION), issue["name"]) for issue in answer.json["issues"]
    ]


@pytest.fixture
def mover(consumer, grant):
    """The software of an enterprise that has the partition Accounting."""
    grant(consumer.ebox.number, ["GENERAL", "Accounting"])
    return consumer


def test_each_message_changes_as_asked_and_is_answered_in_the_order_asked(mover, deliver):
    first, second, third = (deliver(mover.ebox) for _ in range(3))

    answer = change(
        mover, (third, to("Accounting")), (first, HIDE), (second, {**HIDE, **to("Accounting")})
    )

    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "items": [
            {"messageId": str(third), "isVisible": True, "partition": "Accounting"},
            {"messageId": str(first), "isVisible": False, "partition": "GENERAL"},
            {"messageId": str(second), "isVisible": False, "partition": "Accounting"},
        ],
        "totalItems": 3,
    }
    for item in answer.json["items"]:
        assert state(mover, item["messageId"]) == (item["isVisible"], item["partition"])


def test_what_is_not_named_stays_as_it_is(mover, deliver, is_read):
    message, other = deliver(mover.ebox, is_visible=False), deliver(mover.ebox)
    before = mover.get(f"{MESSAGES}/{message}").json

    change(mover, (message, to("Accounting")))

    before["recipient"]["partition"] = "Accounting"
    assert mover.get(f"{MESSAGES}/{message}").json == before
    assert not is_read(mover, message)
    assert state(mover, other) == (True, "GENERAL")


def test_asking_again_changes_nothing_and_writes_nothing(consumer, deliver, statements):
    message = deliver(consumer.ebox)
    first = change(consumer, (message, HIDE))

    with statements() as seen:
        again = change(consumer, (message, HIDE))

    assert (again.status_code, again.json) == (200, first.json)
    assert len(seen) == 1


def test_what_was_hidden_is_shown_again(consumer, deliver):
    message = deliver(consumer.ebox, is_visible=False)

    change(consumer, (message, SHOW))

    assert state(consumer, message) == (True, "GENERAL")


def test_hidden_messages_are_still_listed_and_counted(consumer, deliver):
    message = deliver(consumer.ebox)

    change(consumer, (message, HIDE))

    for query in ("", "?isVisible=false"):
        (item,) = consumer.get(f"{MESSAGES}{query}").json["items"]
        assert item["messageId"] == str(message)
    assert consumer.get(f"{MESSAGES}?isVisible=true").json["items"] == []
    assert consumer.get("/ebox/statistics").json["numberOfMessages"] == 1


def test_moved_messages_are_found_where_they_went(mover, deliver):
    message = deliver(mover.ebox)

    change(mover, (message, to("Accounting")))

    assert mover.get(f"{MESSAGES}?partition=GENERAL").json["items"] == []
    assert mover.get(f"{MESSAGES}?partition=Accounting").json["totalItems"] == 1


@pytest.mark.parametrize("messages", [1, 100])
def test_a_patch_costs_two_statements_however_many_messages_it_changes(
    mover, deliver, statements, messages
):
    ids = [deliver(mover.ebox) for _ in range(messages)]

    with statements() as seen:
        answer = change(mover, *((id_, {**HIDE, **to("Accounting")}) for id_ in ids))

    assert answer.json["totalItems"] == messages
    assert len(seen) == 2
    assert "FOR UPDATE" in seen[0]


def test_a_persons_patch_costs_one_more_for_his_rights(portal_user, deliver, statements):
    message = deliver(portal_user.ebox)
    portal_user.get(MESSAGES)  # the rights are known from here on

    with statements() as seen:
        change(portal_user, (message, to("partitionB")))

    assert len(seen) == 3


# Bodies


@pytest.mark.parametrize(
    "media_type",
    [
        "application/merge-patch+json",
        "application/json",
        "application/json; charset=utf-8",
        "Application/Merge-Patch+JSON",
    ],
)
def test_both_media_types_are_read(consumer, deliver, media_type):
    item = {"messageId": str(deliver(consumer.ebox)), **HIDE}

    answer = patch(consumer, {"items": [item]}, media_type=media_type)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "media_type", ["application/json-patch+json", "text/plain", "multipart/form-data", ""]
)
def test_another_media_type_is_refused(consumer, deliver, media_type):
    message = deliver(consumer.ebox)

    answer = patch(consumer, {"items": [{"messageId": str(message), **HIDE}]}, MESSAGES, media_type)

    assert answer.status_code == 415
    assert answer.json["type"] == f"{OWN}unsupportedMediaType"
    assert state(consumer, message) == (True, "GENERAL")


ID = str(uuid4())
WRONG = {
    "not JSON": (b"{", "body"),
    "an array": ([{"messageId": ID, **HIDE}], "body"),
    "nothing": ({}, "items"),
    "items that are no array": ({"items": {"messageId": ID, **HIDE}}, "items"),
    "no items": ({"items": []}, "items"),
    "a hundred and one": (
        {"items": [{"messageId": str(uuid4()), **HIDE} for _ in range(101)]},
        "items",
    ),
    "an item that is no object": ({"items": [ID]}, "items[0]"),
    "an item without id": ({"items": [HIDE]}, "items[0].messageId"),
    "an id that is a number": ({"items": [{"messageId": 1, **HIDE}]}, "items[0].messageId"),
    "an item that changes nothing": ({"items": [{"messageId": ID}]}, "items[0]"),
    "visibility in words": (
        {"items": [{"messageId": ID, "isVisible": "false"}]},
        "items[0].isVisible",
    ),
    "visibility as a number": (
        {"items": [{"messageId": ID, "isVisible": 0}]},
        "items[0].isVisible",
    ),
    "visibility that is null": (
        {"items": [{"messageId": ID, "isVisible": None}]},
        "items[0].isVisible",
    ),
    "a partition that is null": (
        {"items": [{"messageId": ID, "partition": None}]},
        "items[0].partition",
    ),
    "a partition without name": (
        {"items": [{"messageId": ID, "partition": ""}]},
        "items[0].partition",
    ),
    "a partition with a space": (
        {"items": [{"messageId": ID, "partition": "a b"}]},
        "items[0].partition",
    ),
    "a partition too long": (
        {"items": [{"messageId": ID, "partition": "a" * 65}]},
        "items[0].partition",
    ),
    "a partition that is a number": (
        {"items": [{"messageId": ID, "partition": 1}]},
        "items[0].partition",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_body_of_another_shape_is_refused_and_its_fault_named(consumer, wrong):
    body, name = WRONG[wrong]

    answer = patch(consumer, body)

    assert faults_of(answer) == [("schemaViolation", name)]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"items": [{"messageId": ID, **HIDE}], "total": 1}, "total"),
        ({"items": [{"messageId": ID, **HIDE, "seen": False}]}, "items[0].seen"),
        ({"items": [{"messageId": ID, **HIDE, "isRead": True}]}, "items[0].isRead"),
    ],
)
def test_unknown_members_are_refused(consumer, body, name):
    assert faults_of(patch(consumer, body)) == [("unknownInput", name)]


@pytest.mark.parametrize("total", [1, 0, 7])
def test_the_total_that_version_2_requires_is_accepted_and_not_used(consumer, deliver, total):
    message = deliver(consumer.ebox)

    answer = patch(consumer, {"items": [{"messageId": str(message), **HIDE}], "totalItems": total})

    assert (answer.status_code, answer.json["totalItems"]) == (200, 1)


def test_a_message_named_again_is_a_fault_each_time_but_the_first(consumer, deliver):
    message, other = deliver(consumer.ebox), deliver(consumer.ebox)

    answer = change(consumer, (message, HIDE), (other, HIDE), (message, SHOW), (message, HIDE))

    assert faults_of(answer) == [
        ("invalidInput", "items[2].messageId"),
        ("invalidInput", "items[3].messageId"),
    ]
    assert state(consumer, message) == state(consumer, other) == (True, "GENERAL")


def test_all_faults_of_a_body_are_told_at_once(consumer):
    items = [
        {"messageId": ID, **HIDE},
        {"messageId": 1},
        {"messageId": ID, "isVisible": "no", "partition": "a b", "more": 1},
        {"isVisible": True},
        {"messageId": str(uuid4()), "read": True},
    ]

    answer = patch(consumer, {"items": items, "more": 1})

    assert sorted(faults_of(answer)) == [
        ("invalidInput", "items[2].messageId"),
        ("schemaViolation", "items[1]"),
        ("schemaViolation", "items[1].messageId"),
        ("schemaViolation", "items[2].isVisible"),
        ("schemaViolation", "items[2].partition"),
        ("schemaViolation", "items[3].messageId"),
        ("schemaViolation", "items[4]"),
        ("unknownInput", "items[2].more"),
        ("unknownInput", "items[4].read"),
        ("unknownInput", "more"),
    ]


# All or nothing, and who may


@pytest.mark.parametrize(
    "other", ["unknown", "another's", "a citizen's", "expired", "sent", "in a partition of its own"]
)
def test_one_message_that_cannot_be_changed_leaves_all_as_they_are(portal_user, deliver, other):
    own = [deliver(portal_user.ebox), deliver(portal_user.ebox)]
    past = datetime.now(UTC) - timedelta(seconds=1)
    refused = {
        "unknown": uuid4,
        "another's": lambda: deliver(an_ebox()),
        "a citizen's": lambda: deliver(an_ebox(EboxKind.CITIZEN)),
        "expired": lambda: deliver(portal_user.ebox, expires_at=past),
        "sent": lambda: deliver(an_ebox(), sender=portal_user.ebox.number, sent_from="GENERAL"),
        "in a partition of its own": lambda: deliver(
            portal_user.ebox, partition="partitionNoAccess"
        ),
    }[other]()

    answer = change(portal_user, (own[0], HIDE), (refused, HIDE), (own[1], to("partitionB")))

    assert answer.status_code == (403 if other == "in a partition of its own" else 404)
    assert [state(portal_user, message) for message in own] == [(True, "GENERAL")] * 2


def test_what_was_sent_is_the_recipients_to_change(portal_user, reader, deliver):
    recipient = reader()
    message = deliver(recipient.ebox, sender=portal_user.ebox.number, sent_from="GENERAL")
    assert portal_user.get(f"{MESSAGES}/{message}").status_code == 200

    answer = change(portal_user, (message, HIDE))

    assert answer.status_code == 404
    assert state(recipient, message) == (True, "GENERAL")


def test_a_person_moves_between_partitions_that_he_may_consult(portal_user, deliver):
    message = deliver(portal_user.ebox, partition="partitionB")

    answer = change(portal_user, (message, to("GENERAL")))

    assert answer.status_code == 200
    assert state(portal_user, message) == (True, "GENERAL")


@pytest.mark.parametrize("members", [HIDE, to("GENERAL"), to("partitionNoAccess")])
def test_a_person_changes_nothing_where_he_has_no_right(portal_user, deliver, owner, members):
    message = deliver(portal_user.ebox, partition="partitionNoAccess")

    answer = change(portal_user, (message, members))

    assert (answer.status_code, answer.json["type"]) == (403, f"{BELGIF}missingPermission")
    assert "partitionNoAccess" not in answer.text
    with owner.connect() as connection:
        query = "SELECT is_visible, partition FROM messages WHERE message_id = %s"
        row = connection.exec_driver_sql(query, (message,)).one()
    assert tuple(row) == (True, "partitionNoAccess")


def test_a_person_moves_nothing_to_where_he_has_no_right(portal_user, deliver):
    message = deliver(portal_user.ebox)

    answer = change(portal_user, (message, to("partitionNoAccess")))

    assert (answer.status_code, answer.json["type"]) == (403, f"{BELGIF}missingPermission")
    assert state(portal_user, message) == (True, "GENERAL")


def test_an_application_moves_to_and_from_any_partition_that_exists(mover, deliver):
    message = deliver(mover.ebox, partition="long-gone")

    assert change(mover, (message, to("Accounting"))).status_code == 200


def test_a_person_who_reads_the_whole_ebox_moves_to_any_partition(visitor, grant, deliver):
    ebox = an_ebox()
    grant(ebox.number, ["GENERAL", "Accounting"])
    person = visitor(CONSUMER, PORTAL, ebox=ebox, person=a_person())
    message = deliver(ebox)

    assert change(person, (message, to("Accounting"))).status_code == 200


@pytest.mark.parametrize("name", ["mover", "portal_user"])
def test_each_item_with_a_partition_that_does_not_exist_is_named(request, deliver, name):
    somebody = request.getfixturevalue(name)
    first, second, third = (deliver(somebody.ebox) for _ in range(3))

    answer = change(
        somebody, (first, to("nowhere")), (second, to("GENERAL")), (third, to("nowhere"))
    )

    assert faults_of(answer) == [
        ("referencedResourceNotFound", "items[0].partition"),
        ("referencedResourceNotFound", "items[2].partition"),
    ]
    assert answer.json["issues"][0]["value"] == "nowhere"
    assert state(somebody, first) == (True, "GENERAL")


@pytest.mark.parametrize(("partition", "status"), [("GENERAL", 200), ("Accounting", 503)])
def test_only_the_general_partition_is_known_while_the_federation_is_down(
    mover, app_with, deliver, faults, partition, status
):
    there = at(mover, app_with())
    message = deliver(mover.ebox, partition="elsewhere")
    faults(partitions="error")

    answer = change(there, (message, to(partition)))

    assert answer.status_code == status
    assert state(mover, message) == (True, "GENERAL" if status == 200 else "elsewhere")


def test_an_application_only_shows_and_hides_where_no_partition_api_is(mover, app_with, deliver):
    there = at(mover, app_with(partition_url=None))
    message = deliver(mover.ebox)

    assert change(there, (message, HIDE)).status_code == 200
    assert change(there, (message, to("Accounting"))).status_code == 503


def test_a_citizen_shows_and_hides(citizen, deliver):
    message = deliver(citizen.ebox)

    answer = change(citizen, (message, HIDE))

    assert answer.status_code == 200
    assert answer.json["items"] == [{"messageId": str(message), "isVisible": False}]
    assert state(citizen, message) == (False, None)


def test_a_citizen_has_no_partitions_to_move_to(citizen, deliver):
    message, other = deliver(citizen.ebox), deliver(citizen.ebox)

    answer = change(citizen, (message, {**HIDE, **to("GENERAL")}), (other, to("GENERAL")))

    assert faults_of(answer) == [
        ("invalidInput", "items[0].partition"),
        ("invalidInput", "items[1].partition"),
    ]
    assert state(citizen, message) == (True, None)


@pytest.mark.parametrize("scopes", [(), (SENDER,)])
def test_a_scope_that_does_not_read_does_not_change_either(visitor, deliver, scopes):
    somebody = visitor(*scopes)

    answer = change(somebody, (deliver(somebody.ebox), HIDE))

    assert (answer.status_code, answer.json["type"]) == (403, f"{BELGIF}missingScope")
    assert sorted(answer.json["requiredScopes"]) == sorted([CONSUMER, PORTAL])


def test_other_methods_of_the_collection_are_refused_and_name_this_one(consumer):
    answer = consumer.ask("DELETE", MESSAGES)

    assert answer.status_code == 405
    assert {"GET", "HEAD", "PATCH", "POST"} <= set(answer.headers["Allow"].split(", "))


# Routing that comes late (contract 6.18)


@pytest.mark.parametrize(
    ("members", "expected"),
    [(to("Accounting"), "Accounting"), (to("GENERAL"), "GENERAL"), (HIDE, "late")],
)
def test_a_message_put_somewhere_by_hand_is_moved_by_no_rule_that_comes_late(
    mover, grant, deliver, tell_rules, members, expected
):
    grant(mover.ebox.number, ["GENERAL", "Accounting", "late"])
    message = deliver(mover.ebox, is_routing_pending=True)

    change(mover, (message, members))
    tell_rules(mover.ebox, {"messageTypeId": "tax-assessment", "partition": "late"})

    assert state(mover, message)[1] == expected


# Two at once


def test_two_that_change_the_same_messages_in_opposite_order_both_do(app, mover, deliver, owner):
    low, high = sorted((deliver(mover.ebox) for _ in range(2)), key=UUID.__str__)
    visitors = [at(mover, app), at(mover, app)]
    items = [[(low, HIDE), (high, HIDE)], [(high, to("Accounting")), (low, to("Accounting"))]]

    with ThreadPoolExecutor(2) as pool:
        with held(owner, low) as until_waiting:
            asked = []
            for number, (visitor, listed) in enumerate(zip(visitors, items, strict=True), 1):
                asked.append(pool.submit(change, visitor, *listed))
                until_waiting(number)
        answers = [one.result(timeout=10) for one in asked]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [state(mover, message) for message in (low, high)] == [(False, "Accounting")] * 2
