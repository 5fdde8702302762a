"""A sender reads what he sent, and nothing of what its recipient does with it (6.27, 6.38)."""

import pytest

from registry.sandbox.personas import PORTAL
from tests.api.message_updates import change, execute
from tests.api.publication import MESSAGES, Document, Sender, an_event
from tests.api.v2.visiting import in_version_2
from tests.factories import PAYMENT, a_file, a_person, an_ebox

FULL = {
    "body": {"nl": "Tekst"},
    "is_body_main": True,
    "payment_data": PAYMENT,
    "structured_data": {"any": "thing"},
    "action_id": "confirm-1",
    "action_label": {"nl": "Bevestig"},
}
PARTS = [
    "",
    "/attachments",
    "/attachments/1",
    "/attachments/1/content",
    "/body",
    "/paymentData",
    "/structuredData",
]
PARTS_2 = [part for part in PARTS if part != "/structuredData"]
ASKED_FOR = {
    "paymentDataId": "1",
    "amount": "0.10",
    "vatAmount": "0.00",
    "currency": "EUR",
    "dueDate": "2026-11-30T23:59:59+01:00",
    "iban": "BE68539007547034",
}
VERSIONS = [lambda visitor: visitor, in_version_2]
PARTS_OF_VERSIONS = [
    pytest.param(version, part, id=f"{name}{part}")
    for name, version, parts in (("v3", VERSIONS[0], PARTS), ("v2", VERSIONS[1], PARTS_2))
    for part in parts
]


@pytest.fixture
def person(publication, party, grant):
    """A person of a fresh enterprise, and how the federation changes his rights."""
    ebox, ssin = an_ebox(), a_person()
    token = party(PORTAL, enterprise=ebox.number, person=ssin)

    def allow(*readable, existing=("GENERAL", "Sales", "Legal")):
        grant(ebox.number, list(existing), {ssin: list(readable)})

    allow("GENERAL", "Sales")
    return Sender(publication.test_client(), token, ebox), allow


@pytest.fixture
def sent(deliver):
    """Deliver a message with everything in it that the enterprise of a visitor sent."""

    def send(visitor, partition="Sales"):
        columns = {**FULL, "sender": visitor.ebox.number, "sent_from": partition}
        return deliver(an_ebox(), a_file(), **columns)

    return send


@pytest.mark.parametrize("version", VERSIONS, ids=["v3", "v2"])
@pytest.mark.parametrize("part", ["", "/attachments", "/attachments/1", "/paymentData"])
def test_what_the_recipient_does_changes_nothing_for_the_sender(
    sender, reader, grant, owner, version, part
):
    ebox = an_ebox()
    action = {"messageActionId": "1", "label": {"nl": "Bevestig"}}
    message_id = sender.published(ebox, messageAction=action, paymentData=ASKED_FOR)
    recipient = reader(ebox)
    before = version(sender).get(f"{MESSAGES}/{message_id}{part}")
    grant(ebox.number, ["GENERAL", "Secret"])

    assert recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content").status_code == 200
    moved = change(recipient, (message_id, {"partition": "Secret", "isVisible": False}))
    assert moved.status_code == 200, moved.text
    assert execute(recipient, message_id).status_code == 200

    after = version(sender).get(f"{MESSAGES}/{message_id}{part}")
    assert (before.status_code, after.status_code) == (200, 200)
    assert after.data == before.data


def test_the_sender_is_not_told_the_partition_that_the_recipients_rules_chose(sender, tell_rules):
    ebox = an_ebox()
    tell_rules(ebox, {"messageTypeId": "information-letter", "partition": "Secret"})

    answer = sender.get(f"{MESSAGES}/{sender.published(ebox)}")

    assert answer.json["recipient"] == {
        "eboxType": "enterprise",
        "enterpriseNumber": ebox.number,
    }
    assert "Secret" not in answer.text


@pytest.mark.parametrize(("version", "part"), PARTS_OF_VERSIONS)
def test_a_person_reads_what_was_sent_as_long_as_he_may_read_the_partition(
    person, webhook, sent, version, part
):
    user, allow = person
    here, secret = sent(user), sent(user, "Legal")
    visitor = version(user)
    before = visitor.get(f"{MESSAGES}/{here}{part}").status_code
    allow("GENERAL")
    event = an_event(user.ebox, type="be.eboxenterprise.v1.partitionUserRight.deleted")

    assert webhook.ask("POST", "/eventNotifications", json=event).status_code == 204

    after, never = (visitor.get(f"{MESSAGES}/{one}{part}") for one in (here, secret))
    assert (before, after.status_code, never.status_code) == (200, 403, 403)
    assert "Sales" not in after.text


@pytest.mark.parametrize(("version", "part"), PARTS_OF_VERSIONS)
def test_software_of_the_enterprise_reads_all_that_was_sent(sender, sent, version, part):
    message_id = sent(sender, "Legal")

    assert version(sender).get(f"{MESSAGES}/{message_id}{part}").status_code == 200


@pytest.mark.parametrize("version", VERSIONS, ids=["v3", "v2"])
def test_reading_what_was_sent_reads_nothing_for_the_recipient(sender, reader, is_read, version):
    ebox = an_ebox()
    message_id = sender.published(ebox, Document())

    content = version(sender).get(f"{MESSAGES}/{message_id}/attachments/1/content")

    assert content.status_code == 200
    assert is_read(reader(ebox), message_id) is False
