"""Idempotency keys: what was published once is not published twice (contract 4.11, 6.23)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest

from tests.api.publication import MESSAGES, OWN, Document, Sender, as_part, at, body
from tests.factories import an_ebox

WRONG = {"senderApplicationId": "no-such-application"}


def keyed(key):
    return {"Idempotency-Key": key}


@pytest.mark.parametrize(
    "changes",
    [{}, {"subject": {"fr": "Autre chose"}}, {"messageTypeId": "tax-assessment"}],
)
def test_a_key_used_again_is_refused_naming_the_first_message(
    sender, reader, nothing_stored, changes
):
    recipient, key = reader(), keyed(f'"{uuid4()}"')
    first = sender.published(recipient.ebox, headers=key)

    with nothing_stored():
        answer = sender.publish(recipient.ebox, headers=key, **changes)

    assert answer.status_code == 409
    assert answer.json["type"] == f"{OWN}duplicatePublication"
    assert answer.json["code"] == "DUPLICATE_PUBLICATION"
    assert answer.json["messageId"] == first
    assert recipient.get(MESSAGES).json["totalItems"] == 1


def test_a_key_for_another_recipient_is_the_same_key(sender, reader):
    recipient, key = reader(), keyed('"a-key"')
    first = sender.published(an_ebox(), headers=key)

    answer = sender.publish(recipient.ebox, headers=key)

    assert (answer.status_code, answer.json["messageId"]) == (409, first)
    assert recipient.get(MESSAGES).json["totalItems"] == 0


def test_another_application_or_sender_has_keys_of_its_own(a_sender):
    one, other, key = a_sender(), a_sender(), keyed('"a-key"')
    one.published(an_ebox(), headers=key)

    assert one.publish(an_ebox(), headers=key, senderApplicationId="my-minfin").status_code == 201
    assert other.publish(an_ebox(), headers=key).status_code == 201


def test_a_key_with_and_without_quotes_is_one_key(sender):
    first = sender.published(an_ebox(), headers=keyed('"a-key"'))

    answer = sender.publish(an_ebox(), headers=keyed("a-key"))

    assert (answer.status_code, answer.json["messageId"]) == (409, first)


@pytest.mark.parametrize("refused", [WRONG, {"subject": {}}, {"attachments": []}])
def test_a_try_that_failed_may_be_repeated_with_its_key(sender, refused):
    key = keyed(f'"{uuid4()}"')

    assert sender.publish(an_ebox(), headers=key, **refused).status_code == 400
    assert sender.publish(an_ebox(), headers=key).status_code == 201


def test_without_a_key_nothing_is_compared(sender, reader):
    recipient = reader()

    ids = {sender.published(recipient.ebox) for _ in range(3)}

    assert len(ids) == 3
    assert recipient.get(MESSAGES).json["totalItems"] == 3


@pytest.mark.parametrize("key", ["", '""', "a b", '"open', '"é"', f'"{"x" * 256}"', "(a b)"])
def test_a_key_that_is_none_is_refused_before_anything_is_stored(sender, nothing_stored, key):
    with nothing_stored():
        answer = sender.publish(an_ebox(), headers=keyed(key))

    assert answer.status_code == 400
    assert answer.json["issues"][0]["name"] == "Idempotency-Key"


@pytest.mark.parametrize("tries", [2, 6])
@pytest.mark.parametrize("_", range(5))
def test_of_simultaneous_publications_with_one_key_one_is_filed_and_the_others_name_it(
    sender, publication, reader, stored, tries, _
):
    recipient, key, start = reader(), keyed(f'"{uuid4()}"'), Barrier(tries)
    _, uploads, keys = stored()

    def publish(_):
        own = at(sender, publication, Sender)
        start.wait()
        return own.publish(recipient.ebox, headers=key)

    with ThreadPoolExecutor(tries) as threads:
        answers = list(threads.map(publish, range(tries)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (tries - 1)
    assert len({answer.json["messageId"] for answer in answers}) == 1
    assert recipient.get(MESSAGES).json["totalItems"] == 1
    _, uploads_after, keys_after = stored()
    assert uploads_after == uploads
    assert len(keys_after - keys) == 1  # the loser's document is gone


def test_a_reply_has_a_key_too(sender, reader):
    recipient = reader()
    asked = sender.published(recipient.ebox, isReplyAuthorized=True)
    message = {"subject": {"nl": "Antwoord"}, "attachments": [Document().members]}
    content, path = body(as_part(message), Document()), f"{MESSAGES}/{asked}/replies"

    answers = [recipient.post(content, path, **keyed('"a-key"')) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json["messageId"] == answers[0].json["messageId"]
