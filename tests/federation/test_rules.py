"""Routing rules out of the Partition API, in their order, and what is refused as rules."""

import time

import pytest

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.federation_words import Member
from registry.domain.identifiers import EnterpriseNumber
from registry.domain.routing import Rule
from registry.federation.member_names import MemberNames
from registry.federation.rules import read_rules
from registry.federation.unconfigured import NoPartitionApi

US = EnterpriseNumber("0206731645")
RULES = "/ebox/0206731645/routingRules"
ITEM = {"routingRuleId": 7, "partition": "HR", "messageTypeId": "payslip"}


def test_rules_come_in_the_order_of_their_priority(federation, partitions):
    federation.on[RULES] = federation.says(
        {
            "items": [
                {"routingRuleId": 9, "partition": "HR", "messageTypeId": "payslip"},
                {
                    "routingRuleId": 2,
                    "partition": "LEGAL",
                    "senderApplicationId": "summons",
                    "senderOrganizationId": "0308357159",
                },
                {"routingRuleId": 5, "partition": "OTHER"},
            ],
            "totalItems": 3,
        }
    )

    assert partitions().routing_rules(US) == (
        Rule("HR", message_type_id="payslip"),
        Rule("LEGAL", sender_application_id="summons", sender_organization_id="0308357159"),
        Rule("OTHER"),
    )


def test_the_list_may_be_named_as_in_webhook_events(federation, partitions):
    federation.on[RULES] = federation.says({"orderedRoutingRules": [ITEM]})

    assert partitions().routing_rules(US) == (Rule("HR", message_type_id="payslip"),)


@pytest.mark.parametrize("answer", [({"items": []}, 200), ({"title": "not found"}, 404)])
def test_an_ebox_may_have_no_rules(federation, partitions, answer):
    federation.on[RULES] = federation.says(*answer)

    assert partitions().routing_rules(US) == ()


def test_there_may_be_thousands_of_rules(federation, partitions):
    federation.on[RULES] = federation.says({"items": [ITEM] * 5000})

    assert len(partitions().routing_rules(US)) == 5000


def test_a_criterion_that_is_null_is_none():
    assert read_rules([ITEM | {"senderApplicationId": None}]) == (
        Rule("HR", message_type_id="payslip"),
    )


def test_members_without_influence_are_passed_over():
    item = ITEM | {"priority": 1, "description": {"nl": "Lonen"}, "senderCountry": None}

    assert read_rules([item]) == (Rule("HR", message_type_id="payslip"),)


def test_names_of_members_are_settings():
    names = MemberNames({Member.PARTITION: ("doel",), Member.MESSAGE_TYPE: ("soort",)})

    assert read_rules([{"doel": "HR", "soort": "payslip"}], names) == (
        Rule("HR", message_type_id="payslip"),
    )
    with pytest.raises(UpstreamInvalid):
        read_rules([{"partition": "HR", "soort": "payslip"}], names)


NONSENSE = {
    "nothing": None,
    "an object": {"0": ITEM},
    "a name": "HR",
    "a name for a rule": ["HR"],
    "null for a rule": [None],
    "a list for a rule": [[ITEM]],
    "no partition": [{"messageTypeId": "payslip"}],
    "null for a partition": [ITEM | {"partition": None}],
    "an empty partition": [ITEM | {"partition": ""}],
    "a number for a partition": [ITEM | {"partition": 1}],
    "a number for a criterion": [ITEM | {"messageTypeId": 1}],
    "an empty criterion": [ITEM | {"senderApplicationId": ""}],
    "a list for a criterion": [ITEM | {"senderOrganizationId": ["0308357159"]}],
    "criteria under other names": [{"partition": "HR", "messageType": "payslip"}],
    "a criterion that is new beside one that is known": [ITEM | {"senderCountry": "BE"}],
    "two partitions": [ITEM | {"targetPartition": "LEGAL"}],
    "one good and one bad rule": [ITEM, {}],
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_what_cannot_be_rules_is_refused_as_a_whole(nonsense):
    with pytest.raises(UpstreamInvalid):
        read_rules(NONSENSE[nonsense])


LIES = {
    "HTML": (b"<html>", 200),
    "a list": ([ITEM], 200),
    "no items": ({}, 200),
    "an object of items": ({"items": {}}, 200),
    "a word for an item": ({"items": ["HR"]}, 200),
    "a refusal of the request": ({"items": []}, 400),
    "a refusal of our token": ({"items": []}, 403),
    "no content": (b"", 204),
    "too much": (b" " * 1_100_000 + b'{"items": []}', 200),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_right_is_not_an_absence_of_rules(federation, partitions, lie):
    federation.on[RULES] = federation.says(*LIES[lie])

    with pytest.raises(UpstreamInvalid):
        partitions().routing_rules(US)


@pytest.mark.parametrize(
    "outage", ["is_silent", "resets", "dribbles_headers", "dribbles_chunks", "stops_halfway"]
)
def test_no_answer_is_an_outage_told_in_time(federation, partitions, outage):
    federation.on[RULES] = getattr(federation, outage)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        partitions(timeout=0.5).routing_rules(US)

    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_ill_is_an_outage(federation, partitions, status):
    federation.on[RULES] = federation.says({"items": []}, status)

    with pytest.raises(Unavailable):
        partitions().routing_rules(US)


def test_an_odd_recipient_does_not_shut_the_service_off_for_others(federation, partitions):
    federation.on[RULES] = federation.says({}, 400)
    service = partitions(failures=2)
    for _ in range(4):
        with pytest.raises(UpstreamInvalid):
            service.routing_rules(US)

    federation.on[RULES] = federation.says({"items": []})
    assert service.routing_rules(US) == ()


def test_without_a_partition_api_rules_are_not_known_to_be_none():
    with pytest.raises(Unavailable):
        NoPartitionApi().routing_rules(US)
