"""Publishing: whole, at once, byte for byte, and where the recipient's rules want it."""

import json
from datetime import datetime
from itertools import permutations
from urllib.parse import quote
from uuid import UUID

import pytest

from registry.api.state import get_state
from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CITIZEN_PORTAL, SENDER
from tests.api.publication import (
    MESSAGES,
    Document,
    Sender,
    a_publication,
    as_part,
    at,
    body,
)
from tests.api.v2 import visiting
from tests.factories import PDF, an_ebox
from tests.statements import record_statements

ANNEX = Document("annex", b"a;b\r\n1;2\r\n", "bijlage.csv", "text/csv", is_main=False)
PAYMENT = {
    "paymentDataId": "1",
    "amount": 0.1,
    "vatAmount": 0,
    "currency": "EUR",
    "dueDate": "2026-11-30T23:59:59+01:00",
    "iban": "BE68539007547034",
    "bic": "GKCCBEBB",
    "reference": {"be": "+++090/9337/55493+++"},
}
EVERYTHING = {
    "forTheAttentionOf": {"ssin": "85041299768", "label": "Boekhouding"},
    "isRegisteredMail": True,
    "isReplyAuthorized": True,
    "bodyContent": {"fr": "Le texte"},
    "isBodyMainContent": False,
    "businessDataList": [
        {
            "key": "year",
            "name": {"nl": "Jaar"},
            "description": {"nl": "Van het inkomen"},
            "values": [{"nl": "2025"}, {"de": "2026"}],
        }
    ],
    "paymentData": PAYMENT,
    "structuredData": {"deep": {"list": [1, 2.5, True, "x"]}},
    "messageAction": {"messageActionId": "sign", "label": {"nl": "Onderteken"}},
    "messageTemplateId": "tax-reminder",
}


def bytes_of(reader, message_id):
    """The documents of a message, as they are downloaded, by file name."""
    items = reader.get(f"{MESSAGES}/{message_id}").json["attachments"]["items"]
    return {
        item["fileName"]: reader.get(
            f"{MESSAGES}/{message_id}/attachments/{item['attachmentId']}/content"
        ).data
        for item in items
    }


def test_a_message_is_filed_and_there_for_its_recipient_at_once(sender, reader):
    recipient = reader()

    answer = sender.publish(recipient.ebox)

    assert answer.status_code == 201
    message_id = answer.json["messageId"]
    assert answer.headers["Location"].endswith(
        f"/enterprise/messageRegistry/v3{MESSAGES}/{message_id}"
    )
    listed = recipient.get(MESSAGES).json
    assert [item["messageId"] for item in listed["items"]] == [message_id]
    assert bytes_of(recipient, message_id) == {"brief.pdf": PDF}
    shown = recipient.get(f"{MESSAGES}/{message_id}").json
    assert shown["sender"]["enterpriseNumber"] == sender.ebox.number
    assert shown["expirationDate"] == answer.json["expirationDate"]
    life = datetime.fromisoformat(shown["expirationDate"]) - datetime.fromisoformat(
        shown["receiptDate"]
    )
    assert life.days == 90


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_come_in_any_order(sender, reader, order):
    recipient = reader()
    files = (Document(), ANNEX)
    parts = [as_part(a_publication(sender.ebox, recipient.ebox, *files)), *files]

    answer = sender.post(body(*(parts[position] for position in order)))

    assert answer.status_code == 201, answer.text
    expected = {"brief.pdf": PDF, "bijlage.csv": ANNEX.content}
    assert bytes_of(recipient, answer.json["messageId"]) == expected


MISLEADING = {
    "factuur.pdf.bat": "factuur.pdf.bat.txt",
    "factuur\u202etab.txt": "factuurtab.txt",
    "fac\u200btuur\u2028\ufeff.txt": "factuur_.txt",
    "=?utf-8?B?w6kucGRm?=": "\u00e9.pdf.txt",
}


