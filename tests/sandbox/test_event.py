"""The button for webhook events: what it sends, changes and says."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from click.testing import CliRunner
from werkzeug.wrappers import Response

from registry.sandbox.commands.sandbox import sandbox
from registry.sandbox.federation.changes import KINDS
from registry.sandbox.personas import ACCOUNTANT, AGENCY, BAKERY, PARTITIONS, WEBHOOK
from registry.sandbox.servers.processes import free_port

FAMILY = "be.eboxenterprise.v1."
FIRST = PARTITIONS[BAKERY.digits]["routingRules"][0]
SUMMONS = {"messageTypeId": "summons", "partition": "partitionB"}


@pytest.fixture
def event(layout):
    """Runs the command for the bakery, unless told otherwise."""

    def run(kind, *arguments, enterprise=BAKERY.digits, **options):
        told = ["event", kind, "--dir", str(layout.directory), "--enterprise", enterprise]
        return CliRunner().invoke(sandbox, [*told, *arguments], **options)

    return run


@pytest.fixture
def ebox(layout):
    """What the stand-in knows of the bakery, or another, now."""

    def read(enterprise=BAKERY.digits):
        return json.loads((layout.federation / "partitions.json").read_text())[enterprise]

    return read


def test_an_event_is_sent_whole_in_one_body(event, scripted, introspect):
    before = datetime.now(UTC)

    result = event("partition.created", "--partition", "Archive")

    (request,) = scripted.heard
    assert (request.method, request.path) == ("POST", "/v3/eventNotifications")
    assert request.content_type == "application/cloudevents+json"
    sent = json.loads(request.data)
    assert before <= datetime.fromisoformat(sent.pop("time")) <= datetime.now(UTC)
    identifier = sent.pop("id")
    assert UUID(identifier)
    assert sent == {
        "specversion": "1.0",
        "source": "urn:be:eboxenterprise:partition",
        "type": f"{FAMILY}partition.created",
        "datacontenttype": "application/json",
        "data": {"enterpriseNumber": BAKERY.digits, "partition": "Archive"},
    }
    assert introspect(request.authorization.token).json()["scope"] == WEBHOOK
    assert result.output == f"{FAMILY}partition.created {identifier}: 204 NO CONTENT\n"
    assert result.exit_code == 0


def test_an_event_in_binary_mode(event, scripted):
    attributes = ["--id", "a b", "--source", 'urn:"é"', "--time", "2026-01-02T03:04:05Z"]

    event("partition.created", "--partition", "Archive", "--binary", *attributes)

    (request,) = scripted.heard
    assert request.content_type == "application/json"
    assert {name: value for name, value in request.headers if name.startswith("Ce-")} == {
        "Ce-Specversion": "1.0",
        "Ce-Id": "a%20b",
        "Ce-Source": "urn:%22%C3%A9%22",
        "Ce-Type": f"{FAMILY}partition.created",
        "Ce-Time": "2026-01-02T03:04:05Z",
    }
    assert json.loads(request.data) == {
        "enterpriseNumber": BAKERY.digits,
        "partition": "Archive",
    }


def test_a_rule_event_carries_all_rules_and_the_stand_in_agrees(event, scripted, ebox):
    old = f"messageTypeId=information-letter,senderOrganizationId={AGENCY},partition=partitionB"

    event(
        "routingRule.created", "--rule", "messageTypeId=summons,partition=partitionB", "--rule", old
    )

    rules = [{"routingRuleId": 2, **SUMMONS}, FIRST]
    assert json.loads(scripted.heard[0].data)["data"] == {
        "enterpriseNumber": BAKERY.digits,
        "routingRuleId": 2,
        "orderedRoutingRules": rules,
    }
    assert ebox()["routingRules"] == rules


def test_rules_come_from_a_file_or_standard_input(event, ebox, tmp_path):
    path = tmp_path / "rules"
    path.write_text(json.dumps([{"routingRuleId": 7, **SUMMONS}]))

    event("routingRule.updated", "--rules", str(path))
    from_file = ebox()["routingRules"]
    event("routingRule.updated", "--rules", "-", input="[]")

    assert from_file == [{"routingRuleId": 7, **SUMMONS}]
    assert ebox()["routingRules"] == []


@pytest.mark.parametrize(
    ("kind", "after", "told"),
    [
        ("created", [1, 2, 3], 3),
        ("updated", [2, 1], 2),
        ("updated", [1, 2], 1),
        ("deleted", [1], 2),
        ("deleted", [], 1),
    ],
)
def test_a_rule_event_names_the_rule_that_it_is_about(kind, after, told, event, scripted):
    rules = {number: {"routingRuleId": number, **SUMMONS} for number in (1, 2, 3)}
    event("routingRule.updated", "--rules", "-", input=json.dumps([rules[1], rules[2]]))

    named = json.dumps([rules[number] for number in after])
    event(f"routingRule.{kind}", "--rules", "-", input=named)

    assert json.loads(scripted.heard[1].data)["data"]["routingRuleId"] == told


def test_without_rules_the_present_ones_are_told_again(event, scripted, ebox):
    event("routingRule.updated")

    assert json.loads(scripted.heard[0].data)["data"]["orderedRoutingRules"] == [FIRST]
    assert ebox()["routingRules"] == [FIRST]


def test_without_rules_a_deletion_leaves_none(event, scripted, ebox):
    event("routingRule.deleted")
    event("routingRule.deleted")

    first, second = (json.loads(request.data)["data"] for request in scripted.heard)
    assert (first["routingRuleId"], first["orderedRoutingRules"]) == (1, [])
    assert (second["routingRuleId"], second["orderedRoutingRules"]) == (0, [])
    assert ebox()["routingRules"] == []


def test_partitions_come_and_go_an_event_for_each(event, scripted, ebox):
    event("partition.created", "--partition", "One", "--partition", "Two")
    created = ebox()["partitions"]
    event("partition.deleted", "--partition", "One", "--partition", "partitionB")

    assert created == [*PARTITIONS[BAKERY.digits]["partitions"], "One", "Two"]
    assert ebox()["partitions"] == ["GENERAL", "partitionToDelete", "partitionNoAccess", "Two"]
    assert ebox()["users"] == {ACCOUNTANT.digits: ["GENERAL", "partitionToDelete"]}
    assert len({json.loads(request.data)["id"] for request in scripted.heard}) == 4


def test_rights_come_and_go(event, scripted, ebox):
    person = ["--ssin", ACCOUNTANT.digits]

    event("partitionUserRight.created", "--partition", "partitionNoAccess", *person)
    event("partitionUserRight.deleted", "--partition", "partitionB", *person)

    assert ebox()["users"] == {
        ACCOUNTANT.digits: ["GENERAL", "partitionToDelete", "partitionNoAccess"]
    }
    assert json.loads(scripted.heard[0].data)["data"] == {
        "enterpriseNumber": BAKERY.digits,
        "partition": "partitionNoAccess",
        "ssin": ACCOUNTANT.digits,
    }


def test_an_ebox_that_is_new_to_the_stand_in(event, ebox):
    event("partition.created", "--partition", "Archive", enterprise="0123456749")

    assert ebox("0123456749") == {"partitions": ["GENERAL", "Archive"], "users": {}}


@pytest.mark.parametrize("kind", [f"{FAMILY}partition.renamed", "com.example.moved"])
def test_any_full_type_is_sent_and_changes_nothing(kind, event, scripted, ebox):
    result = event(kind)

    assert result.exit_code == 0, result.output
    sent = json.loads(scripted.heard[0].data)
    assert (sent["type"], sent["data"]) == (kind, {"enterpriseNumber": BAKERY.digits})
    assert ebox() == PARTITIONS[BAKERY.digits]


def test_a_known_type_may_be_given_in_full(event, ebox):
    event(f"{FAMILY}routingRule.deleted")

    assert ebox()["routingRules"] == []


@pytest.mark.parametrize("status", [404, 405])
def test_a_registry_without_webhook_is_told_plainly(status, event, scripted):
    scripted.say = lambda request: Response(status=status)

    result = event("routingRule.updated")

    assert result.exit_code == 1
    assert re.search(f": {status} .*; this registry serves no webhook$", result.output.strip())


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (b'{"detail": "There is no time."}', "400 BAD REQUEST; There is no time."),
        (b"<h1>Bad request</h1>", "400 BAD REQUEST"),
        (b"[]", "400 BAD REQUEST"),
    ],
)
def test_a_refusal_is_told_with_its_reason(body, end, event, scripted):
    scripted.say = lambda request: Response(body, status=400)

    result = event("routingRule.updated")

    assert result.exit_code == 1
    assert result.output.strip().endswith(end)


def test_one_refusal_among_several_events_is_a_failure(event, scripted):
    scripted.say = lambda request: Response(status=204 if len(scripted.heard) > 1 else 503)

    result = event("partition.created", "--partition", "One", "--partition", "Two")

    assert result.exit_code == 1
    assert [line.split()[2] for line in result.output.splitlines()] == ["503", "204"]


def test_a_registry_that_is_gone(event, layout):
    document = layout.read_document()
    document["baseUrls"]["enterprise"]["v3"] = f"http://127.0.0.1:{free_port()}/v3"
    layout.write(document, ready=True)

    result = event("routingRule.updated")

    assert result.exit_code == 1
    assert "The registry did not answer" in result.output


def test_without_a_token_nothing_is_sent(event, layout, scripted):
    layout.key("portal").write_bytes(layout.key("registry").read_bytes())

    result = event("routingRule.updated")

    assert result.exit_code == 1
    assert "gave no token" in result.output
    assert scripted.heard == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["routingRule.renamed"], KINDS[0]),
        (["partition.created"], "Give the --partition"),
        (["partitionUserRight.deleted"], "Give the --partition"),
        (["partition.created", "--partition", "A", "--ssin", "1"], "eleven digits"),
        (
            ["partition.created", "--partition", "A", "--partition", "B", "--id", "1"],
            "share an --id",
        ),
        (["routingRule.updated", "--rule", "messageTypeId=a"], "A rule has a partition"),
        (["routingRule.updated", "--rule", "type=a,partition=b"], "A rule has a partition"),
        (["routingRule.updated", "--rule", "routingRuleId=a,partition=b"], "whole number"),
        (["routingRule.updated", "--rules", "-"], "not JSON"),
        (["routingRule.updated", "--enterprise", "12"], "ten digits"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    arguments, reason, event, scripted, ebox
):
    result = event(*arguments)

    assert result.exit_code == 2
    assert reason in " ".join(result.output.split())
    assert scripted.heard == []
    assert ebox() == PARTITIONS[BAKERY.digits]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [("{}", "list of objects"), ("[1]", "list of objects"), ('[{"partition": ""}]', "A rule has")],
)
def test_rules_have_the_form_of_rules(rules, reason, event):
    result = event("routingRule.updated", "--rules", "-", input=rules)

    assert (result.exit_code, reason in result.output) == (2, True)


def test_rules_come_from_one_place(event):
    result = event("routingRule.updated", "--rules", "-", "--rule", "partition=b", input="[]")

    assert result.exit_code == 2
    assert "not both" in result.output


def test_it_needs_a_running_sandbox(event, layout):
    layout.erase()

    result = event("routingRule.updated")

    assert result.exit_code == 1
    assert "No sandbox is running in" in result.output
