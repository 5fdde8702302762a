"""Every operation of every version: how it succeeds, and what the audit trail keeps of it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

from registry.domain.identifiers import Ebox
from registry.sandbox.seeds.reference import FINANCE
from tests.api.publication import FORM, Document, a_publication, an_event, as_part, body, named
from tests.api.v2 import visiting
from tests.conformance.bases import V2
from tests.conftest import V3, Visitor
from tests.factories import PAYMENT, a_file, an_ebox

BASES = {"v3": V3, "v2": V2}
SECRET = "needle"  # in all that a person wrote
EVERYTHING = {
    "body": {"nl": f"{SECRET} body"},
    "is_body_main": False,
    "payment_data": {**PAYMENT, "payment_data_id": "P-7"},
    "structured_data": {SECRET: SECRET},
    "action_id": "confirm-1",
    "action_label": {"nl": f"{SECRET} action"},
    "subject": {"nl": f"{SECRET} subject"},
    "is_reply_authorized": True,
    "message_type_id": "information-letter",
    "sender_application_id": "sandbox-sender",
}
IN_PATHS = {
    "attachment_id": "1",
    "message_type_id": "tax-assessment",
    "application_id": "my-minfin",
    "organization_id": FINANCE,
    "message_template_id": "tax-reminder",
    "image_id": "logo",
}


@dataclass
class Scene:
    """Those who call, and a message that every operation can show something of."""

    version: str
    reader: Visitor
    sender: Visitor
    webhook: Visitor
    message: str
    sent: str  # what the sender sent to somebody else
    received: str  # what somebody else sent to the sender, who may answer it
    files: list[dict[str, Any]]
    event: dict[str, Any] = field(init=False)

    def __post_init__(self):
        base = BASES[self.version][self.reader.ebox.kind]
        for visitor in (self.reader, self.sender, self.webhook):
            visitor.base = base
        self.event = an_event(self.webhook.ebox, {"orderedRoutingRules": []})

    def path(self, template):
        """A path of the table with something that is there."""
        message = self.sent if template.endswith("/recipients") else self.message
        known = {"message_id": message, **IN_PATHS}
        return re.sub(r"<(\w+)>", lambda name: known[name[1]], template)


def documents():
    """Two, as somebody has them in his e-Box."""
    name = f"{SECRET}.pdf"
    second = {"attachment_id": "2", "is_main": False, "media_type": "text/plain"}
    return [a_file(file_name=name), a_file(file_name=name, **second)]


def _digest(value):
    return {"digestValue": value, "digestMethod": "sha_256"}


def _described(file):
    return {
        "attachmentId": file["attachment_id"],
        "mediaType": file["media_type"],
        "size": file["size"],
        "digest": _digest(file["digest"]),
    }


def _content(s):
    key = s.files[0]["blob_key"]
    return {"messageId": s.message, "attachmentId": "1", "contentId": key}


def _nothing(*_):
    return {}


_MESSAGE = "/ebox/messages/<message_id>"
_READ_BY_BOTH = {
    "/ebox/messages": lambda s: {"messageIds": [s.message]},
    _MESSAGE: lambda s: {"messageId": s.message, "paymentData": {"paymentDataId": "P-7"}},
    f"{_MESSAGE}/attachments": lambda s: {
        "messageId": s.message,
        "attachments": [_described(file) for file in s.files],
    },
    f"{_MESSAGE}/attachments/<attachment_id>": lambda s: {
        "messageId": s.message,
        "attachments": [_described(s.files[0])],
    },
    f"{_MESSAGE}/attachments/<attachment_id>/content": _content,
    f"{_MESSAGE}/body": lambda s: {"messageId": s.message},
    f"{_MESSAGE}/paymentData": lambda s: {"messageId": s.message, "paymentDataId": "P-7"},
}
_CATALOGUES = {
    "messageTypes": "message_type_id",
    "senderApplications": "application_id",
    "senderOrganizations": "organization_id",
}
REFERENCE = [
    *(path for name, id_ in _CATALOGUES.items() for path in (f"/{name}", f"/{name}/<{id_}>")),
    "/senderApplications/<application_id>/images/<image_id>/content",
    "/senderOrganizations/<organization_id>/images/<image_id>/content",
]
TEMPLATES = ["/messageTemplates", "/messageTemplates/<message_template_id>"]
_READ = {
    "v3": {
        **_READ_BY_BOTH,
        f"{_MESSAGE}/structuredData": lambda s: {"messageId": s.message},
        "/ebox/statistics": _nothing,
        **{f"/refData{path}": _nothing for path in (*REFERENCE, *TEMPLATES)},
    },
    "v2": {
        **_READ_BY_BOTH,
        "/ebox": _nothing,
        **{f"/referenceData{path}": _nothing for path in REFERENCE},
    },
}


@dataclass(frozen=True)
class Case:
    """How an operation is called so that it succeeds, and what is then recorded of it.

    `whose` is the visitor who calls; `about` the e-Box that the entry is found by, None for none.
    """

    whose: str
    status: int
    ask: Callable[[Visitor, Scene, str], Any]
    details: Callable[[Scene, Any], dict[str, Any]]
    about: Callable[[Scene], Ebox | None]


def _reading(method, path, details):
    is_reference = path.startswith("/ref")
    return Case(
        whose="reader",
        status=200,
        ask=lambda visitor, s, p: visitor.ask(method, p),
        details=lambda s, answer: details(s),
        about=lambda s: None if is_reference else s.reader.ebox,
    )


def _form(visitor, path, members, *documents):
    content = body(as_part(members), *documents)
    return visitor.ask("POST", path, data=content, headers={"Content-Type": FORM})


def _published(s, answer, **more):
    sizes = [(len(bytes(one.content)), one) for one in DOCUMENTS]
    return {
        "messageId": answer.json["messageId"],
        "attachments": [
            {"size": size, "digest": _digest(a_file(one.content)["digest"])} for size, one in sizes
        ],
        **more,
    }


DOCUMENTS = (
    Document(part="upfile1", file_name=f"{SECRET}.pdf"),
    Document("upfile2", b"a;b\r\n", f"{SECRET}.csv", "text/csv", is_main=False),
)


def _publish_3(visitor, s, path):
    members = a_publication(visitor.ebox, an_ebox(), *DOCUMENTS, subject={"nl": SECRET})
    return _form(visitor, path, members, *DOCUMENTS)


def _publish_2(visitor, s, path):
    texts = {"subject": {"nl": SECRET}, "originalMessageId": s.received}
    members = visiting.a_publication(an_ebox(), *DOCUMENTS, **texts)
    return _form(visitor, path, members, *DOCUMENTS)


def _reply(visitor, s, path):
    announced = [document.members for document in DOCUMENTS]
    members = {"subject": {"nl": SECRET}, "attachments": announced}
    return _form(visitor, path, members, *DOCUMENTS)


def _link_3(visitor, s, path):
    members = {"recipients": [named(an_ebox()), named(an_ebox())]}
    return visitor.ask("POST", path, json=members)


def _link_2(visitor, s, path):
    eboxes = [visiting.named(an_ebox()), visiting.named(Ebox(an_ebox().kind, "12"))]
    return visitor.ask("POST", path, json={"messageId": s.sent, "recipients": eboxes})


def _status_3(visitor, s, path):
    asked = [(s.sent, RECIPIENT), (str(uuid4()), an_ebox())]
    items = [{"messageId": one, "recipient": named(ebox)} for one, ebox in asked]
    return visitor.ask("POST", path, json={"items": items})


def _status_2(visitor, s, path):
    asked = [(s.sent, RECIPIENT), (str(uuid4()), an_ebox())]
    items = [{"messageId": one, "eboxId": visiting.named(ebox)} for one, ebox in asked]
    return visitor.ask("POST", path, json=items)


def _patched(members):
    def ask(visitor, s, path):
        headers = {"Content-Type": "application/merge-patch+json"}
        return visitor.ask("PATCH", path, data=json.dumps(members(s)), headers=headers)

    return ask


RECIPIENT = an_ebox()  # of what the sender sent


def _of_reader(s):
    return s.reader.ebox


def _of_sender(s):
    return s.sender.ebox


def _of_webhook(s):
    return s.webhook.ebox


def _linked(links, refused):
    told = {"nbSuccessLinks": links, "nbErrorCases": refused}
    return lambda s, _: {"messageId": s.sent, **told}


_PUBLISH_3 = Case("sender", 201, _publish_3, _published, _of_sender)
_LINK_2 = Case("sender", 201, _link_2, _linked(1, 1), _of_sender)
_STATUS_2 = Case("sender", 201, _status_2, lambda s, _: {"messageIds": [s.sent]}, _of_sender)
_CHANGED = {
    ("v3", "POST", "/ebox/messages"): _PUBLISH_3,
    ("v3", "POST", "/linkEboxMessage"): _LINK_2,
    ("v3", "POST", "/searchMessageStatus"): _STATUS_2,
    ("v3", "POST", "/certification/resetDataSet"): Case(
        "reader",
        204,
        lambda visitor, s, path: visitor.ask("POST", path),
        lambda s, _: {"reset": ANY},
        _of_reader,
    ),
    ("v3", "POST", f"{_MESSAGE}/replies"): Case(
        "reader",
        201,
        _reply,
        lambda s, answer: _published(s, answer, originalMessageId=s.message),
        _of_reader,
    ),
    ("v3", "POST", f"{_MESSAGE}/recipients"): Case(
        "sender", 201, _link_3, _linked(2, 0), _of_sender
    ),
    ("v3", "POST", "/ebox/messageStatus/search"): Case(
        "sender", 200, _status_3, lambda s, _: {"messageIds": [s.sent]}, _of_sender
    ),
    ("v3", "PATCH", "/ebox/messages"): Case(
        "reader",
        200,
        _patched(lambda s: {"items": [{"messageId": s.message, "isVisible": False}]}),
        lambda s, _: {"messageIds": [s.message], "changes": ANY},
        _of_reader,
    ),
    ("v3", "PATCH", f"{_MESSAGE}/messageAction"): Case(
        "reader",
        200,
        _patched(lambda s: {"isExecuted": True}),
        lambda s, _: {"messageId": s.message, "changes": ANY},
        _of_reader,
    ),
    ("v3", "POST", "/eventNotifications"): Case(
        "webhook",
        204,
        lambda visitor, s, path: visitor.ask("POST", path, json=s.event),
        lambda s, _: {
            "eventSource": s.event["source"],
            "eventId": s.event["id"],
            "eventType": s.event["type"],
        },
        _of_webhook,
    ),
    ("v2", "POST", "/publishMessage"): Case(
        "sender",
        201,
        _publish_2,
        lambda s, answer: _published(s, answer, originalMessageId=s.received),
        _of_sender,
    ),
    ("v2", "POST", "/linkEboxMessage"): _LINK_2,
    ("v2", "POST", "/searchMessageStatus"): _STATUS_2,
    ("v2", "PATCH", "/ebox/messages"): Case(
        "reader",
        200,
        _patched(
            lambda s: {"items": [{"messageId": s.message, "visible": False}], "totalItems": 1}
        ),
        lambda s, _: {"messageIds": [s.message], "changes": ANY},
        _of_reader,
    ),
}
TABLE = {
    **{
        (version, method, path): _reading(method, path, details)
        for version, paths in _READ.items()
        for path, details in paths.items()
        for method in ("GET", "HEAD")
    },
    **_CHANGED,
}