@pytest.mark.parametrize("way", ["version 3", "version 2", "reply"])
@pytest.mark.parametrize("sent", MISLEADING)
def test_file_names_mislead_nobody(sender, reader, sent, way):
    recipient = reader()
    document = Document("upfile1", b"Letter", sent, "text/plain")
    if way == "version 2":
        message_id = visiting.published(sender, recipient.ebox, document)
    elif way == "version 3":
        message_id = sender.published(recipient.ebox, document)
    else:
        asked = sender.published(recipient.ebox, isReplyAuthorized=True)
        message_id, recipient = recipient.reply(asked, document).json["messageId"], sender

    shown = recipient.get(f"{MESSAGES}/{message_id}/attachments/1").json["fileName"]
    assert shown == MISLEADING[sent]
    header = recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content").headers
    assert header["Content-Disposition"].endswith(f"''{quote(shown, safe='')}")


def test_attachments_are_numbered_as_announced_and_not_as_they_come(sender, reader):
    recipient = reader()
    message = a_publication(sender.ebox, recipient.ebox, Document(), ANNEX)

    answer = sender.post(body(ANNEX, Document(), as_part(message)))

    shown = recipient.get(f"{MESSAGES}/{answer.json['messageId']}/attachments").json["items"]
    assert [(one["attachmentId"], one["fileName"]) for one in shown] == [
        ("1", "brief.pdf"),
        ("2", "bijlage.csv"),
    ]


def test_the_official_examples_post_with_a_slash_at_the_end(sender):
    answer = sender.publish(an_ebox(), path=f"{MESSAGES}/")

    assert answer.status_code == 201
    assert not answer.headers["Location"].removesuffix(answer.json["messageId"]).endswith("//")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (quote("Żółć & co (2).pdf", safe=""), "Żółć & co (2).pdf"),
        ("été.pdf", "été.pdf"),
        ("100% zeker.pdf", "100% zeker.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd.pdf"),
        ("%2e%2e%2fsecret.pdf", ".._secret.pdf"),
    ],
)
def test_a_file_name_is_decoded_and_cleaned_for_display(sender, reader, sent, kept):
    recipient = reader()

    message_id = sender.published(recipient.ebox, Document(file_name=sent))

    assert list(bytes_of(recipient, message_id)) == [kept]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 8 << 20, (8 << 20) + 1, 20_000_001])
