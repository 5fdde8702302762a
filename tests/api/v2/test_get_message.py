"""GET …/v2/ebox/messages/{messageId}: what is shown of a message, under its old names."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from tests.api.v2.visiting import MESSAGES, told
from tests.conformance.bases import V2
from tests.factories import PAYMENT, a_file

AT = datetime(2026, 10, 5, 12, 3, 11, tzinfo=UTC)
ORIGINAL = UUID("c7d9e2b4-1a35-4c68-b0f2-5e4d3c2b1a09")


def test_a_message_with_everything_is_shown_whole(consumer_2, deliver):
    file = a_file(title={"fr": "Annexe"}, size=182_784, is_signed=True)
    message = deliver(
        consumer_2.ebox,
        file,
        received_at=AT,
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        original_message_id=ORIGINAL,
        subject={"fr": "Bonjour"},
        body={"nl": "Tekst"},
        is_body_main=False,
        attention={"ssin": "85031212362", "label": "An Peeters"},
        payment_data={**PAYMENT, "amount": "1250.00", "reference": {"structured": "0108"}},
        business_data=[{"key": "fileNumber", "values": [{"nl": "4711"}]}],
        is_reply_authorized=True,
        is_registered=True,
        structured_data={"any": "thing"},
        action_id="confirm",
        action_label={"nl": "Bevestig"},
        sender_partition="Collections",
    )

    answer = consumer_2.get(f"{MESSAGES}/{message}")

    base = f"http://localhost{V2[consumer_2.ebox.kind]}"
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "messageId": str(message),
        "originalMessageId": str(ORIGINAL),
        "subject": dict.fromkeys(("nl", "fr", "de"), "Bonjour"),
        "receiptDate": "2026-10-05T12:03:11+00:00",
        "expirationDate": "2100-01-01T00:00:00+00:00",
        "readStatus": False,
        "visible": True,
        "registeredMail": True,
        "forTheAttentionOf": {"id": "85031212362", "name": "An Peeters"},
        "messageTypeId": "tax-assessment",
        "senderOrganizationId": "0308357159",
        "senderApplicationId": "my-minfin",
        "attachments": {
            "items": [
                {
                    "attachmentId": "1",
                    "attachmentTitle": dict.fromkeys(("nl", "fr", "de"), "Annexe"),
                    "fileName": "aanslag.pdf",
                    "mainContent": True,
                    "mediaType": "application/pdf",
                    "size": 178.5,
                    "digest": {"digestValue": file["digest"], "digestMethod": "sha_256"},
                    "attachmentSigned": True,
                    "contentHref": f"{base}{MESSAGES}/{message}/attachments/1/content",
                }
            ],
            "totalItems": 1,
        },
        "bodyMainContent": False,
        "paymentData": {
            "paymentDataId": "1",
            "amount": 1250.0,
            "vatAmount": 0.0,
            "currency": "EUR",
            "dueDate": "2026-11-30T23:59:59+01:00",
            "iban": "BE68539007547034",
            "reference": {"structured": "0108"},
        },
        "businessDataList": {
            "items": [
                {
                    "key": "fileNumber",
                    "name": dict.fromkeys(("nl", "fr", "de"), "fileNumber"),
                    "values": [dict.fromkeys(("nl", "fr", "de"), "4711")],
                }
            ],
            "totalItems": 1,
        },
        "replyAuthorized": True,
    }


def test_a_message_without_body_says_that_the_body_is_no_main_content(consumer_2, deliver):
    message = deliver(consumer_2.ebox)

    shown = consumer_2.get(f"{MESSAGES}/{message}").json

    assert shown["bodyMainContent"] is False
    assert not {"forTheAttentionOf", "paymentData", "businessDataList"} & shown.keys()


def test_numbers_are_numbers(consumer_2, deliver):
    message = deliver(consumer_2.ebox, a_file(size=512), payment_data={**PAYMENT, "amount": "7"})

    text = consumer_2.get(f"{MESSAGES}/{message}").text

    assert '"amount":7.0' in text
    assert '"size":0.5' in text


def test_looking_at_a_message_does_not_read_it(consumer_2, deliver):
    message = deliver(consumer_2.ebox, a_file())

    consumer_2.get(f"{MESSAGES}/{message}")

    assert consumer_2.get(f"{MESSAGES}/{message}").json["readStatus"] is False


@pytest.mark.parametrize(
    "message", [uuid4(), "message-1", "%00", "x" * 1000, str(ORIGINAL).upper()]
)
def test_an_id_that_names_nothing_is_not_found_whatever_it_looks_like(consumer_2, message):
    answer = consumer_2.get(f"{MESSAGES}/{message}")

    assert told(answer, 404) == ("RESOURCE_NOT_FOUND", "The requested resource does not exist.")


def test_a_partition_without_right_is_refused(portal_user_2, deliver):
    message = deliver(portal_user_2.ebox, partition="partitionNoAccess")

    assert told(portal_user_2.get(f"{MESSAGES}/{message}"), 403)[0] == "MISSING_PERMISSION"


def test_a_citizen_reads_his_own(citizen_2, deliver):
    message = deliver(citizen_2.ebox, a_file())

    (item,) = citizen_2.get(f"{MESSAGES}/{message}").json["attachments"]["items"]

    assert item["contentHref"].startswith(f"http://localhost{V2[citizen_2.ebox.kind]}/ebox/")
