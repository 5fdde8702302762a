"""The first rule that matches decides, else the general partition."""

import pytest

from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule, route

MESSAGE = {
    "message_type_id": "vat",
    "sender_application_id": "fad",
    "sender_organization_id": "0308357159",
}


def test_the_first_rule_that_matches_decides():
    rules = [Rule("other", "tax"), Rule("first", "vat"), Rule("second", "vat")]

    assert route(rules, **MESSAGE) == "first"


@pytest.mark.parametrize("rules", [[], [Rule("other", "tax")]])
def test_no_match_is_the_general_partition(rules):
    assert route(rules, **MESSAGE) == GENERAL


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule("p", "vat", "fad", "0308357159"), True),
        (Rule("p", "vat", "fad"), True),
        (Rule("p", "tax", "fad", "0308357159"), False),
        (Rule("p", "vat", "other", "0308357159"), False),
        (Rule("p", "vat", "fad", "0206731645"), False),
        (Rule("p", sender_application_id="fad"), True),
        (Rule("p", sender_organization_id="0308357159"), True),
        (Rule("p", "VAT"), False),
    ],
)
def test_a_rule_needs_all_its_criteria(rule, matches):
    assert rule.matches(*MESSAGE.values()) is matches


def test_a_rule_without_criteria_takes_what_no_rule_before_it_took():
    rules = [Rule("vat", "vat"), Rule("rest")]

    assert route(rules, **MESSAGE) == "vat"
    assert route(rules, **MESSAGE | {"message_type_id": "tax"}) == "rest"


def test_a_message_without_application_meets_no_rule_that_asks_for_one():
    nobody = MESSAGE | {"sender_application_id": None}

    assert route([Rule("p", sender_application_id="fad")], **nobody) == GENERAL
