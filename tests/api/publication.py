"""Bodies of publications, in any order, and what is to be found in them afterwards."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from registry.domain.identifiers import Ebox, EboxKind
from tests.conftest import Visitor
from tests.factories import PDF

PART = "messageToPublish"
BOUNDARY = "a-boundary-of-ours"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
MESSAGES = "/ebox/messages"
BELGIF = "urn:problem-type:belgif:"
OWN = "urn:problem-type:ebox:messageRegistry:"


@dataclass(frozen=True)
class Document:
    """A file, how its part is called, and what the message says of it."""

    part: str = "file-1"
    content: bytes = PDF
    file_name: str | None = "brief.pdf"
    media_type: str | None = "application/pdf"
    is_main: bool = True
    announced: dict[str, Any] = field(default_factory=dict)

    @property
    def members(self):
        """The attachment as the message announces it."""
        return {"httpPartName": self.part, "isMainContent": self.is_main, **self.announced}

    def __bytes__(self):
        return part(self.part, self.content, self.file_name, self.media_type)


def part(name, content, file_name=None, media_type=None, headers=()):
    """One part with its delimiter."""
    disposition = f'Content-Disposition: form-data; name="{name}"'
    disposition += f'; filename="{file_name}"' if file_name else ""
    lines = [f"--{BOUNDARY}", disposition, *headers]
    lines += [f"Content-Type: {media_type}"] if media_type else []
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n"


def body(*parts):
    """The parts one after the other, ended."""
    return b"".join(map(bytes, parts)) + f"--{BOUNDARY}--\r\n".encode()


def named(ebox: Ebox):
    """An e-Box as bodies name it."""
    number = "enterpriseNumber" if ebox.kind is EboxKind.ENTERPRISE else "ssin"
    return {"eboxType": ebox.kind.value, number: ebox.number}


def a_publication(by, to, /, *documents, **changes):
    """Members of a message to publish; a change to None leaves the member out."""
    members = {
        "sender": named(by),
        "recipient": named(to),
        "subject": {"nl": "Aanslagbiljet"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "attachments": [document.members for document in documents],
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


class Sender(Visitor):
    """Somebody who publishes."""

    def post(self, content, path=MESSAGES, content_type=FORM, **headers):
        """Post a body as it is."""
        headers = {"Content-Type": content_type, **headers}
        return self.ask("POST", path, data=content, headers=headers)

    def publish(self, to, /, *documents, headers=None, path=MESSAGES, **changes):
        """Publish documents to an e-Box, one PDF if none is named."""
        documents = documents or (Document(),)
        message = a_publication(self.ebox, to, *documents, **changes)
        content = body(as_part(message), *documents)
        return self.post(content, path, **(headers or {}))

    def published(self, to, /, *documents, **changes):
        """Publish, and give the id."""
        answer = self.publish(to, *documents, **changes)
        assert answer.status_code == 201, answer.text
        return answer.json["messageId"]

    def reply(self, message_id, *documents, **changes):
        """Reply to a message, with one PDF if none is named."""
        documents = documents or (Document(),)
        announced = [document.members for document in documents]
        message = {"subject": {"nl": "Antwoord"}, "attachments": announced, **changes}
        return self.post(body(as_part(message), *documents), f"{MESSAGES}/{message_id}/replies")


def as_part(message, name=PART):
    """The part that describes the message; JSON as it is, or members."""
    content = message if isinstance(message, bytes) else json.dumps(message).encode()
    return part(name, content, media_type="application/json")


def at(visitor, app, kind=Visitor):
    """The same visitor, at another application or able to do more."""
    return kind(app.test_client(), visitor.token, visitor.ebox)


def an_event(ebox, data=None, **changes):
    """A CloudEvent in structured mode, of new rules if nothing else is said; None leaves out."""
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "urn:federation",
        "type": "be.eboxenterprise.v1.routingRule.modified",
        "data": {"enterpriseNumber": ebox.number, **(data or {})},
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}
