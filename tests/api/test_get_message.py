"""GET …/ebox/messages/{messageId}: what is shown of one message, and to whom."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import CONSUMER
from tests.factories import PDF, a_file, an_ebox, an_enterprise

RECEIVED = datetime(2026, 10, 5, 12, 3, 11, 987654, tzinfo=UTC)
EXPIRES = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGEST = a_file()["digest"]


def at(message_id):
    return f"/ebox/messages/{message_id}"


def test_a_plain_message_has_the_required_members_and_no_others(consumer, deliver):
    message = deliver(
        consumer.ebox,
        received_at=RECEIVED,
        expires_at=EXPIRES,
        subject={"nl": "Brief"},
        sender_application_id=None,
    )

    answer = consumer.get(at(message))

    assert answer.status_code == 200
    assert answer.json == {
        "messageId": str(message),
        "subject": {"nl": "Brief", "fr": "Brief", "de": "Brief"},
        "receiptDate": "2026-10-05T12:03:11+00:00",
        "expirationDate": "2099-01-02T03:04:05+00:00",
        "isRead": False,
        "isVisible": True,
        "isRegisteredMail": False,
        "messageTypeId": "tax-assessment",
        "sender": {"eboxType": "enterprise", "enterpriseNumber": "0308357159"},
        "recipient": {
            "eboxType": "enterprise",
            "enterpriseNumber": consumer.ebox.number,
            "partition": "GENERAL",
        },
        "attachments": {"items": [], "totalItems": 0},
        "isReplyAuthorized": False,
    }


def test_a_message_shows_every_optional_member_that_it_has(consumer, deliver):
    original = uuid4()
    message = deliver(
        consumer.ebox,
        a_file(title={"fr": "Le titre"}, is_signed=True),
        a_file(attachment_id="2", is_main=False, file_name="bijlage.csv", media_type="text/csv"),
        received_at=RECEIVED,
        expires_at=EXPIRES,
        read_at=RECEIVED,
        is_visible=False,
        is_registered=True,
        is_reply_authorized=True,
        partition="partitionB",
        original_message_id=original,
        sender_partition="Collections",
        subject={"nl": "Brief", "fr": "Lettre", "de": "Schreiben", "en": "Letter"},
        body={"nl": "Tekst"},
        is_body_main=False,
        attention={"ssin": "85031212362", "label": "An Peeters"},
        business_data=[
            {"key": "year", "name": {"nl": "Jaar"}, "values": [{"nl": "2026"}, {"fr": "MMXXVI"}]},
            {"key": "bare", "values": []},
        ],
        payment_data={
            "payment_data_id": "1",
            "amount": "1250.10",
            "vat_amount": "0.00",
            "currency": "EUR",
            "due_date": "2026-11-30T23:59:59+01:00",
            "iban": "BE68539007547034",
            "bic": "GKCCBEBB",
            "reference": {"structured": "010806817183"},
        },
        structured_data={"any": "thing"},
        action_id="confirm-1",
        action_label={"nl": "Bevestig"},
        action_executed_at=RECEIVED,
        message_template_id="tax-reminder",
    )
    content = f"http://localhost{consumer.base}{at(message)}/attachments"

    answer = consumer.get(at(message))

    assert answer.json == {
        "messageId": str(message),
        "originalMessageId": str(original),
        "subject": {"nl": "Brief", "fr": "Lettre", "de": "Schreiben"},
        "receiptDate": "2026-10-05T12:03:11+00:00",
        "expirationDate": "2099-01-02T03:04:05+00:00",
        "isRead": True,
        "isVisible": False,
        "isRegisteredMail": True,
        "forTheAttentionOf": {"ssin": "85031212362", "label": "An Peeters"},
        "messageTypeId": "tax-assessment",
        "sender": {
            "eboxType": "enterprise",
            "enterpriseNumber": "0308357159",
            "partition": "Collections",
        },
        "recipient": {
            "eboxType": "enterprise",
            "enterpriseNumber": consumer.ebox.number,
            "partition": "partitionB",
        },
        "senderApplicationId": "my-minfin",
        "attachments": {
            "items": [
                {
                    "attachmentId": "1",
                    "attachmentTitle": {"nl": "Le titre", "fr": "Le titre", "de": "Le titre"},
                    "fileName": "aanslag.pdf",
                    "isMainContent": True,
                    "mediaType": "application/pdf",
                    "size": len(PDF) / 1024,
                    "digest": {"digestValue": DIGEST, "digestMethod": "sha_256"},
                    "isAttachmentSigned": True,
                    "contentHref": f"{content}/1/content",
                },
                {
                    "attachmentId": "2",
                    "fileName": "bijlage.csv",
                    "isMainContent": False,
                    "mediaType": "text/csv",
                    "size": len(PDF) / 1024,
                    "digest": {"digestValue": DIGEST, "digestMethod": "sha_256"},
                    "isAttachmentSigned": False,
                    "contentHref": f"{content}/2/content",
                },
            ],
            "totalItems": 2,
        },
        "isBodyMainContent": False,
        "paymentData": {
            "paymentDataId": "1",
            "amount": 1250.1,
            "vatAmount": 0,
            "currency": "EUR",
            "dueDate": "2026-11-30T23:59:59+01:00",
            "iban": "BE68539007547034",
            "bic": "GKCCBEBB",
            "reference": {"structured": "010806817183"},
        },
        "businessDataList": {
            "items": [
                {
                    "key": "year",
                    "name": {"nl": "Jaar", "fr": "Jaar", "de": "Jaar"},
                    "values": [
                        {"nl": "2026", "fr": "2026", "de": "2026"},
                        {"nl": "MMXXVI", "fr": "MMXXVI", "de": "MMXXVI"},
                    ],
                },
                {
                    "key": "bare",
                    "name": {"nl": "bare", "fr": "bare", "de": "bare"},
                    "values": [],
                },
            ],
            "totalItems": 2,
        },
        "isReplyAuthorized": True,
        "messageAction": {
            "messageActionId": "confirm-1",
            "label": {"nl": "Bevestig", "fr": "Bevestig", "de": "Bevestig"},
            "isExecuted": True,
            "executionDate": "2026-10-05T12:03:11+00:00",
        },
        "messageTemplateId": "tax-reminder",
    }


def test_an_action_still_to_do_has_no_execution_date(consumer, deliver):
    message = deliver(consumer.ebox, action_id="confirm", action_label={"de": "Bestätigen"})

    assert consumer.get(at(message)).json["messageAction"] == {
        "messageActionId": "confirm",
        "label": {"nl": "Bestätigen", "fr": "Bestätigen", "de": "Bestätigen"},
        "isExecuted": False,
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"nl": "N", "fr": "F"}, {"nl": "N", "fr": "F", "de": "N"}),
        ({"fr": "F", "de": "D"}, {"nl": "F", "fr": "F", "de": "D"}),
        ({"de": "D"}, {"nl": "D", "fr": "D", "de": "D"}),
        ({"en": "E"}, {"nl": "E", "fr": "E", "de": "E"}),
        ({"nl": "", "fr": "F"}, {"nl": "F", "fr": "F", "de": "F"}),
    ],
)
def test_a_subject_is_shown_in_three_languages_whatever_was_published(
    consumer, deliver, given, shown
):
    message = deliver(consumer.ebox, subject=given)

    assert consumer.get(at(message)).json["subject"] == shown


def test_a_citizens_message_names_the_citizen_and_no_partition(citizen, deliver):
    message = deliver(citizen.ebox)

    shown = citizen.get(at(message)).json

    assert shown["recipient"] == {"eboxType": "citizen", "ssin": citizen.ebox.number}
    assert shown["sender"] == {"eboxType": "enterprise", "enterpriseNumber": "0308357159"}


def test_the_documents_of_a_citizen_lie_below_the_citizens_base_path(citizen, deliver, main_file):
    message = deliver(citizen.ebox, main_file)

    (file,) = citizen.get(at(message)).json["attachments"]["items"]

    assert file["contentHref"].startswith("http://localhost/REST/ebox/citizen/messageRegistry/v3/")


def test_looking_at_a_message_does_not_mark_it_read(consumer, deliver, main_file, told):
    message = deliver(consumer.ebox, main_file, body={"nl": "Tekst"}, is_body_main=True)

    consumer.get(at(message))
    consumer.get("/ebox/messages")

    assert consumer.get(at(message)).json["isRead"] is False
    assert told(consumer.ebox) == []


def test_a_message_is_not_kept_by_caches(consumer, deliver):
    message = deliver(consumer.ebox)

    assert consumer.get(at(message)).headers["Cache-Control"] == "no-store"
    assert consumer.get("/ebox/messages").headers["Cache-Control"] == "no-store"


def test_an_unknown_message_is_named_in_the_problem(consumer):
    unknown = uuid4()

    answer = consumer.get(at(unknown))

    assert answer.status_code == 404
    assert answer.json["type"] == "urn:problem-type:belgif:resourceNotFound"
    (issue,) = answer.json["issues"]
    assert (issue["in"], issue["name"], issue["value"]) == ("path", "messageId", str(unknown))


def test_an_expired_message_is_gone(consumer, deliver):
    message = deliver(consumer.ebox, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert consumer.get(at(message)).status_code == 404


def test_an_application_reads_what_its_enterprise_sent(consumer, deliver, main_file):
    recipient = an_ebox()
    message = deliver(
        recipient, main_file, sender=consumer.ebox.number, sender_partition="B", sent_from="B"
    )

    shown = consumer.get(at(message)).json

    assert shown["recipient"]["enterpriseNumber"] == recipient.number
    assert shown["sender"]["enterpriseNumber"] == consumer.ebox.number
    assert [file["attachmentId"] for file in shown["attachments"]["items"]] == ["1"]


def test_what_was_sent_to_a_citizen_names_him(consumer, deliver):
    recipient = an_ebox(EboxKind.CITIZEN)
    message = deliver(recipient, sender=consumer.ebox.number, sent_from="GENERAL")

    shown = consumer.get(at(message)).json

    assert shown["recipient"] == {"eboxType": "citizen", "ssin": recipient.number}


@pytest.mark.parametrize(("partition", "status"), [("partitionB", 200), ("partitionNoAccess", 403)])
def test_a_person_reads_what_was_sent_from_a_partition_he_may_read(
    portal_user, deliver, partition, status
):
    message = deliver(
        an_ebox(),
        sender=portal_user.ebox.number,
        sender_partition=partition,
        sent_from=partition,
    )

    assert portal_user.get(at(message)).status_code == status


def test_being_named_as_sender_is_not_enough_to_read(consumer, deliver):
    message = deliver(an_ebox(), sender=consumer.ebox.number)

    assert consumer.get(at(message)).status_code == 404


def test_an_expired_message_is_gone_for_its_sender_too(consumer, deliver):
    message = deliver(
        an_ebox(),
        sender=consumer.ebox.number,
        sent_from="GENERAL",
        expires_at=datetime.now(UTC) - timedelta(seconds=1),
    )

    assert consumer.get(at(message)).status_code == 404


def test_an_enterprise_number_that_lost_its_zeros_on_the_way_is_the_same(visitor, deliver):
    ebox = Ebox(EboxKind.ENTERPRISE, f"00{an_enterprise()[2:]}")
    reader = visitor(CONSUMER, ebox=ebox)
    message = deliver(ebox)

    assert reader.get(at(message)).json["recipient"]["enterpriseNumber"] == ebox.number
