"""Publications of the shape that the public examples have, in both versions.

Their message is a part without Content-Type, files are `upfile1` to `upfile3`, and the path ends
with a slash in version 3. Numbers, types and applications are ours, as the examples say they must.
"""

import json

import pytest

from registry.domain.identifiers import EboxKind
from tests.api.publication import PART, Document, body, named, part
from tests.api.v2 import visiting
from tests.factories import an_ebox

TEXT = {"fr": "Un texte libre, qui se lit dans le détail du message."}
BODY = {"isBodyMainContent": False, "bodyContent": TEXT}
FACTS = [
    {"key": "BECBE", "values": [{"nl": "0123456789"}, {"nl": "0987654321"}]},
    {"key": "BCE IP", "values": [{"nl": "0123456789"}]},
]
# Kind of the recipient, number of files, and what the message says beside the usual.
EXAMPLES = {
    "1 file to an enterprise": (EboxKind.ENTERPRISE, 1, {}),
    "1 file and a body": (EboxKind.ENTERPRISE, 1, BODY),
    "1 file and business data": (EboxKind.ENTERPRISE, 1, {"businessDataList": FACTS}),
    "3 files": (EboxKind.ENTERPRISE, 3, {}),
    "to a citizen": (EboxKind.CITIZEN, 1, {}),
    "from another partition": (EboxKind.ENTERPRISE, 1, {"isReplyAuthorized": True}),
}


def a_form(message, files):
    """The form as the examples' tool writes it: no media type for the text."""
    documents = [Document(part=f"upfile{number + 1}") for number in range(files)]
    return body(part(PART, json.dumps(message).encode()), *documents)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_version_3_is_published(sender, reader, grant, example):
    kind, files, more = EXAMPLES[example]
    recipient = reader(an_ebox(kind))
    source = named(sender.ebox)
    if "partition" in example:
        grant(sender.ebox.number, ["GENERAL", "Another_partition"])
        source["partition"] = "Another_partition"
    message = {
        "sender": source,
        "recipient": named(recipient.ebox),
        "subject": {"fr": "test publication"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "attachments": [
            {
                "httpPartName": f"upfile{number + 1}",
                "isMainContent": number == 0,
                "isAttachmentSigned": False,
            }
            for number in range(files)
        ],
        **more,
    }

    answer = sender.post(a_form(message, files), "/ebox/messages/")

    assert answer.status_code == 201, answer.text
    shown = recipient.get(f"/ebox/messages/{answer.json['messageId']}")
    assert shown.json["attachments"]["totalItems"] == files
    content = recipient.get(f"/ebox/messages/{answer.json['messageId']}/attachments/1/content")
    assert content.data == Document().content


@pytest.mark.parametrize("example", [name for name in EXAMPLES if "partition" not in name])
def test_its_twin_of_version_2_is_published(sender, reader, example):
    kind, files, more = EXAMPLES[example]
    recipient = visiting.in_version_2(reader(an_ebox(kind)))
    message = {
        "recipient": visiting.named(recipient.ebox),
        "subject": {"fr": "test publication"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "bodyMainContent": False,
        "replyAuthorized": False,
        "attachments": [
            {
                "httpPartName": f"upfile{number + 1}",
                "mainContent": number == 0,
                "attachmentSigned": False,
            }
            for number in range(files)
        ],
        **{name: value for name, value in more.items() if not name.startswith("is")},
    }

    answer = visiting.in_version_2(sender).post(a_form(message, files), visiting.PUBLISH)

    assert answer.status_code == 201, answer.text
    shown = recipient.get(f"/ebox/messages/{answer.json['messageId']}")
    assert shown.json["attachments"]["totalItems"] == files
