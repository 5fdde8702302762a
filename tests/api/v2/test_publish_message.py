"""POST …/v2/publishMessage: the same publication, in the words of version 2.1."""

from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, SENDER
from tests.api.publication import Document, as_part, at, body
from tests.api.v2.visiting import (
    MESSAGES,
    PAYMENT,
    PUBLISH,
    a_publication,
    announced,
    in_version_2,
    publish,
    published,
    told,
)
from tests.conformance.bases import V2
from tests.factories import PDF, an_ebox

FILE = Document(part="upfile1")
WRONG = {
    "no main content": ({"attachments": []}, "No main content attachment. Exactly one is expected"),
    "two main contents": (
        {"bodyContent": {"nl": "x"}, "bodyMainContent": True},
        "Too many main content. Exactly one is expected",
    ),
    "a body that is not there": (
        {"bodyMainContent": True},
        "bodyContent is required when bodyMainContent is true",
    ),
    "no word on the body": (
        {"bodyMainContent": None},
        "Invalid Schema: required keys not found: bodyMainContent",
    ),
    "no word on replies": (
        {"replyAuthorized": None},
        "Invalid Schema: required keys not found: replyAuthorized",
    ),
    "no type": (
        {"messageTypeId": None},
        "Invalid Schema: required keys not found: messageTypeId",
    ),
    "an unknown type": (
        {"messageTypeId": "no-such"},
        "Invalid message configuration",
    ),
    "no recipient": (
        {"recipient": None},
        "Invalid Schema: required keys not found: recipient",
    ),
    "a recipient without number": (
        {"recipient": {"eboxType": "citizen"}},
        "Invalid Schema: required keys not found: recipient.eboxIdValue",
    ),
    "no such enterprise": (
        {"recipient": {"eboxType": "enterprise", "eboxIdValue": "412398765"}},
        "412398765 is not a valid company",
    ),
    "no such person": (
        {"recipient": {"eboxType": "citizen", "eboxIdValue": "0412398765"}},
        "recipient.eboxIdValue is not eleven digits",
    ),
    "no language that we have": (
        {"subject": {"en": "Day"}},
        "subject has no text in nl, fr, de",
    ),
    "a subject that is too long": (
        {"subject": {"nl": "x" * 401}},
        "subject.nl is longer than 400 characters",
    ),
    "too many facts": (
        {"businessDataList": [{"key": "k", "values": []}] * 101},
        "businessDataList has more than 100 items",
    ),
    "facts that are too large": (
        {"businessDataList": [{"key": "k", "values": [{"nl": "x" * 250}] * 256}]},
        "businessDataList takes more than 65536 bytes of JSON",
    ),
    "a title that is too long": (
        {"attachments": [{**announced(FILE), "attachmentTitle": {"nl": "x" * 1001}}]},
        "attachments[0].attachmentTitle.nl is longer than 1000 characters",
    ),
    "a reference that is too large": (
        {"paymentData": {**PAYMENT, "reference": {"a": "x" * 4090}}},
        "paymentData.reference takes more than 4096 bytes of JSON",
    ),
    "an amount in words": (
        {"paymentData": {**PAYMENT, "amount": "12,50"}},
        "paymentData.amount is not a decimal number",
    ),
    "an amount that is true": (
        {"paymentData": {**PAYMENT, "vatAmount": True}},
        "paymentData.vatAmount is not a decimal number",
    ),
    "an original that is no message": (
        {"originalMessageId": "message-1"},
        "originalMessageId is not a UUID in lower case",
    ),
    "a name for people that is too long": (
        {"forTheAttentionOf": {"name": "x" * 101}},
        "forTheAttentionOf.name is longer than 100 characters",
    ),
}


def test_a_message_lands_in_the_recipients_ebox(sender, reader):
    recipient = reader()

    answer = publish(sender, recipient.ebox)

    message = answer.json["messageId"]
    assert answer.status_code == 201
    base = f"http://localhost{V2[sender.ebox.kind]}"
    assert answer.headers["Location"] == f"{base}{MESSAGES}/{message}"
    assert set(answer.json) == {"messageId", "expirationDate", "code", "message"}
    shown = in_version_2(recipient).get(f"{MESSAGES}/{message}").json
    assert shown["senderOrganizationId"] == sender.ebox.number
    assert shown["expirationDate"] == answer.json["expirationDate"]
    content = in_version_2(recipient).get(f"{MESSAGES}/{message}/attachments/1/content")
    assert content.data == PDF


def test_a_citizen_is_a_recipient_too(sender, reader):
    citizen = in_version_2(reader(an_ebox(EboxKind.CITIZEN)))

    message = published(sender, citizen.ebox)

    assert citizen.get(f"{MESSAGES}/{message}").status_code == 200


