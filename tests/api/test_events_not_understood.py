"""An event that is not understood ends what is known of its enterprise; its names are settings."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from registry.sandbox.personas import PORTAL
from tests.api.publication import MESSAGES, Sender, an_event, at
from tests.factories import a_person, an_ebox

PATH = "/eventNotifications"
FAMILY = "be.eboxenterprise.v1."
LETTER = "information-letter"
TOLD = {"messageTypeId": LETTER, "partition": "told"}
SECRET = "needle"
NOT_UNDERSTOOD = {
    "a type of tomorrow": ("merger.happened", {}),
    "a verb of tomorrow": ("partition.renamed", {"partition": "told"}),
    "rules missing": ("routingRule.updated", {}),
    "rules of null": ("routingRule.updated", {"orderedRoutingRules": None}),
    "rules as text": ("routingRule.updated", {"orderedRoutingRules": SECRET}),
    "rules under another name": ("routingRule.updated", {SECRET + "Rules": [TOLD]}),
    "a rule that is none": ("routingRule.updated", {"orderedRoutingRules": [7]}),
    "a rule without partition": (
        "routingRule.updated",
        {"orderedRoutingRules": [{"messageTypeId": LETTER}]},
    ),
    "a criterion of tomorrow": (
        "routingRule.updated",
        {"orderedRoutingRules": [{**TOLD, "senderCountry": SECRET}]},
    ),
    "two partitions for one": (
        "routingRule.updated",
        {"orderedRoutingRules": [{**TOLD, "targetPartition": SECRET}]},
    ),
    "a deletion of nothing": ("partition.deleted", {}),
    "a deletion of a number": ("partition.deleted", {"partition": 7}),
    "a deletion under another name": ("partition.deleted", {"partitionCode": SECRET}),
}


def tell(webhook, ebox, kind, data=None, **changes):
    event = an_event(ebox, data, type=FAMILY + kind, **changes)
    answer = webhook.ask("POST", PATH, json=event)
    assert (answer.status_code, answer.data) == (204, b""), answer.text


@pytest.fixture
def goes_to(sender, reader):
    """The partition where an information letter for this e-Box goes now."""

    def publish(ebox):
        shown = reader(ebox).get(f"{MESSAGES}/{sender.published(ebox)}").json
        return shown["recipient"]["partition"]

    return publish


@pytest.fixture
def person(publication, party):
    """A person in the portal of a fresh enterprise, and his number."""
    ebox, ssin = an_ebox(), a_person()
    token = party(PORTAL, enterprise=ebox.number, person=ssin)
    return Sender(publication.test_client(), token, ebox), ssin


@pytest.mark.parametrize("reason", NOT_UNDERSTOOD)
def test_an_event_that_is_not_understood_ends_the_rules(webhook, goes_to, rules, reason, caplog):
    ebox, (kind, data) = an_ebox(), NOT_UNDERSTOOD[reason]
    tell(webhook, ebox, "routingRule.created", {"orderedRoutingRules": [TOLD]})
    before = goes_to(ebox)
    rules(ebox.number, {"messageTypeId": LETTER, "partition": "asked"})
    caplog.clear()

    tell(webhook, ebox, kind, data)

    warnings = [line for line in caplog.records if line.levelno == logging.WARNING]
    warning = "\n".join(line.getMessage() for line in warnings)
    assert all(name in warning for name in ("enterpriseNumber", *data)), warning
    assert SECRET not in warning.replace(SECRET + "Rules", "")
    assert ebox.number not in warning
    assert (before, goes_to(ebox)) == ("told", "asked")


@pytest.mark.parametrize("reason", NOT_UNDERSTOOD)
def test_an_event_that_is_not_understood_ends_the_rights(webhook, person, grant, deliver, reason):
    user, ssin = person
    kind, data = NOT_UNDERSTOOD[reason]
    path = f"{MESSAGES}/{deliver(user.ebox, partition='told')}"
    grant(user.ebox.number, ["GENERAL", "told"], {ssin: ["GENERAL", "told"]})
    before = user.get(path).status_code
    grant(user.ebox.number, ["GENERAL", "told"], {ssin: ["GENERAL"]})

    tell(webhook, user.ebox, kind, data)

    assert (before, user.get(path).status_code) == (200, 403)


def test_rules_that_are_newer_stay_when_an_old_event_is_not_understood(webhook, goes_to):
    ebox, now = an_ebox(), datetime.now(UTC)
    tell(webhook, ebox, "routingRule.created", {"orderedRoutingRules": [TOLD]})

    tell(webhook, ebox, "merger.happened", time=(now - timedelta(hours=1)).isoformat())

    assert goes_to(ebox) == "told"


def test_rules_end_too_when_only_rights_have_changed_since(webhook, goes_to, rules):
    ebox, now = an_ebox(), datetime.now(UTC)
    times = {hour: (now - timedelta(hours=hour)).isoformat() for hour in (1, 2, 3)}
    data = {"orderedRoutingRules": [TOLD]}
    tell(webhook, ebox, "routingRule.created", data, time=times[3])
    tell(webhook, ebox, "partitionUserRight.created", time=times[1])
    rules(ebox.number, {"messageTypeId": LETTER, "partition": "asked"})

    tell(webhook, ebox, "routingRule.updated", {"orderedRoutingRules": [{}]}, time=times[2])

    assert goes_to(ebox) == "asked"


@pytest.mark.parametrize(
    ("enterprise", "list_name", "partition"),
    [
        ("enterpriseNumber", "orderedRoutingRules", "targetPartition"),
        ("enterpriseId", "routingRules", "partition"),
        ("enterpriseNumber", "items", "partitionName"),
    ],
)
def test_likely_names_of_members_are_understood(webhook, goes_to, enterprise, list_name, partition):
    ebox = an_ebox()
    data = {
        enterprise: ebox.number,
        list_name: [{"messageTypeId": LETTER, partition: "told"}],
    }
    event = {**an_event(ebox, type=f"{FAMILY}routingRule.created"), "data": data}

    assert webhook.ask("POST", PATH, json=event).status_code == 204
    assert goes_to(ebox) == "told"


def test_names_of_members_and_types_are_settings(webhook, goes_to, publishing_with):
    ebox = an_ebox()
    names = {"enterpriseNumber": ["company"], "partition": ["doel"]}
    app = publishing_with(
        partition_members=names, webhook_types={"routingRules": ["be.example.rules"]}
    )
    there = at(webhook, app, Sender)
    data = {
        "company": ebox.number,
        "orderedRoutingRules": [{"messageTypeId": LETTER, "doel": "told"}],
    }
    event = {**an_event(ebox, type="be.example.rules"), "data": data}

    assert there.ask("POST", PATH, json=event).status_code == 204
    assert goes_to(ebox) == "told"


@pytest.mark.parametrize("kind", ["partition.deleted", "partition.removed"])
def test_messages_of_a_deleted_partition_are_shown_in_general(
    webhook, person, grant, deliver, reader, kind
):
    user, ssin = person
    gone, other = (deliver(user.ebox, partition=name) for name in ("gone", "other"))
    grant(user.ebox.number, ["GENERAL", "other"], {ssin: ["GENERAL"]})

    tell(webhook, user.ebox, kind, {"partition": "gone"})

    listed = user.get(MESSAGES).json["items"]
    assert [item["messageId"] for item in listed] == [str(gone)]
    assert listed[0]["recipient"]["partition"] == "GENERAL"
    shown = reader(user.ebox).get(f"{MESSAGES}/{other}").json
    assert shown["recipient"]["partition"] == "other"


@pytest.mark.parametrize(
    ("existing", "partition"), [(["GENERAL", "again"], "again"), (["GENERAL"], "GENERAL")]
)
def test_an_old_deletion_counts_only_if_the_partition_is_not_there(
    webhook, grant, deliver, reader, existing, partition
):
    ebox, now = an_ebox(), datetime.now(UTC)
    message_id = deliver(ebox, partition="again")
    grant(ebox.number, existing)
    tell(webhook, ebox, "partitionUserRight.created")

    before = (now - timedelta(hours=1)).isoformat()
    tell(webhook, ebox, "partition.deleted", {"partition": "again"}, time=before)

    shown = reader(ebox).get(f"{MESSAGES}/{message_id}").json
    assert shown["recipient"]["partition"] == partition


def test_rules_that_point_at_a_deleted_partition_lead_to_general(webhook, goes_to):
    ebox = an_ebox()
    rules = [{"messageTypeId": LETTER, "partition": "gone"}, {"partition": "told"}]
    tell(webhook, ebox, "routingRule.created", {"orderedRoutingRules": rules})
    before = goes_to(ebox)

    tell(webhook, ebox, "partition.deleted", {"partition": "gone"})

    assert (before, goes_to(ebox)) == ("gone", "GENERAL")


@pytest.mark.parametrize("source", ["told", "asked"])
@pytest.mark.parametrize(
    ("existing", "partition"), [(["GENERAL", "there"], "there"), (["GENERAL"], "GENERAL")]
)
def test_rules_that_point_at_a_partition_that_is_not_there_lead_to_general(
    webhook, goes_to, facts, source, existing, partition
):
    ebox, ordered = an_ebox(), [{"messageTypeId": LETTER, "partition": "there"}]
    known = {"partitions": existing, "users": {}, "routingRules": ordered}
    facts("partitions", lambda all_known: all_known.update({ebox.number: known}))
    if source == "told":
        tell(webhook, ebox, "routingRule.created", {"orderedRoutingRules": ordered})

    assert goes_to(ebox) == partition


def test_a_partition_that_is_created_has_its_rules_asked_again(webhook, goes_to, facts):
    ebox, ordered = an_ebox(), [{"messageTypeId": LETTER, "partition": "new"}]
    known = {"partitions": ["GENERAL"], "users": {}, "routingRules": ordered}
    facts("partitions", lambda all_known: all_known.update({ebox.number: known}))
    before = goes_to(ebox)
    known["partitions"].append("new")
    facts("partitions", lambda all_known: all_known.update({ebox.number: known}))

    tell(webhook, ebox, "partition.created", {"partition": "new"})

    assert (before, goes_to(ebox)) == ("GENERAL", "new")


def test_a_reply_to_a_partition_that_is_not_there_follows_the_rules(sender, reader, rules):
    recipient = reader()
    rules(sender.ebox.number, {"messageTypeId": LETTER, "partition": "ruled"})
    by = {"eboxType": "enterprise", "enterpriseNumber": sender.ebox.number, "partition": "gone"}
    message_id = sender.published(recipient.ebox, sender=by, isReplyAuthorized=True)

    reply_id = recipient.reply(message_id).json["messageId"]

    assert sender.get(f"{MESSAGES}/{reply_id}").json["recipient"]["partition"] == "ruled"
