"""Each call that succeeds is recorded once, under seven keys, and nothing more is kept of it."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.federation.clients import ClientRegister
from tests.audit.recorded.table import BASES, SECRET, TABLE
from tests.factories import PDF, a_file, an_ebox

# Whoever sends to a citizen is an enterprise, so that a citizen has nobody to reply to.
NEVER = {("v3", EboxKind.CITIZEN, "POST", "/ebox/messages/<message_id>/replies")}
CALLS = [
    (version, kind, method, path)
    for version, method, path in TABLE
    for kind in EboxKind
    if (version, kind, method, path) not in NEVER
]
OPEN = [
    (method, f"{bases[kind]}{path}")
    for bases in BASES.values()
    for kind in EboxKind
    for path in ("/health", "/doc/openapi.json")
    for method in ("GET", "HEAD")
]
KEYS = [
    "API_CALL_DETAILS",
    "API_CALL_REQUEST_METHOD",
    "API_CALL_REQUEST_URL",
    "API_CALL_RESPONSE_CODE",
    "CLIENT_ID",
    "SUBJECT_TOKEN_HASHED",
    "TIMESTAMP",
]


def served(app):
    """Version, family, method and path of all that needs a token."""
    for rule in app.url_map.iter_rules():
        version, access, kind = rule.endpoint.partition(".")[0].split("-")
        if access == "guarded":
            path = rule.rule.removeprefix(BASES[version][EboxKind(kind)])
            yield from ((version, kind, method, path) for method in rule.methods - {"OPTIONS"})


def test_the_table_holds_every_operation_that_is_served(app):
    assert set(served(app)) == {*CALLS, *NEVER}


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_call_that_succeeds_is_recorded_with_what_is_needed_and_no_more(
    scene, recorded, pseudonyms, call
):
    version, kind, method, path = call
    case, around = TABLE[version, method, path], scene(version, kind)
    caller, asked = getattr(around, case.whose), around.path(path)
    before = datetime.now(UTC)

    answer = case.ask(caller, around, asked)

    assert answer.status_code == case.status, answer.text
    (entry,) = recorded(caller)
    found = json.loads(entry.entry)
    assert sorted(found) == KEYS
    assert before <= datetime.fromisoformat(found.pop("TIMESTAMP")) <= datetime.now(UTC)
    assert found.pop("CLIENT_ID").startswith("party-")
    assert re.fullmatch(r"[0-9a-f]{32}", found["API_CALL_DETAILS"].pop("trace"))
    assert found == {
        "SUBJECT_TOKEN_HASHED": hashlib.sha256(caller.token.encode()).hexdigest(),
        "API_CALL_REQUEST_METHOD": method,
        "API_CALL_REQUEST_URL": caller.base + asked,
        "API_CALL_RESPONSE_CODE": case.status,
        "API_CALL_DETAILS": case.details(around, answer),
    }
    about, person = case.about(around), around.reader.ebox
    is_person = case.whose == "reader" and kind is EboxKind.CITIZEN
    assert entry.ebox == (about and pseudonyms.hash_ebox(about))
    assert entry.person == (pseudonyms.hash_ebox(person) if is_person else None)
    visitors = (around.reader, around.webhook, around.sender)
    for kept_out in (*(one.ebox.number for one in visitors), SECRET, caller.token, "127.0.0.1"):
        assert kept_out not in f"{entry.entry} {entry.ebox} {entry.person}"


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_no_operation_keeps_parameters_that_nobody_checked(scene, recorded, call):
    version, kind, method, path = call
    case, around = TABLE[version, method, path], scene(version, kind)
    caller, asked = getattr(around, case.whose), around.path(path)

    answer = case.ask(caller, around, f"{asked}?ssin=85031212362&{SECRET}=85.03.12-123.62&q")

    assert answer.status_code == case.status, answer.text
    (entry,) = recorded(caller)
    assert (entry.API_CALL_REQUEST_URL.removesuffix("?q=…")) == caller.base + asked
    assert "85" not in entry.API_CALL_REQUEST_URL.removeprefix(caller.base + asked)
    assert SECRET not in entry.entry


def test_the_client_is_whom_the_authorization_server_names(consumer, recorded, federation):
    consumer.get("/ebox/messages")

    (entry,) = recorded(consumer)
    client = ClientRegister(federation.directory).find_client(entry.CLIENT_ID)
    assert client.enterprise == consumer.ebox.number


def test_a_person_of_an_enterprise_is_found_by_a_hash(
    portal_user, recorded, pseudonyms, federation
):
    portal_user.get("/ebox/messages")
    portal_user.get("/ebox/messages")  # his rights are known now

    clients = ClientRegister(federation.directory)
    for entry in recorded(portal_user):
        person = clients.find_client(entry.CLIENT_ID).person
        assert entry.ebox == pseudonyms.hash_ebox(portal_user.ebox)
        assert entry.person == pseudonyms.hash_ebox(Ebox(EboxKind.CITIZEN, person))
        assert person not in entry.entry
    assert len(recorded(portal_user)) == 2


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_what_anybody_may_ask_is_not_recorded(app, owner, method, path):
    count = "SELECT count(*) FROM audit_entries"
    with owner.connect() as connection:
        before = connection.exec_driver_sql(count).scalar_one()

        assert app.test_client().open(path, method=method).status_code == 200
        assert connection.exec_driver_sql(count).scalar_one() == before


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"Range": "bytes=2-5"}, 206),
        ("GET", {"If-None-Match": f'"{a_file(PDF)["digest"]}"'}, 304),
        ("HEAD", {}, 200),
        ("HEAD", {"Range": "bytes=2-5"}, 200),
        ("HEAD", {"If-None-Match": f'"{a_file(PDF)["digest"]}"'}, 304),
    ],
)
def test_a_document_is_recorded_with_what_was_answered(
    consumer, deliver, recorded, method, headers, status
):
    message = deliver(consumer.ebox, file := a_file())

    answer = consumer.ask(method, f"/ebox/messages/{message}/attachments/1/content", headers)

    (entry,) = recorded(consumer)
    assert answer.status_code == entry.API_CALL_RESPONSE_CODE == status
    assert method == entry.API_CALL_REQUEST_METHOD
    assert entry.API_CALL_DETAILS["contentId"] == file["blob_key"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/refData/messageTypes",
        "/refData/messageTypes/tax-assessment",
        "/refData/senderApplications/my-minfin/images/logo/content",
    ],
)
def test_reference_data_that_is_unchanged_is_recorded_so(consumer, recorded, method, path):
    tag = consumer.ask(method, path).headers["ETag"]

    consumer.ask(method, path, {"If-None-Match": tag})
    consumer.ask(method, path, {"If-None-Match": '"another"'})

    assert [entry.API_CALL_RESPONSE_CODE for entry in recorded(consumer)] == [200, 304, 200]


def test_a_message_without_payment_data_says_nothing_of_it(consumer, deliver, recorded):
    message = deliver(consumer.ebox)

    consumer.get(f"/ebox/messages/{message}")

    (entry,) = recorded(consumer)
    assert {"messageId": str(message)} == entry.API_CALL_DETAILS


def test_a_list_is_recorded_as_it_was_shown_page_by_page(consumer, deliver, recorded):
    now = datetime.now(UTC)
    times = [now - timedelta(hours=hours) for hours in range(1, 4)]
    first, second, third = (str(deliver(consumer.ebox, received_at=at)) for at in times)

    for page in (1, 2, 3):
        consumer.get(f"/ebox/messages?page={page}&pageSize=2")

    shown = [entry.API_CALL_DETAILS["messageIds"] for entry in recorded(consumer)]
    assert shown == [[first, second], [third], []]


def test_a_publication_that_waits_for_rules_is_recorded_once(publisher, recorded):
    publisher.published(an_ebox())

    assert len(recorded(publisher)) == 1


def test_an_event_told_twice_is_two_calls(scene, recorded):
    around = scene("v3", EboxKind.ENTERPRISE)

    for _ in range(2):
        around.webhook.ask("POST", "/eventNotifications", json=around.event)

    assert [entry.API_CALL_RESPONSE_CODE for entry in recorded(around.webhook)] == [204, 204]


def test_an_event_names_itself_at_no_length(scene, recorded):
    around = scene("v3", EboxKind.ENTERPRISE)
    event = {**around.event, "id": "9" * 5000, "source": "urn:" + "\n" * 5000}

    answer = around.webhook.ask("POST", "/eventNotifications", json=event)

    assert answer.status_code == 204
    (entry,) = recorded(around.webhook)
    assert entry.API_CALL_DETAILS["eventId"] == "9" * 200
    assert len(entry.entry) < 2000