@pytest.mark.parametrize("named_by", [True, False])
def test_the_sender_is_whoever_has_the_token_named_or_not(sender, reader, named_by):
    recipient = in_version_2(reader())
    number = sender.ebox.number if named_by else None

    message = published(sender, recipient.ebox, senderOrganizationId=number)

    shown = recipient.get(f"{MESSAGES}/{message}").json
    assert shown["senderOrganizationId"] == sender.ebox.number


def test_another_sender_is_refused(sender, nothing_stored):
    with nothing_stored():
        answer = publish(sender, an_ebox(), senderOrganizationId=an_ebox().number)

    assert told(answer, 400) == (
        "INVALID_SENDER",
        "Invalid sender: user credentials does not match payload",
    )


@pytest.mark.parametrize(("changes", "text"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_in_the_words_of_version_2(sender, nothing_stored, changes, text):
    with nothing_stored():
        answer = publish(sender, an_ebox(), **changes)

    code = "INVALID_SENDER" if text == "Invalid message configuration" else "INVALID_INPUT"
    assert told(answer, 400) == (code, text)


def test_all_that_is_missing_is_named_at_once(sender):
    answer = publish(sender, an_ebox(), subject=None, replyAuthorized=None, recipient=None)

    code, text = told(answer, 400)
    words, _, names = text.rpartition(": ")
    assert (code, words) == ("INVALID_INPUT", "Invalid Schema: required keys not found")
    assert set(names.split(", ")) == {"recipient", "subject", "replyAuthorized"}


@pytest.mark.parametrize("has_original", [False, True])
def test_what_is_not_configured_is_refused_also_when_it_names_an_original(
    sender, deliver, nothing_stored, has_original
):
    original = str(deliver(sender.ebox, is_reply_authorized=True))
    changes = {"originalMessageId": original} if has_original else {}

    with nothing_stored():
        answer = publish(sender, an_ebox(), senderApplicationId="dmfa", **changes)

    assert told(answer, 400) == ("INVALID_SENDER", "Invalid message configuration")


def test_a_wrong_digest_is_told_by_its_code(sender, nothing_stored):
    digest = {"digest": {"digestValue": "A" * 43, "digestMethod": "sha_256"}}
    file = Document(part="upfile1", announced=digest)

    with nothing_stored():
        answer = publish(sender, an_ebox(), file)

    assert told(answer, 400) == ("DIGEST_DO_NOT_MATCH", "Issue with Digest")


@pytest.mark.parametrize(("number", "status"), [(6, 201), (7, 400)])
def test_six_files_at_most_are_taken(sender, nothing_stored, number, status):
    files = [Document(part=f"upfile{n}", is_main=n == 1) for n in range(1, number + 1)]

    answer = publish(sender, an_ebox(), *files)

    assert answer.status_code == status, answer.text


def test_a_file_too_many_is_not_even_read(sender, nothing_stored):
    files = [Document(part=f"upfile{n}") for n in range(1, 8)]
    message = a_publication(an_ebox(), files[0])

    with nothing_stored():
        answer = in_version_2(sender).post(body(*files, as_part(message)), PUBLISH)

    assert told(answer, 400) == (
        "INVALID_INPUT",
        "upfile7 is one file too many: at most 6 are read",
    )


def test_how_many_files_are_taken_is_a_setting_of_its_own(publishing_with, sender):
    there = at(sender, publishing_with(publication_files_v2=1), type(sender))
    files = [Document(part=f"upfile{n}", is_main=n == 1) for n in (1, 2)]

    assert publish(there, an_ebox(), *files).status_code == 400
    assert there.publish(an_ebox(), *files).status_code == 201


def test_a_key_publishes_once_and_tells_what_it_published(sender, nothing_stored):
    key = {"Idempotency-Key": f'"{uuid4()}"'}
    first = publish(sender, an_ebox(), headers=key).json["messageId"]

    with nothing_stored():
        again = publish(sender, an_ebox(), headers=key)

    code, text = told(again, 409)
    assert code == "DUPLICATE_PUBLICATION"
    assert text.endswith(f"for message {first}")


def test_parts_come_in_any_order(sender):
    message = a_publication(an_ebox(), FILE)

    answer = in_version_2(sender).post(body(FILE, as_part(message)), PUBLISH)

    assert answer.status_code == 201


def test_what_is_not_multipart_is_415(sender):
    answer = in_version_2(sender).post(b"{}", PUBLISH, "application/json")

    assert told(answer, 415)[0] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("header", ["", "x", "0412398765, 0412398765"])
def test_an_enterprise_that_is_none_is_refused_before_the_body(sender, header):
    headers = {"On-Behalf-Of-Enterprise-Number": header}

    assert told(publish(sender, an_ebox(), headers=headers), 400)[0] == "INVALID_INPUT"


def test_a_scope_to_publish_is_needed(a_sender):
    answer = publish(a_sender(CONSUMER), an_ebox())

    assert told(answer, 403)[0] == "MISSING_SCOPE"
    assert SENDER in answer.headers["WWW-Authenticate"]
