"""The tour, told to a registry that plays its part by heart, or forgets it."""

import json

import pytest
from rich.console import Console
from werkzeug.wrappers import Response

from registry.sandbox.demo.publication import publication_tour
from registry.sandbox.demo.tour import DemoFailed
from registry.sandbox.personas import BAKERY, SENDER
from tests.conformance.validation import validator

pytestmark = pytest.mark.process

MESSAGE, REPLY = "3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10", "5b8e7d21-0c4f-4a9e-a3d6-7f1e2d3c4b5a"


class Registry:
    """Keeps the one message and the one reply, as far as the tour looks at them."""

    def __init__(self):
        self.forms, self.files = [], {}
        self.answers = {}  # method and path → what is said instead

    def __call__(self, request):
        where = f"{request.method} {request.path.removeprefix('/v3/ebox/messages')}"
        if where in self.answers:
            return self.answers[where]
        if request.method == "POST":
            return self.take(request)
        if request.path.endswith("/content"):
            return Response(self.files["letter"])
        if request.path.endswith("/attachments"):
            return told(items=self.attachments())
        if request.path.endswith(MESSAGE):
            return told(isRead=True)
        is_routed = request.args.get("partition") == "partitionB"
        return told(items=[self.message() if is_routed else self.reply()])

    def take(self, request):
        self.forms.append(json.loads(request.form["messageToPublish"]))
        self.files |= {name: file.read() for name, file in request.files.items()}
        request.close()
        message = MESSAGE if request.files else REPLY
        return told(201, messageId=message, expirationDate="2027-01-01T00:00:00Z")

    def message(self):
        subject, papers = self.forms[0]["subject"], {"items": self.attachments()}
        recipient = {"partition": "partitionB"}
        return {"messageId": MESSAGE, "subject": subject, "recipient": recipient} | {
            "attachments": papers
        }

    def reply(self):
        return {
            "messageId": REPLY,
            "originalMessageId": MESSAGE,
            "subject": self.forms[1]["subject"],
            "sender": {"enterpriseNumber": BAKERY.digits},
        }

    def attachments(self):
        return [
            {
                "attachmentId": str(number),
                "fileName": f"{paper['httpPartName']}.pdf",
                "isMainContent": paper["isMainContent"],
                "digest": paper["digest"],
            }
            for number, paper in enumerate(self.forms[0]["attachments"], start=1)
        ]


def told(status=200, **members):
    return Response(json.dumps(members), status, content_type="application/json")


@pytest.fixture
def registry(scripted):
    registry = Registry()
    scripted.say = registry
    return registry


@pytest.fixture
def tour(layout, tmp_path):
    """Goes on the tour; gives what was narrated."""

    def go():
        with (tmp_path / "narration").open("w+") as file:
            publication_tour(layout, layout.read_document(), Console(file=file, width=120))
            file.seek(0)
            return file.read()

    return go


def test_three_documents_go_out_and_a_reply_comes_back(tour, registry, scripted, introspect):
    narration = tour()

    assert sorted(registry.files) == ["conditions", "letter", "plan"]
    assert all(content.startswith(b"%PDF-") for content in registry.files.values())
    posts = [request for request in scripted.heard if request.method == "POST"]
    assert [post.path for post in posts] == [
        "/v3/ebox/messages",
        f"/v3/ebox/messages/{MESSAGE}/replies",
    ]
    assert all(post.headers["Idempotency-Key"].startswith('"') for post in posts)
    assert introspect(posts[0].authorization.token).json()["scope"] == SENDER
    for told in (
        "registry publish --to http",
        "partitionB",
        "isRead is true now",
        "Re : le nouveau four, from 0999910048",
    ):
        assert told in narration


def test_what_is_sent_is_what_the_contract_asks_for(tour, registry):
    tour()

    for form, name in zip(registry.forms, ["MessageToPublish", "MessageToReply"], strict=True):
        schema = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        validator(json.dumps(schema)).validate(form)


@pytest.mark.parametrize(
    ("where", "answer", "reason"),
    [
        ("POST ", Response(status=405), "registry publish ended with 1: "),
        (
            "POST ",
            told(201, messageId=MESSAGE, expirationDate="", code="NO_DIGITAL_USER"),
            "opened",
        ),
        ("GET ", told(items=[]), "listed once"),
        (f"GET /{MESSAGE}/attachments", told(items=[]), "All documents"),
        (f"GET /{MESSAGE}/attachments/1/content", Response(b"%PDF-?"), "one that was sent"),
        (f"GET /{MESSAGE}", told(isRead=False), "is read now"),
        (f"POST /{MESSAGE}/replies", Response(status=404), "answered 404, not 201"),
    ],
)
def test_it_stops_where_the_registry_breaks_its_word(where, answer, reason, tour, registry):
    registry.answers[where] = answer

    with pytest.raises(DemoFailed, match=reason):
        tour()
