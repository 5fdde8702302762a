"""How the sender's own messages fare (contract 6.34)."""

from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from tests.api.publication import MESSAGES, named
from tests.factories import an_ebox

SEARCH = "/ebox/messageStatus/search"


def ask(sender, *pairs):
    items = [{"messageId": str(message), "recipient": named(ebox)} for message, ebox in pairs]
    return sender.ask("POST", SEARCH, json={"items": items})


def test_a_message_is_unread_until_it_is_read(sender, reader):
    recipient = reader()
    message_id = sender.published(recipient.ebox)

    before = ask(sender, (message_id, recipient.ebox))
    recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content")
    after = ask(sender, (message_id, recipient.ebox))

    assert (before.status_code, before.json["totalItems"]) == (200, 1)
    status = before.json["items"][0]
    assert (status["messageId"], status["isRead"]) == (message_id, False)
    assert status["recipient"]["enterpriseNumber"] == recipient.ebox.number
    assert status["expirationDate"].startswith("20")
    assert after.json["items"][0]["isRead"] is True


def test_each_recipient_of_a_broadcast_has_a_status_of_his_own(sender, reader):
    first, second = reader(), an_ebox(EboxKind.CITIZEN)
    message_id = sender.published(first.ebox)
    path = f"{MESSAGES}/{message_id}/recipients"
    sender.ask("POST", path, json={"recipients": [named(second)]})
    first.get(f"{MESSAGES}/{message_id}/attachments/1/content")

    answer = ask(sender, (message_id, first.ebox), (message_id, second), (message_id, an_ebox()))

    read = {
        item["recipient"].get("ssin") or item["recipient"]["enterpriseNumber"]: item["isRead"]
        for item in answer.json["items"]
    }
    assert read == {first.ebox.number: True, second.number: False}
    assert answer.json["totalItems"] == 2


def test_others_messages_look_like_what_never_was(sender, a_sender):
    other, recipient = a_sender(), an_ebox()
    theirs = other.published(recipient)
    received = other.published(sender.ebox)

    answer = ask(sender, (theirs, recipient), (received, sender.ebox), (uuid4(), recipient))

    assert answer.json == {"items": [], "totalItems": 0}


def test_five_hundred_are_answered_at_once(sender, reader):
    recipient = reader()
    message_id = sender.published(recipient.ebox)
    pairs = [(message_id, recipient.ebox), *((uuid4(), recipient.ebox) for _ in range(499))]

    assert ask(sender, *pairs).json["totalItems"] == 1


@pytest.mark.parametrize("number", [0, 501])
def test_none_or_too_many_are_refused(sender, number):
    assert ask(sender, *((uuid4(), an_ebox()) for _ in range(number))).status_code == 400


def test_a_scope_to_read_does_not_tell(sender, reader):
    recipient = an_ebox()
    message_id = sender.published(recipient)

    assert ask(reader(sender.ebox), (message_id, recipient)).status_code == 403
