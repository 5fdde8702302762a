"""GET …/ebox/statistics: counts for a first look (contract 6.9)."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import an_ebox

NOW = datetime.now(UTC)
AN_ACTION = {"action_id": "confirm", "action_label": {"nl": "Bevestig"}}
NAMES = ("Messages", "UnreadMessages", "SoonExpiringMessages", "ActionRequiredMessages")


def counted(visitor, query=""):
    """The numbers in the order of `NAMES`, then the registered ones."""
    answer = visitor.get(f"/ebox/statistics{query}")
    assert answer.status_code == 200, answer.json
    names = (*NAMES, "RegisteredMessages")
    return tuple(answer.json[f"numberOf{name}"] for name in names)


def test_an_empty_ebox_counts_nothing_and_has_no_last_receipt(consumer):
    answer = consumer.get("/ebox/statistics")

    assert answer.status_code == 200
    assert answer.json == {
        "numberOfMessages": 0,
        "numberOfUnreadMessages": 0,
        "numberOfSoonExpiringMessages": 0,
        "numberOfActionRequiredMessages": 0,
        "numberOfRegisteredMessages": 0,
    }


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        ({}, (1, 1, 0, 0, 0)),
        ({"read_at": NOW}, (1, 0, 0, 0, 0)),
        ({"is_visible": False}, (1, 1, 0, 0, 0)),
        ({"is_registered": True}, (1, 1, 0, 0, 1)),
        (AN_ACTION, (1, 1, 0, 1, 0)),
        ({**AN_ACTION, "action_executed_at": NOW}, (1, 1, 0, 0, 0)),
        ({"expires_at": NOW + timedelta(days=14, hours=23)}, (1, 1, 1, 0, 0)),
        ({"expires_at": NOW + timedelta(days=15, hours=1)}, (1, 1, 0, 0, 0)),
        ({"expires_at": NOW + timedelta(days=1), "read_at": NOW}, (1, 0, 0, 0, 0)),
        ({"expires_at": NOW - timedelta(seconds=1), "is_registered": True}, (0, 0, 0, 0, 0)),
    ],
)
def test_each_count_counts_what_its_name_says(consumer, deliver, columns, counts):
    deliver(consumer.ebox, **columns)

    assert counted(consumer) == counts


def test_the_last_receipt_is_that_of_the_newest_message(consumer, deliver):
    deliver(consumer.ebox, received_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    deliver(consumer.ebox, received_at=datetime(2026, 4, 1, 12, tzinfo=UTC))
    deliver(consumer.ebox, received_at=NOW, expires_at=NOW - timedelta(seconds=1))

    answer = consumer.get("/ebox/statistics")

    assert answer.json["lastReceiptDate"] == "2026-04-01T12:00:00+00:00"


def test_how_soon_is_soon_is_a_setting(app_with, elsewhere, consumer, deliver):
    there = elsewhere(consumer, app_with(soon_expiring_days=3))
    deliver(consumer.ebox, expires_at=NOW + timedelta(days=4))
    deliver(consumer.ebox, expires_at=NOW + timedelta(days=2))

    assert counted(there) == (2, 2, 1, 0, 0)


def test_an_application_counts_all_partitions_or_those_it_names(consumer, deliver):
    for partition in ("GENERAL", "partitionB", "partitionB", "secret"):
        deliver(consumer.ebox, partition=partition)

    assert counted(consumer)[0] == 4
    assert counted(consumer, "?partition=partitionB")[0] == 2
    assert counted(consumer, "?partition=partitionB&partition=secret")[0] == 3
    assert counted(consumer, "?partition=unknown")[0] == 0


def test_a_person_counts_only_the_partitions_he_may_read(portal_user, deliver):
    deliver(portal_user.ebox)
    deliver(portal_user.ebox, partition="partitionB")
    deliver(portal_user.ebox, partition="partitionNoAccess", received_at=NOW + timedelta(hours=1))

    answer = portal_user.get("/ebox/statistics").json

    assert counted(portal_user) == (2, 2, 0, 0, 0)
    assert counted(portal_user, "?partition=partitionB") == (1, 1, 0, 0, 0)
    assert datetime.fromisoformat(answer["lastReceiptDate"]) < NOW


def test_counting_a_partition_without_right_is_refused(portal_user):
    answer = portal_user.get("/ebox/statistics?partition=GENERAL&partition=partitionNoAccess")

    assert answer.status_code == 403
    assert answer.json["type"] == "urn:problem-type:belgif:missingPermission"


def test_the_messages_of_others_are_not_counted(consumer, citizen, deliver):
    deliver(an_ebox())
    deliver(an_ebox(), sender=consumer.ebox.number, sent_from="GENERAL")
    deliver(citizen.ebox)

    assert counted(consumer)[0] == 0
    assert counted(citizen)[0] == 1


def test_statistics_are_not_kept_by_caches(consumer):
    assert consumer.get("/ebox/statistics").headers["Cache-Control"] == "no-store"
