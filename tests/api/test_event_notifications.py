"""What the federation tells by its webhook, and what comes of it (contract 3.5, 6.19)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.api.state import get_state
from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import CONSUMER, PORTAL
from tests.api.publication import BELGIF, MESSAGES, Sender, an_event, at
from tests.factories import a_person, an_ebox

PATH = "/eventNotifications"
RULES = "be.eboxenterprise.v1.routingRule.modified"
RIGHTS = [
    "be.eboxenterprise.v1.partitionUserRight.added",
    "be.eboxenterprise.v1.partitionUserRight.removed",
    "be.eboxenterprise.v1.partition.added",
    "be.eboxenterprise.v1.partition.removed",
]
NOW = datetime.now(UTC)


def structured(webhook, event):
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    return webhook.ask("POST", PATH, json=event, headers=headers)


def plain(webhook, event):
    return webhook.ask("POST", PATH, json=event)


def binary(webhook, event):
    headers = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    return webhook.ask("POST", PATH, json=event["data"], headers=headers)


def rules_to(partition, ebox, **changes):
    """An event that sends every information letter to a partition."""
    ordered = [{"messageTypeId": "information-letter", "partition": partition}]
    return an_event(ebox, {"orderedRoutingRules": ordered}, **changes)


def at_hour(hour):
    return (NOW + timedelta(hours=hour - 24)).isoformat()


@pytest.fixture
def goes_to(sender, reader):
    """The partition where an information letter for this e-Box goes now."""

    def publish(ebox):
        message_id = sender.published(ebox)
        shown = reader(ebox).get(f"{MESSAGES}/{message_id}").json
        return shown["recipient"]["partition"]

    return publish


@pytest.mark.parametrize("tell", [structured, plain, binary])
def test_new_rules_are_followed(webhook, goes_to, tell):
    ebox = an_ebox()

    answer = tell(webhook, rules_to("told", ebox, time=at_hour(1)))

    assert (answer.status_code, answer.data) == (204, b"")
    assert goes_to(ebox) == "told"


def test_the_same_event_again_is_taken_and_ignored(webhook, goes_to):
    ebox, event_id = an_ebox(), str(uuid4())
    plain(webhook, rules_to("first", ebox, id=event_id))

    answer = plain(webhook, rules_to("second", ebox, id=event_id))

    assert answer.status_code == 204
    assert goes_to(ebox) == "first"


def test_the_same_id_of_another_source_is_another_event(webhook, goes_to):
    ebox, event_id = an_ebox(), str(uuid4())
    plain(webhook, rules_to("first", ebox, id=event_id))

    plain(webhook, rules_to("second", ebox, id=event_id, source="urn:another"))

    assert goes_to(ebox) == "second"


@pytest.mark.parametrize(("hours", "expected"), [((1, 2), "b"), ((2, 1), "a"), ((1, 1), "b")])
def test_an_older_event_is_taken_and_ignored(webhook, goes_to, hours, expected):
    ebox = an_ebox()

    answers = [
        plain(webhook, rules_to(partition, ebox, time=at_hour(hour)))
        for partition, hour in zip("ab", hours, strict=True)
    ]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert goes_to(ebox) == expected


def test_events_about_one_enterprise_do_not_make_those_about_another_old(webhook, goes_to):
    one, other = an_ebox(), an_ebox()
    plain(webhook, rules_to("one", one, time=at_hour(9)))

    plain(webhook, rules_to("other", other, time=at_hour(1)))

    assert (goes_to(one), goes_to(other)) == ("one", "other")


def test_an_event_of_an_unknown_type_has_the_rules_asked_again(webhook, goes_to, rules):
    ebox = an_ebox()
    rules(ebox.number, {"messageTypeId": "information-letter", "partition": "asked"})
    plain(webhook, rules_to("told", ebox))

    answer = plain(webhook, an_event(ebox, type="be.eboxenterprise.v1.merger.happened"))

    assert answer.status_code == 204
    assert goes_to(ebox) == "asked"


@pytest.fixture
def person(publication, party):
    """A person in the portal of a fresh enterprise."""
    ebox, ssin = an_ebox(), a_person()
    return Sender(
        publication.test_client(), party(PORTAL, enterprise=ebox.number, person=ssin), ebox
    ), ssin


@pytest.mark.parametrize("kind", [*RIGHTS, "be.eboxenterprise.v1.of.tomorrow"])
def test_rights_are_asked_again_when_an_event_may_concern_them(
    webhook, person, grant, deliver, kind
):
    user, ssin = person
    message_id = deliver(user.ebox, partition="B")
    grant(user.ebox.number, ["GENERAL", "B"], {ssin: ["GENERAL", "B"]})
    before = user.get(f"{MESSAGES}/{message_id}").status_code
    grant(user.ebox.number, ["GENERAL", "B"], {ssin: ["GENERAL"]})
    cached = user.get(f"{MESSAGES}/{message_id}").status_code

    answer = plain(webhook, an_event(user.ebox, type=kind))

    assert answer.status_code == 204, answer.text
    after = user.get(f"{MESSAGES}/{message_id}").status_code
    assert (before, cached, after) == (200, 200, 403)


def test_an_old_event_on_rights_has_them_asked_again_all_the_same(webhook, person, grant, deliver):
    user, ssin = person
    message_id = deliver(user.ebox, partition="B")
    grant(user.ebox.number, ["GENERAL", "B"], {ssin: ["GENERAL", "B"]})
    user.get(f"{MESSAGES}/{message_id}")
    plain(webhook, an_event(user.ebox, {"orderedRoutingRules": []}, time=at_hour(9)))
    grant(user.ebox.number, ["GENERAL", "B"], {ssin: ["GENERAL"]})

    plain(webhook, an_event(user.ebox, type=RIGHTS[1], time=at_hour(1)))

    assert user.get(f"{MESSAGES}/{message_id}").status_code == 403


def test_a_rights_event_leaves_the_rules_alone(webhook, goes_to):
    ebox = an_ebox()
    plain(webhook, rules_to("told", ebox))

    plain(webhook, an_event(ebox, type=RIGHTS[0]))

    assert goes_to(ebox) == "told"


EBOX = an_ebox()


@pytest.mark.parametrize(
    "event",
    [
        an_event(EBOX, specversion="0.3"),
        an_event(EBOX, specversion=None),
        an_event(EBOX, id=None),
        an_event(EBOX, id=""),
        an_event(EBOX, source=None),
        an_event(EBOX, type=None),
        an_event(EBOX, type=7),
        an_event(EBOX, time="yesterday"),
        an_event(EBOX, time="2026-11-20T12:00:00"),
        an_event(EBOX, data=None) | {"data": []},
        {**an_event(EBOX), "data": {}},
        {**an_event(EBOX), "data": {"enterpriseNumber": "12"}},
        {**an_event(EBOX), "data": {"enterpriseNumber": "1", "enterpriseId": "2"}},
        [an_event(EBOX)],
        "text",
    ],
)
def test_what_is_no_event_is_refused(webhook, event):
    answer = plain(webhook, event)

    assert answer.status_code == 400
    assert answer.json["type"] == f"{BELGIF}badRequest"


def test_a_refused_event_may_be_sent_again_under_its_id(webhook, goes_to):
    ebox = an_ebox()
    right = rules_to("told", ebox)
    wrong = {**right, "data": {**right["data"], "enterpriseNumber": "12"}}

    assert plain(webhook, wrong).status_code == 400
    assert plain(webhook, right).status_code == 204
    assert goes_to(ebox) == "told"


@pytest.mark.parametrize(
    "content", [b"", b"null", b"{", b'{"id": 1, "id": 2}', b"\xff", b"[" * 50_000]
)
def test_what_is_no_json_is_refused(webhook, content):
    headers = {"Content-Type": "application/cloudevents+json"}

    assert webhook.ask("POST", PATH, data=content, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/cloudevents-batch+json", "application/xml", ""]
)
def test_another_media_type_is_refused(webhook, media_type):
    headers = {"Content-Type": media_type}

    assert webhook.ask("POST", PATH, data=b"{}", headers=headers).status_code == 415


def test_null_attributes_and_extensions_are_taken(webhook, goes_to):
    ebox = an_ebox()
    event = rules_to("told", ebox) | {"subject": None, "time": None, "traceparent": "00-1"}

    assert plain(webhook, event).status_code == 204
    assert goes_to(ebox) == "told"


def test_while_no_scope_is_configured_nobody_tells_anything(webhook, publishing_with):
    closed = at(webhook, publishing_with(webhook_scope=None), Sender)

    answer = plain(closed, rules_to("told", an_ebox()))

    assert answer.status_code == 403
    assert answer.json["type"] == f"{BELGIF}missingScope"


@pytest.mark.parametrize("scopes", [(), (CONSUMER,), (PORTAL,)])
def test_without_the_scope_nobody_tells_anything(publication, party, goes_to, scopes):
    ebox = an_ebox()
    somebody = Sender(publication.test_client(), party(*scopes, enterprise=ebox.number), ebox)

    assert plain(somebody, rules_to("told", ebox)).status_code == 403
    assert goes_to(ebox) == "GENERAL"


def test_the_base_path_of_citizens_takes_events_too(webhook, goes_to):
    ebox = an_ebox()
    there = Sender(webhook._client, webhook.token, Ebox(EboxKind.CITIZEN, a_person()))

    assert plain(there, rules_to("told", ebox)).status_code == 204
    assert goes_to(ebox) == "told"


def test_a_client_by_name_may_tell_too(app, publishing_with, visitor):
    somebody = visitor(CONSUMER)
    client_id = get_state(app).registry.introspection.caller(somebody.token).client_id
    by_client = publishing_with(webhook_clients=(client_id,), webhook_scope=None)
    by_nothing = publishing_with(webhook_scope=None)

    answers = [
        plain(at(somebody, app, Sender), an_event(an_ebox())) for app in (by_client, by_nothing)
    ]

    assert [answer.status_code for answer in answers] == [204, 403]
    assert "Content-Type" not in answers[0].headers
