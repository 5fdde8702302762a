"""Replies: into the e-Box of whoever sent the message, if he wants them (contract 6.10)."""

from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CITIZEN_PORTAL, CONSUMER, PORTAL, SENDER
from tests.api.publication import MESSAGES, OWN, Document, Sender, named
from tests.factories import PDF, a_person, an_ebox


@pytest.fixture
def asked(sender):
    """Publish a message that may be answered; gives its id."""
    return lambda ebox, **changes: sender.published(ebox, isReplyAuthorized=True, **changes)


def test_a_reply_lands_with_the_sender(sender, reader, asked, told):
    recipient = reader()
    message_id = asked(recipient.ebox)

    answer = recipient.reply(message_id)

    assert answer.status_code == 201, answer.text
    reply_id = answer.json["messageId"]
    assert answer.headers["Location"].endswith(f"{MESSAGES}/{reply_id}")
    assert [item["messageId"] for item in sender.get(MESSAGES).json["items"]] == [reply_id]
    shown = sender.get(f"{MESSAGES}/{reply_id}").json
    assert shown["originalMessageId"] == message_id
    assert shown["sender"]["enterpriseNumber"] == recipient.ebox.number
    assert shown["messageTypeId"] == "information-letter"
    assert shown["recipient"]["partition"] == "GENERAL"
    assert [str(told_of) for _, told_of in told(sender.ebox)] == [reply_id]
    assert sender.get(f"{MESSAGES}/{reply_id}/attachments/1/content").data == PDF


def test_a_reply_lands_in_the_partition_from_which_the_message_was_sent(
    sender, reader, asked, rules
):
    recipient = reader()
    letters = {"messageTypeId": "information-letter", "partition": "elsewhere"}
    rules(sender.ebox.number, letters, {"partition": "answers"})
    wanted = {**named(sender.ebox), "partition": "answers"}

    reply_id = recipient.reply(asked(recipient.ebox, sender=wanted)).json["messageId"]

    shown = sender.get(f"{MESSAGES}/{reply_id}").json
    assert shown["recipient"]["partition"] == "answers"


def test_without_such_a_partition_the_senders_own_rules_decide(sender, reader, asked, rules):
    recipient = reader()
    rules(sender.ebox.number, {"messageTypeId": "information-letter", "partition": "ruled"})

    reply_id = recipient.reply(asked(recipient.ebox)).json["messageId"]

    assert sender.get(f"{MESSAGES}/{reply_id}").json["recipient"]["partition"] == "ruled"


def test_a_reply_may_itself_be_answered(sender, reader, asked):
    recipient = reader()
    first = recipient.reply(asked(recipient.ebox), isReplyAuthorized=True).json["messageId"]

    second = sender.reply(first)

    assert second.status_code == 201, second.text
    shown = recipient.get(f"{MESSAGES}/{second.json['messageId']}").json
    assert shown["originalMessageId"] == first


def test_whoever_replied_can_read_what_he_sent(sender, reader, asked):
    recipient = reader()
    reply_id = recipient.reply(asked(recipient.ebox)).json["messageId"]

    assert recipient.get(f"{MESSAGES}/{reply_id}").status_code == 200


def test_a_sender_who_wants_no_replies_gets_none(sender, reader, nothing_stored):
    recipient = reader()
    message_id = sender.published(recipient.ebox)

    with nothing_stored():
        answer = recipient.reply(message_id)

    assert answer.status_code == 409
    assert answer.json["type"] == f"{OWN}replyNotAuthorized"
    assert answer.json["code"] == "REPLY_NOT_AUTHORIZED"


def test_a_sender_does_not_reply_to_himself(sender, asked, nothing_stored):
    message_id = asked(an_ebox())

    with nothing_stored():
        answer = sender.reply(message_id)

    assert answer.status_code == 409


def test_what_is_anothers_cannot_be_answered_and_is_as_if_it_never_was(
    reader, asked, nothing_stored
):
    stranger, message_id, never = reader(), asked(an_ebox()), str(uuid4())

    with nothing_stored():
        theirs, unknown = stranger.reply(message_id), stranger.reply(never)

    assert theirs.status_code == unknown.status_code == 404
    scrubbed = [
        {**a.json, "instance": "", "id": "", "issues": [{**a.json["issues"][0], "value": ""}]}
        for a in (theirs, unknown)
    ]
    assert scrubbed[0] == scrubbed[1]


def test_a_reply_in_anothers_name_is_refused(sender, reader, asked, nothing_stored):
    recipient = reader()
    message_id = asked(recipient.ebox)

    with nothing_stored():
        answer = recipient.reply(message_id, sender=named(an_ebox()))

    assert answer.status_code == 400
    assert answer.json["code"] == "INVALID_SENDER"


def test_a_reply_names_no_recipient(sender, reader, asked, nothing_stored):
    recipient = reader()
    message_id = asked(recipient.ebox)

    with nothing_stored():
        answer = recipient.reply(message_id, recipient=named(an_ebox()))

    assert answer.status_code == 400
    assert answer.json["issues"][0]["type"].endswith("unknownInput")


@pytest.mark.parametrize(("readable", "status"), [(["GENERAL"], 201), (["partitionB"], 403)])
def test_a_person_replies_where_he_may_read(publication, party, asked, grant, readable, status):
    ebox, person = an_ebox(), a_person()
    grant(ebox.number, ["GENERAL", "partitionB"], {person: readable})
    token = party(PORTAL, enterprise=ebox.number, person=person)

    answer = Sender(publication.test_client(), token, ebox).reply(asked(ebox))

    assert answer.status_code == status
    if status == 403:
        assert answer.json["type"].endswith("missingPermission")


def test_a_citizen_cannot_reply(publication, party, asked, nothing_stored):
    ebox = an_ebox(EboxKind.CITIZEN)
    citizen = Sender(publication.test_client(), party(CITIZEN_PORTAL, person=ebox.number), ebox)
    message_id = asked(ebox)

    with nothing_stored():
        answer = citizen.reply(message_id)

    assert (answer.status_code, answer.json["code"]) == (409, "REPLY_NOT_AUTHORIZED")


def test_a_scope_to_publish_does_not_reply(a_sender, asked):
    somebody = a_sender(SENDER)

    answer = somebody.reply(asked(somebody.ebox))

    assert answer.status_code == 403
    assert CONSUMER in answer.json["requiredScopes"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"attachments": []}, "No main content"),
        ({"messageTypeId": "no-such-type"}, "Invalid message configuration"),
        ({"senderApplicationId": "no-such-application"}, "Invalid message configuration"),
        ({"messageTemplateId": "no-such-template"}, "Referenced resource"),
    ],
)
def test_a_reply_that_is_wrong_leaves_nothing(reader, asked, nothing_stored, changes, text):
    recipient = reader()
    message_id = asked(recipient.ebox)

    with nothing_stored():
        answer = recipient.reply(message_id, Document(), **changes)

    assert answer.status_code == 400
    assert text in answer.json["message"]