def test_a_document_of_any_size_comes_back_byte_for_byte(sender, reader, size):
    recipient = reader()
    content = (b"0123456789abcdef\r\n--a-boundary" * (size // 30 + 1))[:size]
    document = Document(content=content, file_name="t.txt", media_type="text/plain")

    message_id = sender.published(recipient.ebox, document)

    assert bytes_of(recipient, message_id) == {"t.txt": content}


def test_a_body_alone_can_be_the_main_content(sender, reader):
    recipient = reader()
    text = {"bodyContent": {"nl": "Alles in orde"}, "isBodyMainContent": True}
    message = a_publication(sender.ebox, recipient.ebox, attachments=None, **text)

    answer = sender.post(body(as_part(message)))

    assert answer.status_code == 201, answer.text
    shown = recipient.get(f"{MESSAGES}/{answer.json['messageId']}/body").json
    assert "Alles in orde" in json.dumps(shown)


def test_everything_that_may_be_sent_is_shown_as_it_was_sent(sender, reader):
    recipient = reader()
    signed = Document(announced={"isAttachmentSigned": True, "attachmentTitle": {"nl": "Titel"}})

    message_id = sender.published(
        recipient.ebox, signed, messageTypeId="tax-assessment", **EVERYTHING
    )

    shown = recipient.get(f"{MESSAGES}/{message_id}").json
    attention, action = shown["forTheAttentionOf"], shown["messageAction"]
    assert attention == EVERYTHING["forTheAttentionOf"]
    assert (shown["isRegisteredMail"], shown["isReplyAuthorized"]) == (True, True)
    assert shown["isBodyMainContent"] is False
    assert (action["messageActionId"], action["isExecuted"]) == ("sign", False)
    assert action["label"]["nl"] == "Onderteken"
    assert shown["messageTemplateId"] == "tax-reminder"
    facts = shown["businessDataList"]["items"][0]
    assert (facts["key"], facts["name"]["nl"]) == ("year", "Jaar")
    assert [value["nl"] for value in facts["values"]] == ["2025", "2026"]
    payment = recipient.get(f"{MESSAGES}/{message_id}/paymentData").json
    assert {name: payment[name] for name in PAYMENT if name != "dueDate"} == {
        name: value for name, value in PAYMENT.items() if name != "dueDate"
    }
    same = datetime.fromisoformat(payment["dueDate"]) == datetime.fromisoformat(PAYMENT["dueDate"])
    assert same
    structured = recipient.get(f"{MESSAGES}/{message_id}/structuredData").json
    assert structured == EVERYTHING["structuredData"]
    attachment = shown["attachments"]["items"][0]
    assert attachment["isAttachmentSigned"] is True
    assert attachment["attachmentTitle"]["fr"] == "Titel"


def test_a_message_is_found_by_its_texts_at_once(sender, reader):
    recipient = reader()
    message_id = sender.published(recipient.ebox, subject={"nl": "Een naald in de hooiberg"})

    found = recipient.get(f"{MESSAGES}?q=NAALD&qlang=nl").json["items"]

    assert [item["messageId"] for item in found] == [message_id]


def test_a_citizen_gets_a_message_without_partition(sender, publication, party):
    ebox = an_ebox(EboxKind.CITIZEN)
    recipient = Sender(publication.test_client(), party(CITIZEN_PORTAL, person=ebox.number), ebox)

    message_id = sender.published(ebox)

    shown = recipient.get(f"{MESSAGES}/{message_id}").json
    assert shown["recipient"]["ssin"] == ebox.number
    assert "partition" not in shown["recipient"]
    assert bytes_of(recipient, message_id) == {"brief.pdf": PDF}


def test_who_sent_a_message_can_read_it_without_marking_it(sender, reader):
    recipient = reader()
    message_id = sender.published(recipient.ebox)

    assert bytes_of(sender, message_id) == {"brief.pdf": PDF}
    assert recipient.get(f"{MESSAGES}/{message_id}").json["isRead"] is False


def test_somebody_who_never_opened_his_ebox_gets_the_message_and_the_sender_is_told(sender, facts):
    never, opened = an_ebox(), an_ebox()
    once = {"exclusivelyEbox": False, "lastConnectionDate": "2026-10-01T09:30:00+02:00"}
    facts(
        "preferences",
        lambda known: known["preferences"].update(
            {never.number: {"exclusivelyEbox": False}, opened.number: once}
        ),
    )

    told = sender.publish(never)
    not_told = sender.publish(opened)

    assert (told.status_code, told.json["code"]) == (201, "NO_DIGITAL_USER")
    assert told.json["message"]
    assert not_told.status_code == 201
    assert "code" not in not_told.json


@pytest.mark.parametrize("fault", ["error", "lie", "reset", "garbage"])
def test_without_word_on_preferences_the_message_is_filed_without_the_code(
    sender, publishing_with, faults, fault
):
    faults(preferences=fault)

    answer = at(sender, publishing_with(), Sender).publish(an_ebox())

    assert answer.status_code == 201
    assert "code" not in answer.json


def test_the_new_document_is_told_exactly_once(sender, told):
    recipient = an_ebox()

    message_id = sender.published(recipient)

    assert told(recipient) == [("newDocument", UUID(message_id))]
    assert told(sender.ebox) == []


def test_publishing_a_pdf_costs_at_most_eight_statements(sender, publication):
    recipient = an_ebox()
    sender.publish(recipient)  # the rules are known from here on
    engine = get_state(publication).registry.consultation.transactions.engine
    with record_statements(engine) as seen:
        answer = sender.publish(recipient, Document(content=PDF + b"%" * 100_000))

    assert answer.status_code == 201
    assert len(seen) <= 8, seen


# Routing (contract 4.13, 6.18)


def partition_of(reader, message_id):
    return reader.get(f"{MESSAGES}/{message_id}").json["recipient"]["partition"]


def test_the_first_rule_that_matches_decides(sender, reader, rules):
    recipient = reader()
    rules(
        recipient.ebox.number,
        {"messageTypeId": "tax-assessment", "partition": "taxes"},
        {"senderApplicationId": "my-minfin", "messageTypeId": "summons", "partition": "never"},
        {"senderOrganizationId": sender.ebox.number, "partition": "agency"},
        {"messageTypeId": "information-letter", "partition": "too late"},
    )

    both = {
        kind: partition_of(recipient, sender.published(recipient.ebox, messageTypeId=kind))
        for kind in ("tax-assessment", "information-letter")
    }

    assert both == {"tax-assessment": "taxes", "information-letter": "agency"}


@pytest.mark.parametrize("ordered", [(), ({"messageTypeId": "summons", "partition": "law"},)])
def test_without_a_rule_that_matches_a_message_is_in_general(sender, reader, rules, ordered):
    recipient = reader()
    rules(recipient.ebox.number, *ordered)

    assert partition_of(recipient, sender.published(recipient.ebox)) == "GENERAL"


def test_the_partition_that_the_sender_names_is_ignored(sender, reader):
    recipient = reader()
    wanted = {**a_publication(sender.ebox, recipient.ebox)["recipient"], "partition": "secret"}

    message_id = sender.published(recipient.ebox, recipient=wanted)

    assert partition_of(recipient, message_id) == "GENERAL"


def test_rules_are_asked_for_once(sender, reader, rules):
    recipient = reader()
    rules(recipient.ebox.number, {"messageTypeId": "information-letter", "partition": "one"})
    sender.published(recipient.ebox)
    rules(recipient.ebox.number, {"messageTypeId": "information-letter", "partition": "other"})

    assert partition_of(recipient, sender.published(recipient.ebox)) == "one"


@pytest.fixture(params=["error", "lie", "reset", "garbage"])
def ruleless(request, sender, publishing_with, faults):
    """The sender at an application that nobody tells any rules."""
    faults(rules=request.param)
    return at(sender, publishing_with(), Sender)


def test_without_word_on_rules_a_message_waits_in_general_until_they_arrive(
    ruleless, reader, owner, tell_rules
):
    recipient = reader()

    message_id = ruleless.published(recipient.ebox)

    assert partition_of(recipient, message_id) == "GENERAL"
    assert is_pending(owner, message_id)
    tell_rules(recipient.ebox, {"messageTypeId": "information-letter", "partition": "b"})
    assert partition_of(recipient, message_id) == "b"
    assert not is_pending(owner, message_id)


def test_what_fails_after_a_message_was_filed_is_not_its_answer(
    sender, reader, publishing_with, faults, owner
):
    faults(rules="error")
    there = at(sender, publishing_with(database_lock_timeout=0.5), Sender)
    recipient = reader()
    with owner.connect() as somebody:
        lock = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"  # as long as rules change
        somebody.exec_driver_sql(lock, (recipient.ebox.key,))

        message_id = there.published(recipient.ebox)

        somebody.exec_driver_sql(lock.replace("lock(h", "unlock(h"), (recipient.ebox.key,))
    assert partition_of(recipient, message_id) == "GENERAL"
    assert is_pending(owner, message_id)


def test_a_message_that_was_routed_is_not_moved_by_a_new_rule(sender, reader, tell_rules):
    recipient = reader()
    message_id = sender.published(recipient.ebox)

    tell_rules(recipient.ebox, {"messageTypeId": "information-letter", "partition": "b"})

    assert partition_of(recipient, message_id) == "GENERAL"
    assert partition_of(recipient, sender.published(recipient.ebox)) == "b"


def is_pending(owner, message_id):
    with owner.connect() as connection:
        query = "SELECT is_routing_pending FROM messages WHERE message_id = %s"
        return connection.exec_driver_sql(query, (message_id,)).scalar_one()


def test_the_sandbox_sender_scope_is_enough(a_sender):
    assert a_sender(SENDER).publish(an_ebox()).status_code == 201
