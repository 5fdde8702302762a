"""What was refused is not recorded, and what cannot be recorded is refused."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import AGENCY, CONSUMER, SENDER, WEBHOOK
from registry.services.publication.sweep import Sweep
from tests.api.message_updates import change, execute
from tests.api.publication import MESSAGES, Sender, an_event
from tests.audit.recorded.table import EVERYTHING
from tests.conftest import Visitor
from tests.factories import a_file, an_ebox

DAY = timedelta(days=1)
CONTENT = f"{MESSAGES}/{{}}/attachments/1/content"
REFUSED = [
    (400, "GET", f"{MESSAGES}?page=nought", {}),
    (404, "GET", f"{MESSAGES}/nothing", {}),
    (415, "POST", "/ebox/messageStatus/search", {}),
    (401, "GET", MESSAGES, {"Authorization": "Bearer nonsense"}),
    (401, "GET", MESSAGES, {"Authorization": "Basic x"}),
    (404, "GET", f"{MESSAGES}/{uuid4()}", {}),
    (404, "GET", f"{MESSAGES}/{uuid4()}/body", {}),
    (404, "GET", f"{MESSAGES}/{{}}/body", {}),
    (404, "GET", f"{MESSAGES}/{{}}/paymentData", {}),
    (404, "GET", f"{MESSAGES}/{{}}/structuredData", {}),
    (404, "GET", f"{MESSAGES}/{{}}/attachments/2", {}),
    (404, "GET", f"{MESSAGES}/{{}}/attachments/2/content", {}),
    (404, "HEAD", f"{MESSAGES}/{uuid4()}", {}),
    (404, "GET", "/refData/messageTypes/none", {}),
    (404, "GET", "/refData/senderApplications/none/images/logo/content", {}),
    (404, "GET", "/nowhere", {}),
    (405, "DELETE", MESSAGES, {}),
    (406, "GET", MESSAGES, {"Accept": "text/html"}),
    (416, "GET", CONTENT, {"Range": "bytes=9999-"}),
]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_call_that_is_refused_is_not_recorded(visitor, deliver, recorded, refused):
    status, method, path, headers = refused
    caller = visitor(SENDER, CONSUMER)
    path = path.format(deliver(caller.ebox, a_file()))

    answer = caller.ask(method, path, headers)

    assert answer.status_code == status, answer.text
    assert recorded(caller) == []


def test_nor_is_one_without_the_right_to(visitor, portal_user, deliver, recorded):
    scopeless = visitor(SENDER)
    hidden = deliver(portal_user.ebox, partition="partitionNoAccess")

    answers = [scopeless.get(MESSAGES), portal_user.get(f"{MESSAGES}/{hidden}")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert recorded(scopeless) == recorded(portal_user) == []


def test_nor_is_a_publication_that_was_there_before(publisher, recorded):
    key = {"Idempotency-Key": f'"{uuid4()}"'}
    publisher.publish(an_ebox(), headers=key)

    again = publisher.publish(an_ebox(), headers=key)

    assert again.status_code == 409
    assert len(recorded(publisher)) == 1


@pytest.mark.parametrize(("fault", "status"), [("error", 503), ("garbage", 502)])
def test_nor_is_one_that_the_federation_let_down(portal_user, recorded, faults, fault, status):
    portal_user.get("/refData/messageTypes")  # the token is known from here on
    faults(partitions=fault)

    answer = portal_user.get(MESSAGES)

    assert answer.status_code == status, answer.text
    assert [entry.API_CALL_DETAILS for entry in recorded(portal_user)] == [{}]


def test_nor_is_a_document_that_storage_does_not_have(consumer, deliver, owner, recorded):
    file = a_file()
    message = deliver(consumer.ebox, file)
    with owner.begin() as connection:
        changed = "UPDATE attachments SET blob_key = 'documents/gone' WHERE message_id = %s"
        connection.exec_driver_sql(changed, (message,))

    answer = consumer.get(CONTENT.format(message))

    assert answer.status_code >= 500
    assert recorded(consumer) == []


@pytest.fixture
def owned(registry_alone, blobs, party):
    """An e-Box in the registry whose trail can be closed, with a message of everything."""
    ebox, file = an_ebox(), a_file()
    blobs.put(file["blob_key"], [b"%PDF-1.4 a document\n%%EOF\n"])
    there = {**EVERYTHING, "is_body_main": True, "expires_at": datetime.now(UTC) + 90 * DAY}
    where = {"sender": AGENCY.digits, "partition": "elsewhere"}
    message = registry_alone.alone.put(ebox, file, **where, **there)
    token = party(CONSUMER, enterprise=ebox.number)
    return Sender(registry_alone.app.test_client(), token, ebox), message


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize(
    "ask",
    [
        lambda reader, id_: reader.get(MESSAGES),
        lambda reader, id_: reader.get(f"{MESSAGES}/{id_}"),
        lambda reader, id_: reader.get(f"{MESSAGES}/{id_}/attachments"),
        lambda reader, id_: reader.get(f"{MESSAGES}/{id_}/attachments/1"),
        lambda reader, id_: reader.get(CONTENT.format(id_)),
        lambda reader, id_: reader.get(CONTENT.format(id_), headers={"Range": "bytes=0-3"}),
        lambda reader, id_: reader.get(f"{MESSAGES}/{id_}/body"),
        lambda reader, id_: reader.get(f"{MESSAGES}/{id_}/paymentData"),
        lambda reader, id_: reader.get(f"{MESSAGES}/{id_}/structuredData"),
        lambda reader, id_: reader.get("/ebox/statistics"),
        lambda reader, id_: reader.get("/refData/messageTypes"),
        lambda reader, id_: reader.get("/refData/messageTypes/tax-assessment"),
        lambda reader, id_: reader.get("/refData/senderApplications/my-minfin/images/logo/content"),
        lambda reader, id_: change(reader, (id_, {"isVisible": False})),
        lambda reader, id_: change(reader, (id_, {"partition": "GENERAL"})),
        execute,
    ],
)
def test_what_cannot_be_recorded_does_not_happen(registry_alone, owned, closed, ask, is_open):
    reader, message = owned
    before = registry_alone.alone.rows("messages", message_id=message)
    told = len(registry_alone.alone.rows("outbox"))

    with nullcontext() if is_open else closed():
        answer = ask(reader, message)

    if is_open:  # so that it is the trail alone which makes the difference
        assert answer.status_code in (200, 206)
        return
    assert answer.status_code == 503
    assert answer.json["type"].startswith("urn:problem-type:")
    assert b"PDF" not in answer.data
    assert registry_alone.alone.rows("messages", message_id=message) == before
    assert len(registry_alone.alone.rows("outbox")) == told


def test_a_publication_that_cannot_be_recorded_leaves_nothing_that_is_not_swept(
    registry_alone, closed, party, blobs
):
    alone, recipient = registry_alone.alone, an_ebox()
    ebox = Ebox(EboxKind.ENTERPRISE, AGENCY.digits)
    sender = Sender(registry_alone.app.test_client(), party(SENDER, enterprise=ebox.number), ebox)
    swept = Sweep(alone.worker, blobs)
    tables = ("messages", "attachments", "search_texts", "sent_messages", "outbox")
    before = [alone.rows(table) for table in tables]
    known = set(swept.preview(timedelta(seconds=-5)))

    with closed():
        answer = sender.publish(recipient, headers={"Idempotency-Key": '"the same"'})

    assert answer.status_code == 503
    assert [alone.rows(table) for table in tables] == before
    left = set(swept.preview(timedelta(seconds=-5))) - known
    assert len(left) == 1  # nobody knows here that it was not the COMMIT which failed
    assert set(swept.sweep(timedelta(seconds=-5))) >= left
    again = sender.publish(recipient, headers={"Idempotency-Key": '"the same"'})
    assert again.status_code == 201


def test_rules_that_cannot_be_recorded_are_not_applied(registry_alone, closed, party):
    alone, ebox = registry_alone.alone, an_ebox()
    there = {"is_routing_pending": True, "expires_at": datetime.now(UTC) + 90 * DAY}
    message = alone.put(ebox, **there)
    webhook = Visitor(registry_alone.app.test_client(), party(WEBHOOK), an_ebox())
    rule = {"messageTypeId": "tax-assessment", "partition": "taxes"}
    event = an_event(ebox, {"orderedRoutingRules": [rule]})

    with closed():
        refused = webhook.ask("POST", "/eventNotifications", json=event)

    assert refused.status_code == 503
    assert alone.rows("messages", message_id=message)[0].partition == "GENERAL"
    assert webhook.ask("POST", "/eventNotifications", json=event).status_code == 204
    assert alone.rows("messages", message_id=message)[0].partition == "taxes"
