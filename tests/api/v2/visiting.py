"""The same people at version 2.1, and what they send there."""

from copy import copy

from registry.domain.identifiers import Ebox
from tests.api.publication import Document, as_part, body
from tests.conformance.bases import V2

PUBLISH, LINK, STATUS = "/publishMessage", "/linkEboxMessage", "/searchMessageStatus"
MESSAGES = "/ebox/messages"
CONSULT = "scope:document:management:consult:ws-eboxrestentreprise"
SUMMARY, SUMMARY_ALL = f"{CONSULT}:summaryownebox", f"{CONSULT}:summaryallebox"
PAYMENT = {
    "paymentDataId": "1",
    "amount": 1250.0,
    "vatAmount": 262.5,
    "currency": "EUR",
    "dueDate": "2026-11-30T23:59:59+01:00",
    "iban": "BE68539007547034",
}


def in_version_2(visitor):
    """The same visitor, asking below the base path of version 2.1."""
    twin = copy(visitor)
    twin.base = V2[visitor.ebox.kind]
    return twin


def named(ebox: Ebox):
    """An e-Box as bodies of version 2.1 name it."""
    return {"eboxType": ebox.kind.value, "eboxIdValue": ebox.number}


def announced(document: Document):
    """A document as a message of version 2.1 announces it."""
    said = {"httpPartName": document.part, "mainContent": document.is_main}
    return {**said, **document.announced}


def a_publication(to: Ebox, /, *documents: Document, **changes):
    """Members of a message to publish; a change to None leaves the member out."""
    members = {
        "recipient": named(to),
        "subject": {"nl": "Aanslagbiljet"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "attachments": [announced(document) for document in documents],
        "bodyMainContent": False,
        "replyAuthorized": False,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def publish(sender, to: Ebox, /, *documents: Document, headers=None, **changes):
    """Publish in version 2.1, one PDF if nothing else is named."""
    documents = documents or (Document(part="upfile1"),)
    message = a_publication(to, *documents, **changes)
    content = body(as_part(message), *documents)
    return in_version_2(sender).post(content, PUBLISH, **(headers or {}))


def published(sender, to: Ebox, /, *documents: Document, **changes):
    """Publish in version 2.1, and give the id."""
    answer = publish(sender, to, *documents, **changes)
    assert answer.status_code == 201, answer.text
    return answer.json["messageId"]


def told(answer, status: int):
    """Code and text of a StatusMessage."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json["code"], answer.json["message"]
