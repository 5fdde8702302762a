"""Errors of version 2.1: a StatusMessage in application/json, whatever went wrong and where."""

import json
from uuid import uuid4

import pytest
from pydantic import SecretStr

from registry.sandbox.personas import CONSUMER
from tests.api.v2.visiting import MESSAGES, in_version_2, told
from tests.conformance.bases import V2
from tests.conftest import V3
from tests.factories import an_ebox

BASE = V2[an_ebox().kind]
BASES = list(V2.values())


def test_it_has_its_members_and_no_others(consumer_2):
    answer = consumer_2.get(f"{MESSAGES}/{uuid4()}")

    assert answer.json == {
        "id": answer.headers["BelGov-Trace-Id"],
        "code": "RESOURCE_NOT_FOUND",
        "message": "The requested resource does not exist.",
        "environment": "test",
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_whom_to_turn_to_and_where_it_happened_are_the_operators_to_say(app_with):
    app = app_with(contact="servicedesk@example.org", environment="acceptation")

    answer = app.test_client().get(f"{BASE}{MESSAGES}")

    assert answer.json["contact"] == "servicedesk@example.org"
    assert answer.json["environment"] == "acceptation"


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    "path", ["", "/", "/nowhere", "/ebox/", "/ebox/messages/x/", "/ebox/statistics", "/refData"]
)
def test_a_path_below_version_2_that_leads_nowhere_is_told_in_its_shape(app, base, path):
    answer = app.test_client().get(f"{base}{path}")

    assert told(answer, 404)[0] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("path", ["/v20/ebox", "/v1/ebox", "/v2x", "/V2/ebox", ""])
def test_a_path_of_no_version_is_told_in_that_of_version_3(app, path):
    answer = app.test_client().get(BASE.removesuffix("/v2") + path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("base", V3.values())
def test_version_3_keeps_its_own_shape(app, base):
    client = app.test_client()

    answers = [client.get(f"{base}{path}") for path in ("/nowhere", MESSAGES, "")]

    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/ebox", {"GET", "HEAD", "OPTIONS"}),
        ("POST", MESSAGES, {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("GET", "/publishMessage", {"OPTIONS", "POST"}),
    ],
)
def test_a_method_that_a_resource_has_not_is_405_with_those_it_has(
    consumer_2, method, path, allowed
):
    answer = consumer_2.ask(method, path)

    assert told(answer, 405) == ("METHOD_NOT_ALLOWED", "Method Not Allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("header", "code", "challenge"),
    [
        ({}, "NO_ACCESS_TOKEN", "Bearer realm="),
        ({"Authorization": "Bearer no-such-token"}, "INVALID_ACCESS_TOKEN", "invalid_token"),
        ({"Authorization": "Bearer a b"}, "INVALID_ACCESS_TOKEN", "invalid_token"),
    ],
)
def test_without_a_good_token_there_is_a_challenge(app, base, header, code, challenge):
    answer = app.test_client().get(f"{base}{MESSAGES}", headers=header)

    assert told(answer, 401)[0] == code
    assert challenge in answer.headers["WWW-Authenticate"]


def test_a_quota_that_is_used_up_tells_when_to_come_back(app_with, elsewhere, consumer):
    there = in_version_2(elsewhere(consumer, app_with(rate_limit=1)))
    there.get(MESSAGES)

    answer = there.get(MESSAGES)

    assert told(answer, 429)[0] == "TOO_MANY_REQUESTS"
    assert int(answer.headers["Retry-After"]) <= 60


def test_a_token_has_one_quota_in_both_versions(app_with, elsewhere, consumer):
    there = elsewhere(consumer, app_with(rate_limit=1))
    there.get(MESSAGES)

    assert in_version_2(there).get(MESSAGES).status_code == 429


def test_a_body_that_is_too_large_is_413(app_with, elsewhere, consumer):
    there = in_version_2(elsewhere(consumer, app_with(publication_message_size=100)))

    answer = there.ask("PATCH", MESSAGES, json={"items": [], "x": "x" * 200})

    assert told(answer, 413) == ("PAYLOAD_TOO_LARGE", "A request must not exceed 100 bytes")


def test_a_client_that_takes_no_json_is_told_in_json(consumer_2):
    answer = consumer_2.get(MESSAGES, headers={"Accept": "text/html"})

    assert told(answer, 406) == ("NOT_ACCEPTABLE", "Not Acceptable")


def test_a_service_that_is_down_says_when_to_come_back(app_with, elsewhere, consumer):
    nowhere = SecretStr("postgresql://nobody:x@127.0.0.1:9/nothing")
    there = in_version_2(elsewhere(consumer, app_with(database_url=nowhere)))

    answer = there.get(MESSAGES)

    assert told(answer, 503)[0] == "SERVICE_UNAVAILABLE"
    assert answer.headers["Retry-After"] == "5"


def test_what_nobody_expected_reveals_nothing(app_with, party):
    app = app_with()

    @app.before_request
    def break_down():
        raise ZeroDivisionError("a secret")

    ebox = an_ebox()
    token = party(CONSUMER, enterprise=ebox.number)
    headers = {"Authorization": f"Bearer {token}"}
    answer = app.test_client().get(f"{BASE}{MESSAGES}", headers=headers)

    assert told(answer, 500) == ("INTERNAL_SERVER_ERROR", "An unexpected error occurred.")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/octet-stream, application/json", "application/json"),
        ("application/octet-stream", "application/octet-stream"),
    ],
)
def test_an_error_of_a_document_has_a_type_that_the_client_takes(consumer_2, accept, media_type):
    headers = {"Accept": accept} if accept else {}

    answer = consumer_2.get(f"{MESSAGES}/{uuid4()}/attachments/1/content", headers=headers)

    # For documents 2.1 knows but one type, and says that errors are StatusMessages.
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, media_type)
    assert json.loads(answer.data)["code"] == "RESOURCE_NOT_FOUND"
