"""POST …/v2/linkEboxMessage: one message for many."""

from uuid import uuid4

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import CONSUMER
from tests.api.publication import at
from tests.api.v2.visiting import LINK, MESSAGES, in_version_2, named, published, told
from tests.factories import an_ebox

ODD = [
    Ebox(EboxKind.ENTERPRISE, "0412398765"[:9]),
    Ebox(EboxKind.CITIZEN, "nobody"),
    Ebox(EboxKind.ENTERPRISE, "85031212362"),
]


def link(sender, message, *eboxes, **more):
    members = {"messageId": str(message), "recipients": [named(ebox) for ebox in eboxes], **more}
    return in_version_2(sender).ask("POST", LINK, json=members)


def test_more_eboxes_get_the_message(sender, reader):
    message = published(sender, an_ebox())
    others = [reader(), reader(an_ebox(EboxKind.CITIZEN))]

    answer = link(sender, message, *(other.ebox for other in others), x="ignored")

    assert answer.status_code == 201
    assert answer.json.pop("expirationDate")
    assert answer.json | {"expirationDate": ""} == {
        "messageId": message,
        "expirationDate": "",
        "nbSuccessLinks": 2,
        "errorCases": [],
    }
    for other in others:
        assert in_version_2(other).get(f"{MESSAGES}/{message}").status_code == 200


def test_one_that_cannot_be_does_not_stop_the_others(sender):
    message = published(sender, an_ebox())

    answer = link(sender, message, *ODD, an_ebox())

    assert answer.json["nbSuccessLinks"] == 1
    assert answer.json["errorCases"] == [named(ebox) for ebox in ODD]


def test_one_that_fails_its_check_digits_does_not_either(publishing_with, sender):
    there = at(sender, publishing_with(check_digits=True), type(sender))
    message = published(there, an_ebox())
    wrong = Ebox(EboxKind.ENTERPRISE, "0412398700")

    assert link(there, message, wrong).json["errorCases"] == [named(wrong)]


def test_nobody_is_enough(sender):
    answer = link(sender, published(sender, an_ebox()))

    assert (answer.status_code, answer.json["nbSuccessLinks"]) == (201, 0)


@pytest.mark.parametrize("name", ["unknown", "no UUID", "anothers", "received"])
def test_a_message_that_is_not_ones_own_is_not_found(sender, a_sender, nothing_stored, name):
    message = {
        "unknown": uuid4(),
        "no UUID": "message-1",
        "anothers": published(a_sender(), an_ebox()),
        "received": published(a_sender(), sender.ebox),
    }[name]

    with nothing_stored():
        answer = link(sender, message, an_ebox())

    assert told(answer, 404) == ("RESOURCE_NOT_FOUND", "The requested resource does not exist.")


@pytest.mark.parametrize(
    "members",
    [
        {"recipients": []},
        {"messageId": 5, "recipients": []},
        {"messageId": str(uuid4())},
        {"messageId": str(uuid4()), "recipients": {}},
        {"messageId": str(uuid4()), "recipients": [{"eboxType": "club", "eboxIdValue": "1"}]},
        {"messageId": str(uuid4()), "recipients": [{"eboxType": "citizen"}]},
        {"messageId": str(uuid4()), "recipients": [{}] * 10_001},
        [],
    ],
)
def test_bad_syntax_is_refused(sender, members):
    answer = in_version_2(sender).ask("POST", LINK, json=members)

    assert told(answer, 400)[0] == "INVALID_INPUT"


def test_a_scope_to_publish_is_needed(a_sender):
    assert told(link(a_sender(CONSUMER), uuid4()), 403)[0] == "MISSING_SCOPE"
