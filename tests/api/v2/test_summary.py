"""GET …/v2/ebox: counts for a first look."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.sandbox.personas import CITIZEN_SUMMARY, CONSUMER, PORTAL, REFERENCE, SENDER
from tests.api.v2.visiting import SUMMARY, SUMMARY_ALL, in_version_2, told
from tests.factories import a_person, an_ebox

NOW = datetime.now(UTC)


def test_an_empty_ebox_counts_nothing(consumer_2):
    answer = consumer_2.get("/ebox")

    assert answer.status_code == 200
    assert answer.json == {"numberOfMessages": 0, "numberOfUnreadMessages": 0}


def test_messages_out_of_sight_count_and_expired_ones_do_not(consumer_2, deliver):
    deliver(consumer_2.ebox, received_at=datetime(2026, 3, 1, 12, tzinfo=UTC), is_visible=False)
    deliver(consumer_2.ebox, received_at=datetime(2026, 4, 1, 12, tzinfo=UTC), read_at=NOW)
    deliver(consumer_2.ebox, expires_at=NOW - timedelta(seconds=1))
    deliver(an_ebox())

    assert consumer_2.get("/ebox").json == {
        "numberOfMessages": 2,
        "numberOfUnreadMessages": 1,
        "lastReceiptDate": "2026-04-01T12:00:00+00:00",
    }


@pytest.mark.parametrize("scope", [SUMMARY, SUMMARY_ALL, CONSUMER])
def test_each_of_its_scopes_opens_the_summary_of_ones_own_ebox(visitor, grant, deliver, scope):
    ebox, person = an_ebox(), a_person()
    grant(ebox.number, ["GENERAL"], {person: ["GENERAL"]})
    somebody = in_version_2(visitor(scope, ebox=ebox, person=person))
    deliver(ebox)
    deliver(an_ebox())

    assert somebody.get("/ebox").json["numberOfMessages"] == 1


@pytest.mark.parametrize("scope", [PORTAL, REFERENCE, SENDER])
def test_no_other_scope_does(visitor, scope):
    answer = in_version_2(visitor(scope)).get("/ebox")

    assert told(answer, 403)[0] == "MISSING_SCOPE"
    assert SUMMARY in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/ebox/messages", "/referenceData/messageTypes"])
def test_a_scope_for_the_summary_opens_nothing_else(visitor, path):
    assert in_version_2(visitor(SUMMARY)).get(path).status_code == 403


def test_a_person_gets_the_counts_of_the_partitions_he_may_read(visitor, grant, deliver):
    ebox, person = an_ebox(), a_person()
    grant(ebox.number, ["GENERAL", "partitionB"], {person: ["GENERAL"]})
    somebody = in_version_2(visitor(SUMMARY, ebox=ebox, person=person))
    deliver(ebox)
    deliver(ebox, partition="partitionB")

    assert somebody.get("/ebox").json["numberOfMessages"] == 1


def test_a_citizen_has_a_summary(app, visitor, party, citizen, deliver):
    token = party(CITIZEN_SUMMARY, person=citizen.ebox.number)
    somebody = in_version_2(type(citizen)(app.test_client(), token, citizen.ebox))
    deliver(citizen.ebox)

    assert somebody.get("/ebox").json["numberOfMessages"] == 1
