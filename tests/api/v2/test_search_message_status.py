"""POST …/v2/searchMessageStatus: bare arrays in and out, and 201."""

from uuid import uuid4

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import CONSUMER
from tests.api.v2.visiting import MESSAGES, STATUS, in_version_2, named, published, told
from tests.factories import an_ebox


def ask(sender, *pairs):
    items = [{"messageId": str(message), "eboxId": named(ebox)} for message, ebox in pairs]
    return in_version_2(sender).ask("POST", STATUS, json=items)


def test_a_message_is_unread_until_it_is_read(sender, reader):
    recipient = in_version_2(reader())
    message = published(sender, recipient.ebox)

    before = ask(sender, (message, recipient.ebox))
    recipient.get(f"{MESSAGES}/{message}/attachments/1/content")
    after = ask(sender, (message, recipient.ebox))

    (status,) = before.json
    assert before.status_code == after.status_code == 201
    assert status.pop("expirationDate").startswith("20")
    assert status == {
        "messageId": message,
        "eboxId": named(recipient.ebox),
        "readStatus": False,
        "visible": True,
    }
    assert after.json[0]["readStatus"] is True


def test_what_the_caller_did_not_send_is_left_out(sender, a_sender):
    recipient = an_ebox()
    theirs = published(a_sender(), recipient)
    own = published(sender, recipient)

    answer = ask(
        sender,
        (theirs, recipient),
        (uuid4(), recipient),
        ("message-1", recipient),
        (own, an_ebox()),
        (own, Ebox(EboxKind.CITIZEN, "nobody")),
        (own, recipient),
    )

    assert [status["messageId"] for status in answer.json] == [own]


def test_nothing_asked_is_nothing_told(sender):
    answer = ask(sender)

    assert (answer.status_code, answer.json) == (201, [])


def test_five_hundred_are_answered_at_once_and_no_more(sender):
    pair = (uuid4(), an_ebox())

    assert ask(sender, *[pair] * 500).json == []
    assert told(ask(sender, *[pair] * 501), 400) == (
        "INVALID_INPUT",
        "body has more than 500 items",
    )


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ({}, "body is not a JSON array"),
        ([[]], "body[0] is not an object"),
        ([None], "body[0] is null; leave it out"),
        ([{"messageId": "x"}], "Invalid Schema: required keys not found: body[0].eboxId"),
        (
            [{"messageId": "x", "eboxId": {"eboxType": "club", "eboxIdValue": "1"}}],
            "body[0].eboxId.eboxType is none of enterprise, citizen",
        ),
        ([{"messageId": 5, "eboxId": named(an_ebox())}], "body[0].messageId is not a text"),
    ],
)
def test_bad_syntax_is_refused_with_its_place(sender, items, text):
    answer = in_version_2(sender).ask("POST", STATUS, json=items)

    assert told(answer, 400) == ("INVALID_INPUT", text)


def test_properties_it_does_not_know_are_ignored(sender):
    item = {"messageId": str(uuid4()), "eboxId": {**named(an_ebox()), "x": 1}, "recipient": {}}

    assert in_version_2(sender).ask("POST", STATUS, json=[item]).status_code == 201


def test_a_scope_to_publish_is_needed(a_sender):
    assert told(ask(a_sender(CONSUMER)), 403)[0] == "MISSING_SCOPE"
