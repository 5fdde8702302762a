"""POST …/v2/publishMessage: what becomes of members that version 3 has otherwise, or not at all."""

import pytest

from tests.api.publication import Document
from tests.api.v2.visiting import MESSAGES, PAYMENT, in_version_2, named, published

WORDS = {"nl": "Dag", "en": "Day"}


def test_what_it_does_not_know_is_ignored_wherever_it_stands(sender, reader):
    recipient = in_version_2(reader())
    file = Document(part="upfile1", announced={"isMainContent": False, "x": 1})

    message = published(
        sender,
        recipient.ebox,
        file,
        recipient={**named(recipient.ebox), "partition": "secret"},
        subject=WORDS,
        expirationDate="2000-01-01T00:00:00Z",
        forTheAttentionOf={"name": "An", "type": "SSIN", "x": []},
        businessDataList=[{"key": "k", "values": [WORDS], "x": {}}],
        paymentData={**PAYMENT, "x": "y"},
        structuredData={"any": "thing"},
        sender={"eboxType": "enterprise"},
    )

    shown = recipient.get(f"{MESSAGES}/{message}").json
    assert shown["subject"] == {"nl": "Dag", "fr": "Dag", "de": "Dag"}
    assert shown["forTheAttentionOf"] == {"name": "An", "type": "SSIN"}
    assert shown["attachments"]["items"][0]["mainContent"] is True
    assert not shown["expirationDate"].startswith("2000")


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        (
            {"id": "85031212362", "name": "An", "type": "SSIN"},
            {"id": "85031212362", "name": "An", "type": "SSIN"},
            {"ssin": "85031212362", "label": "An"},
        ),
        ({"id": "HR-12", "name": "An"}, {"id": "HR-12", "name": "An"}, {"label": "An"}),
        ({"id": "HR-12"}, {"id": "HR-12", "name": "HR-12"}, {"label": "HR-12"}),
        ({"name": "An"}, {"name": "An"}, {"label": "An"}),
        ({"type": "SSIN"}, None, None),
        ({}, None, None),
    ],
)
def test_whoever_is_meant_is_shown_in_both_versions(sender, reader, given, old, new):
    recipient = reader()

    path = f"{MESSAGES}/{published(sender, recipient.ebox, forTheAttentionOf=given)}"

    assert in_version_2(recipient).get(path).json.get("forTheAttentionOf") == old
    assert recipient.get(path).json.get("forTheAttentionOf") == new


def test_a_message_is_found_by_a_number_that_is_no_ssin(sender, reader):
    recipient = in_version_2(reader())
    message = published(sender, recipient.ebox, forTheAttentionOf={"id": "HR-12", "name": "An"})

    found = recipient.get(f"{MESSAGES}?q=hr-12&qlang=fr").json

    assert [item["messageId"] for item in found["items"]] == [message]


@pytest.mark.parametrize(
    "amount", [0, 12.5, 0.1, -3, 1e-7, 1e21, 123456789012345678, "1250.00", "-.5"]
)
def test_an_amount_is_one_number_in_both_versions(sender, reader, amount):
    recipient = reader()

    message = published(sender, recipient.ebox, paymentData={**PAYMENT, "amount": amount})

    path = f"{MESSAGES}/{message}/paymentData"
    assert in_version_2(recipient).get(path).json["amount"] == float(amount)
    assert recipient.get(path).json["amount"] == float(amount)
