"""The judge of every answer in this run catches what breaks the contract."""

import copy
import json
import re
from uuid import uuid4

import pytest
from flask import Flask, Response
from werkzeug.datastructures import Headers

from registry.api.state import get_state, set_state
from registry.domain.identifiers import EboxKind
from tests.conformance.validation import DOCUMENT, ContractClient, implemented, judge

MESSAGES = "/ebox/messages"
CONTENT = "/ebox/messages/3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10/attachments/1/content"
TRACE = "0c7a1f0e-6f0b-4c7f-9b51-5b7f3a2d9f10"


def an_answer(body=None, media_type="application/json", **headers):
    members = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = Headers({"BelGov-Trace-Id": TRACE, "Content-Type": media_type, **members})
    return sent, None if body is None else json.dumps(body).encode()


def a_page():
    media = DOCUMENT["paths"][MESSAGES]["get"]["responses"]["200"]["content"]["application/json"]
    return copy.deepcopy(media["examples"]["enterprise"]["value"])


def a_problem(code=400, **changes):
    """The problem that the document gives as an example of a status."""
    name = {400: "BadRequest", 401: "Unauthorized", 404: "NotFound"}[code]
    content = DOCUMENT["components"]["responses"][name]["content"]["application/problem+json"]
    named = content.get("examples", {"only": {"value": content.get("example")}})
    example = next(iter(named.values()))["value"]
    return {**example, "id": TRACE, "instance": f"urn:uuid:{TRACE}", **changes}


def changed(path, value):
    """A page of messages with one thing changed; a value of `...` takes it out."""
    page = a_page()
    *steps, last = path
    place = page
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return page


def test_every_test_client_of_the_run_is_a_judge(app):
    assert isinstance(app.test_client(), ContractClient)
    assert isinstance(Flask("another").test_client(), ContractClient)


def test_what_the_contract_promises_passes():
    judge("GET", MESSAGES, 200, *an_answer(a_page()))
    judge("GET", MESSAGES, 400, *an_answer(a_problem(), "application/problem+json"))


ITEM = ("items", 0)
WRONG = {
    "a required member is missing": changed((*ITEM, "isRead"), ...),
    "a required member deep inside is missing": changed((*ITEM, "sender", "eboxType"), ...),
    "a member has another type": changed((*ITEM, "isRead"), "false"),
    "a member is null": changed((*ITEM, "messageTemplateId"), None),
    "a member has another name": changed((*ITEM, "read"), True),
    "a member deep inside has another name": changed((*ITEM, "attachments", "items", 0, "x"), 1),
    "the envelope holds more": changed(("page",), 1),
    "the total is missing": changed(("totalItems",), ...),
    "an enumeration holds another value": changed((*ITEM, "recipient", "eboxType"), "company"),
    "a number breaks its pattern": changed((*ITEM, "sender", "enterpriseNumber"), "412398765"),
    "a date-time has no offset": changed((*ITEM, "receiptDate"), "2026-10-05T14:03:11"),
    "a UUID is in upper case": changed((*ITEM, "messageId"), str(uuid4()).upper()),
    "a text lacks a language": changed((*ITEM, "subject", "de"), ...),
    "an amount is a text": changed((*ITEM, "paymentData", "amount"), "12.50"),
    "the body is an array": [],
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_a_body_that_the_contract_does_not_promise_is_caught(body):
    with pytest.raises(AssertionError, match=r"^GET /ebox/messages → 200"):
        judge("GET", MESSAGES, 200, *an_answer(body))


@pytest.mark.parametrize(
    ("method", "path", "status", "answer"),
    [
        ("GET", MESSAGES, 201, an_answer(a_page())),
        ("GET", MESSAGES, 418, an_answer(a_problem(), "application/problem+json")),
        ("GET", "/health", 404, an_answer(a_problem(), "application/problem+json")),
        ("GET", MESSAGES, 200, an_answer(a_page(), "text/html")),
        ("GET", MESSAGES, 400, an_answer(a_problem())),
        ("GET", MESSAGES, 400, an_answer(a_problem(status=401), "application/problem+json")),
        ("GET", MESSAGES, 400, an_answer(a_problem(extra=1), "application/problem+json")),
        ("GET", MESSAGES, 400, an_answer(a_problem(id=str(uuid4())), "application/problem+json")),
        ("GET", MESSAGES, 401, an_answer(a_problem(401), "application/problem+json")),
        ("DELETE", MESSAGES, 405, an_answer(a_problem(404), "application/problem+json")),
        ("PATCH", MESSAGES, 200, an_answer({})),
        ("GET", "/nowhere", 200, an_answer({})),
        ("GET", "/nowhere", 404, an_answer(a_page())),
        ("GET", CONTENT, 200, an_answer(media_type="application/pdf")),
        ("GET", CONTENT, 304, an_answer({}, ETag='"1"', Cache_Control="no-store")),
        ("GET", "/refData/messageTypes", 200, an_answer({"items": [], "totalItems": 0})),
        ("HEAD", MESSAGES, 200, an_answer(a_page())),
        ("GET", MESSAGES, 200, an_answer(a_page(), BelGov_Trace_Id="")),
        ("GET", MESSAGES, 200, an_answer(a_page(), BelGov_Trace_Id="x" * 37)),
        ("GET", "/health", 503, an_answer({"status": "DOWN"}, "application/problem+json")),
    ],
    ids=[
        "another success",
        "a status that is not described",
        "a status that another operation has",
        "HTML",
        "a problem that calls itself JSON",
        "a problem with another status",
        "a problem that says too much",
        "a problem with two names",
        "a refusal without its challenge",
        "a wrong method without the right ones",
        "an operation that is not served yet",
        "a path that the contract does not have",
        "a missing path without a problem",
        "a document without its headers",
        "a body where there should be none",
        "reference data that cannot be cached",
        "a body after HEAD",
        "no trace id",
        "a trace id that is too long",
        "bad health as a problem",
    ],
)
def test_an_answer_that_the_contract_does_not_promise_is_caught(method, path, status, answer):
    with pytest.raises(AssertionError, match=re.escape(f"{method} {path} → {status}")):
        judge(method, path, status, *answer)


@pytest.fixture
def lying_app(app):
    """An application that calls itself a registry and answers as it likes."""
    lying = Flask("lying")
    set_state(lying, get_state(app))
    base = "/REST/ebox/enterprise/messageRegistry/v3"

    @lying.get(f"{base}/health")
    def check_health():
        headers = {"BelGov-Trace-Id": TRACE}
        return Response('{"status": "MAYBE"}', mimetype="application/json", headers=headers)

    return lying, f"{base}/health"


def test_a_test_that_gets_a_wrong_answer_fails_by_itself(lying_app):
    lying, path = lying_app

    with pytest.raises(AssertionError, match=r"^GET /health → 200"):
        lying.test_client().get(path)


def test_the_base_paths_are_those_of_the_settings(app):
    roots = get_state(app).registry.roots

    assert set(roots) == set(EboxKind)
    assert ("GET", MESSAGES) in implemented()


def test_a_document_that_is_not_read_is_not_fetched_by_the_judge(consumer, deliver, main_file):
    message = deliver(consumer.ebox, main_file)

    answer = consumer.get(f"/ebox/messages/{message}/attachments/1/content")

    assert not answer.is_sequence
    assert answer.data
