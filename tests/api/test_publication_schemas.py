"""Bodies of version 3 become drafts, recipients, pairs and notifications, or all their faults."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

import jsonschema_rs
import pytest
import yaml

from registry.api.requests.json_body import BodyRules, load
from registry.api.v3.schemas.events import NotificationSchema
from registry.api.v3.schemas.publication import (
    MessageToPublishSchema,
    MessageToReplySchema,
    RecipientsSchema,
    StatusSearchSchema,
)
from registry.domain.drafts import AnnouncedFile, Draft
from registry.domain.errors import ABSENT, IssueKind
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.domain.notifications import Notification

DOCUMENT = yaml.safe_load(Path("openapi/messageregistry-3.yaml").read_text(encoding="utf-8"))
SENDER, RECIPIENT, PERSON = "0765432146", "0888901268", "85031212362"
WRONG = f"{SENDER[:8]}{(int(SENDER[8:]) + 1) % 97 + 1:02d}"
SMALLEST = {
    "sender": {"eboxType": "enterprise", "enterpriseNumber": SENDER},
    "recipient": {"eboxType": "enterprise", "enterpriseNumber": RECIPIENT},
    "subject": {"nl": "Brief"},
    "messageTypeId": "vat",
    "senderApplicationId": "fad",
}
PAYMENT = {
    "paymentDataId": "1",
    "amount": 1250.0,
    "vatAmount": -0.5,
    "currency": "EUR",
    "dueDate": "2026-11-30T23:59:59.123456789+01:00",
    "iban": "BE68539007547034",
}
DIGEST = {"digestValue": "ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs", "digestMethod": "sha_256"}
FULL = {
    **SMALLEST,
    "sender": {**SMALLEST["sender"], "partition": "Archive"},
    "recipient": {**SMALLEST["recipient"], "partition": "Ignored"},
    "forTheAttentionOf": {"ssin": PERSON, "label": "Jos"},
    "expirationDate": "2026-11-30T23:59:59Z",
    "isRegisteredMail": True,
    "attachments": [
        {"httpPartName": "one", "isMainContent": True, "digest": DIGEST},
        {
            "httpPartName": "two",
            "isMainContent": False,
            "attachmentTitle": {"fr": "Annexe"},
            "isAttachmentSigned": True,
        },
    ],
    "isBodyMainContent": False,
    "bodyContent": {"nl": "Zie bijlage"},
    "isReplyAuthorized": True,
    "businessDataList": [
        {
            "key": "year",
            "name": {"nl": "Jaar"},
            "description": {"nl": "Aanslagjaar"},
            "values": [{"nl": "2026"}, {"nl": "2027"}],
        }
    ],
    "paymentData": {**PAYMENT, "bic": "GKCCBEBB", "reference": {"structured": "010806817183"}},
    "structuredData": {"quarter": "2026Q3", "employees": [{"count": 14}]},
    "messageAction": {"messageActionId": "sign-1", "label": {"nl": "Teken"}},
    "messageTemplateId": "letter",
}

FACT = {"key": "k", "values": []}
LARGE_FACT = {"key": "k", "values": [{"nl": "\u00e9" * 250}] * 130}  # in characters it would fit


def fails(members, schema=MessageToPublishSchema, **rules):
    """(name, detail) of every fault."""
    value, issues = load(schema(), members, rules=BodyRules(**rules))
    assert value is None
    return [(issue.name, issue.detail) for issue in issues]


def changed(path, value=ABSENT, members=FULL):
    """The full message with one member put, or taken away, at a path."""
    if not path:
        return value
    step, *rest = path
    copy = list(members) if isinstance(members, list) else dict(members)
    if value is ABSENT and not rest:
        del copy[step]
    elif isinstance(copy, dict) and step not in copy:
        copy[step] = value
    else:
        copy[step] = changed(rest, value, copy[step])
    return copy


def test_the_smallest_message_is_a_draft():
    assert load(MessageToPublishSchema(), SMALLEST) == (
        Draft(
            recipient=Ebox(EboxKind.ENTERPRISE, RECIPIENT),
            sender=EnterpriseNumber(SENDER),
            application_id="fad",
            message_type_id="vat",
            subject={"nl": "Brief"},
        ),
        [],
    )


def test_a_message_with_everything_is_a_draft_in_the_shape_the_store_keeps():
    draft, issues = load(MessageToPublishSchema(), FULL)

    assert issues == []
    assert draft == Draft(
        recipient=Ebox(EboxKind.ENTERPRISE, RECIPIENT),
        sender=EnterpriseNumber(SENDER),
        sender_partition="Archive",
        application_id="fad",
        message_type_id="vat",
        subject={"nl": "Brief"},
        body={"nl": "Zie bijlage"},
        is_body_main=False,
        attention={"ssin": PERSON, "label": "Jos"},
        business_data=FULL["businessDataList"],
        payment_data={
            "payment_data_id": "1",
            "amount": "1250.0",
            "vat_amount": "-0.5",
            "currency": "EUR",
            "due_date": "2026-11-30T23:59:59+01:00",
            "iban": "BE68539007547034",
            "bic": "GKCCBEBB",
            "reference": {"structured": "010806817183"},
        },
        structured_data=FULL["structuredData"],
        is_reply_authorized=True,
        is_registered=True,
        action_id="sign-1",
        action_label={"nl": "Teken"},
        message_template_id="letter",
        announced_files=(
            AnnouncedFile(part="one", is_main=True, digest=DIGEST["digestValue"]),
            AnnouncedFile(part="two", is_main=False, title={"fr": "Annexe"}, is_signed=True),
        ),
    )


def test_a_citizen_is_addressed_by_his_number():
    members = changed(["recipient"], {"eboxType": "citizen", "ssin": PERSON})

    draft, _ = load(MessageToPublishSchema(), members)

    assert draft.recipient == Ebox(EboxKind.CITIZEN, PERSON)


def test_a_reply_needs_nothing_but_a_subject():
    assert load(MessageToReplySchema(), {"subject": {"fr": "R\u00e9ponse"}}) == (
        Draft(subject={"fr": "R\u00e9ponse"}),
        [],
    )


@pytest.mark.parametrize("facts", [[FACT] * 101, [LARGE_FACT]])
def test_a_reply_is_bounded_as_a_message_is(facts):
    members = {"subject": {"fr": "x"}, "businessDataList": facts}

    assert [name for name, _ in fails(members, MessageToReplySchema)] == ["businessDataList"]


def test_a_reply_has_no_recipient():
    members = {"subject": {"fr": "x"}, "recipient": SMALLEST["recipient"]}

    assert fails(members, MessageToReplySchema) == [("recipient", "recipient is unknown")]


def test_a_body_without_word_of_it_is_not_the_main_content():
    draft, _ = load(MessageToPublishSchema(), {**SMALLEST, "bodyContent": {"nl": "x"}})

    assert draft.is_body_main is False


@pytest.mark.parametrize("name", SMALLEST)
def test_what_is_required_is_missed_in_the_words_clients_know(name):
    missing = {key: value for key, value in SMALLEST.items() if key != name}

    assert fails(missing) == [(name, f"Invalid Schema: required keys not found: {name}")]


def test_unknown_members_are_unknown_input_wherever_they_are():
    members = changed(["attachments", 0, "isMain"], True)
    members = {**members, "senderOrganisation": "x" * 300}

    _, issues = load(MessageToPublishSchema(), members)

    assert [(issue.name, issue.kind, issue.value) for issue in issues] == [
        ("attachments[0].isMain", IssueKind.UNKNOWN_INPUT, True),
        ("senderOrganisation", IssueKind.UNKNOWN_INPUT, ABSENT),
    ]


def test_members_under_the_names_of_2_1_are_read_or_ignored():
    file = {"httpPartName": "one", "isMainContent": True}
    todays = {
        **SMALLEST,
        "forTheAttentionOf": {"ssin": PERSON, "label": "An"},
        "attachments": [file],
        "isReplyAuthorized": True,
        "isRegisteredMail": True,
    }
    former = {
        **SMALLEST,
        "recipient": {"eboxType": "enterprise", "eboxIdValue": RECIPIENT},
        "sender": {"eboxType": "enterprise", "eboxIdValue": SENDER},
        "subject": {"nl": "Brief", "en": "Letter"},
        "attachments": [{"httpPartName": "one", "mainContent": True, "totalItems": 1}],
        "forTheAttentionOf": {"id": PERSON, "name": "An", "type": "SSIN"},
        "replyAuthorized": True,
        "registeredMail": True,
        "senderOrganizationId": SENDER,
        "totalItems": 1,
    }

    (draft, issues), (expected, _) = (load(MessageToPublishSchema(), m) for m in (former, todays))

    assert issues == []
    assert draft == expected
    # Where a member is there under both names, today's counts.
    assert load(MessageToPublishSchema(), {**todays, "registeredMail": False})[0] == expected


LONG, TEXT, OBJECT = "x" * 401, "is not a text", "is not an object"
SCHEMA_FAULTS = [
    (["sender"], "x", OBJECT),
    (["sender", "eboxType"], "citizen", "is none of enterprise"),
    (["sender", "enterpriseNumber"], 308357159, TEXT),
    (["sender", "partition"], "a b", "is not 1 to 64 letters, digits, dots, _ or -"),
    (["recipient", "eboxType"], "company", "is none of enterprise, citizen"),
    (["recipient", "enterpriseNumber"], ABSENT, "is required with eboxType enterprise"),
    (["recipient", "ssin"], PERSON, "does not go with eboxType enterprise"),
    (["subject"], "x", OBJECT),
    (["subject"], {}, "has no text in nl, fr, de"),
    (["subject", "nl"], "", "is empty"),
    (["subject", "nl"], 1, TEXT),
    (["subject", "nl"], LONG, "is longer than 400 characters"),
    (["subject", "english"], "x", "is unknown"),
    (["messageTypeId"], "a b", "is not 1 to 100 letters, digits, dots, _ or -"),
    (["messageTypeId"], "", "is empty"),
    (["senderApplicationId"], "x" * 101, "is not 1 to 100 letters, digits, dots, _ or -"),
    (["forTheAttentionOf"], {}, "is empty"),
    (["forTheAttentionOf", "ssin"], "850312123", "is not eleven digits"),
    (["forTheAttentionOf", "label"], "x" * 101, "is longer than 100 characters"),
    (["forTheAttentionOf", "label"], "", "is empty"),
    (["isRegisteredMail"], "true", "is neither true nor false"),
    (["isRegisteredMail"], 1, "is neither true nor false"),
    (["isReplyAuthorized"], None, "is null"),
    (["attachments"], {}, "is not an array"),
    (["attachments"], [FULL["attachments"][0]] * 21, "has more than 20 items"),
    (["attachments", 0], "x", OBJECT),
    (["attachments", 0, "httpPartName"], "", "is empty"),
    (["attachments", 0, "httpPartName"], "x" * 256, "is longer than 255 characters"),
    (["attachments", 0, "isMainContent"], "false", "is neither true nor false"),
    (["attachments", 0, "digest", "digestMethod"], "md5", "is none of sha_256"),
    (["attachments", 0, "digest", "digestValue"], "x" * 129, "is longer than 128 characters"),
    (["attachments", 1, "attachmentTitle", "fr"], "", "is empty"),
    (["businessDataList", 0, "key"], "", "is empty"),
    (["businessDataList", 0, "values"], "x", "is not an array"),
    (["businessDataList", 0, "values", 1], "x", OBJECT),
    (["businessDataList", 0, "values", 1, "nl"], "x" * 257, "is longer than 256 characters"),
    (["businessDataList"], [FACT] * 101, "has more than 100 items"),
    (["businessDataList"], [LARGE_FACT], "takes more than 65536 bytes of JSON"),
    (["attachments", 1, "attachmentTitle", "fr"], "x" * 1001, "is longer than 1000 characters"),
    (["messageAction", "label", "nl"], "x" * 1001, "is longer than 1000 characters"),
    (["paymentData", "reference"], {"a": "x" * 4090}, "takes more than 4096 bytes of JSON"),
    (["paymentData", "amount"], True, "is not a decimal number"),
    (["paymentData", "amount"], "1,5", "is not a decimal number"),
    (["paymentData", "amount"], ".", "is not a decimal number"),
    (["paymentData", "amount"], "1\n", "is not a decimal number"),
    (["paymentData", "currency"], "eur", "is not a currency code"),
    (["paymentData", "iban"], "BE68 5390 0754 7034", "is not an IBAN without spaces"),
    (["paymentData", "bic"], "GKCC", "is not a BIC"),
    (["paymentData", "reference"], "x", OBJECT),
    (["structuredData"], [], OBJECT),
    (["messageAction", "messageActionId"], "a b", "is not 1 to 64 letters, digits, dots, _ or -"),
    (["messageTemplateId"], "\u00e9", "is not 1 to 100 letters, digits, dots, _ or -"),
]


@pytest.mark.parametrize(("path", "value", "fault"), SCHEMA_FAULTS)
def test_each_fault_is_named_by_its_path(path, value, fault):
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]

    assert fails(changed(path, value)) == [(name, f"{name} {fault}")]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-30",
        "2026-11-30T23:59:59",
        "2026-11-30T23:59:59+0100",
        "2026-02-30T23:59:59Z",
        "2026-11-30T24:00:00Z",
        "2026-11-30 23:59:59Z",
        "2026-11-30T23:59:59+25:00",
        "yesterday",
        "",
        1,
    ],
)
def test_a_date_time_needs_its_offset(moment):
    name = "paymentData.dueDate"

    assert fails(changed(["paymentData", "dueDate"], moment)) == [
        (name, f"{name} is not a date-time with an offset, such as 2026-11-20T12:00:00Z")
    ]


@pytest.mark.parametrize("moment", ["2026-11-30T23:59:59Z", "2026-11-30t23:59:59.5z"])
def test_a_date_time_is_kept_with_its_offset(moment):
    draft, _ = load(MessageToPublishSchema(), changed(["paymentData", "dueDate"], moment))

    assert draft.payment_data["due_date"] == "2026-11-30T23:59:59+00:00"


def test_a_body_that_is_the_main_content_has_to_be_there():
    members = {**SMALLEST, "isBodyMainContent": True}

    assert fails(members) == [
        ("bodyContent", "bodyContent is required when isBodyMainContent is true")
    ]


@pytest.mark.parametrize("member", ["sender", "recipient"])
def test_check_digits_make_no_valid_company(member):
    members = changed([member, "enterpriseNumber"], WRONG)

    _, [issue] = load(MessageToPublishSchema(), members)

    assert issue.name == f"{member}.enterpriseNumber"
    assert issue.detail == f"{WRONG} is not a valid company"
    assert (issue.kind, issue.value) == (IssueKind.INVALID_INPUT, WRONG)


def test_a_person_s_number_is_never_repeated():
    for number in ("85031212363", "1"):
        _, [issue] = load(MessageToPublishSchema(), changed(["forTheAttentionOf", "ssin"], number))
        assert issue.value is ABSENT
        assert number not in issue.detail.replace("forTheAttentionOf.ssin", "")


def test_check_digits_are_not_looked_at_where_the_operator_says_so():
    members = changed(["sender", "enterpriseNumber"], "0123456789")
    members = changed(["recipient"], {"eboxType": "citizen", "ssin": "71022722580"}, members)
    members = changed(["forTheAttentionOf", "ssin"], "79072300048", members)

    draft, issues = load(MessageToPublishSchema(), members, rules=BodyRules(check_digits=False))

    assert issues == []
    assert draft.recipient == Ebox(EboxKind.CITIZEN, "71022722580")


def test_limits_are_the_operator_s():
    rules = {"subject": 4, "value": 3, "label": 2, "attachments": 1}
    two_facts = {**FULL, "businessDataList": FULL["businessDataList"] * 2}

    assert [name for name, _ in fails(FULL, **rules)] == [
        "subject.nl",
        "forTheAttentionOf.label",
        "attachments",
        "businessDataList[0].values[0].nl",
        "businessDataList[0].values[1].nl",
    ]
    for bound in ({"business_data": 1}, {"business_data_size": 150}):
        assert [name for name, _ in fails(two_facts, **bound)] == ["businessDataList"]


def test_all_faults_are_told_together_after_the_name_of_the_part():
    members = {"subject": {"nl": ""}, "attachments": [{"httpPartName": 1}], "x": 1}

    _, issues = load(MessageToPublishSchema(), members, under="messageToPublish")

    assert {issue.name for issue in issues} == {
        f"messageToPublish.{name}"
        for name in (
            "sender",
            "recipient",
            "subject.nl",
            "messageTypeId",
            "senderApplicationId",
            "attachments[0].httpPartName",
            "attachments[0].isMainContent",
            "x",
        )
    }
    assert {issue.where for issue in issues} == {"body"}


def test_no_more_than_a_hundred_faults_are_told():
    members = {**SMALLEST, **{f"unknown{number}": 1 for number in range(1_000)}}

    assert len(fails(members)) == 100


@cache
def contract(name):
    components = DOCUMENT["components"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return jsonschema_rs.Draft4Validator(schema)


def examples(path):
    """The JSON of every example of a body in the contract."""
    operation = DOCUMENT["paths"][path]["post"]
    for media_type in operation["requestBody"]["content"].values():
        for example in media_type.get("examples", {}).values():
            yield example["value"].get("messageToPublish", example["value"])
        if "example" in media_type:
            yield media_type["example"]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/ebox/messages", MessageToPublishSchema),
        ("/ebox/messages/{messageId}/replies", MessageToReplySchema),
        ("/ebox/messages/{messageId}/recipients", RecipientsSchema),
        ("/ebox/messageStatus/search", StatusSearchSchema),
    ],
)
def test_the_examples_of_the_contract_are_read(path, schema):
    found = list(examples(path))

    assert found
    for members in found:
        assert load(schema(), members, rules=BodyRules(check_digits=False))[1] == []


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("MessageToPublish", MessageToPublishSchema),
        ("MessageToReply", MessageToReplySchema),
        ("RecipientsToAdd", RecipientsSchema),
        ("MessageStatusRequest", StatusSearchSchema),
    ],
)
def test_schemas_have_the_names_and_the_required_list_of_the_contract(name, schema):
    promised = DOCUMENT["components"]["schemas"][name]
    fields = {field.data_key or key: field for key, field in schema().fields.items()}

    assert set(fields) == set(promised["properties"])
    assert {key for key, field in fields.items() if field.required} == set(promised["required"])


@pytest.mark.parametrize(("path", "value", "fault"), SCHEMA_FAULTS)
def test_the_contract_refuses_what_we_refuse_but_for_limits_that_only_its_words_have(
    path, value, fault
):
    limits = ("400 char", "256 char", "20 items", "65536 bytes", "1000 char", "4096 bytes")
    is_in_words = any(limit in fault for limit in limits)

    assert contract("MessageToPublish").is_valid(FULL)
    assert contract("MessageToPublish").is_valid(changed(path, value)) is is_in_words


def test_recipients_are_read_in_their_order_and_check_digits_left_to_each():
    members = {
        "recipients": [
            {"eboxType": "enterprise", "enterpriseNumber": WRONG, "partition": "x"},
            {"eboxType": "citizen", "ssin": "85031212361"},
        ]
    }

    assert load(RecipientsSchema(), members) == (
        (Ebox(EboxKind.ENTERPRISE, WRONG), Ebox(EboxKind.CITIZEN, "85031212361")),
        [],
    )


def test_there_are_one_to_ten_thousand_recipients():
    recipient = SMALLEST["recipient"]
    value, _ = load(RecipientsSchema(), {"recipients": [recipient] * 10_000})
    assert len(value) == 10_000

    assert fails({"recipients": []}, RecipientsSchema) == [
        ("recipients", "recipients has less than 1 items")
    ]
    assert fails({"recipients": [recipient] * 10_001}, RecipientsSchema) == [
        ("recipients", "recipients has more than 10000 items")
    ]


MESSAGE_ID = "3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10"


def test_a_status_is_asked_of_pairs():
    members = {"items": [{"messageId": MESSAGE_ID, "recipient": SMALLEST["recipient"]}]}

    assert load(StatusSearchSchema(), members) == (
        ((UUID(MESSAGE_ID), Ebox(EboxKind.ENTERPRISE, RECIPIENT)),),
        [],
    )


def test_a_status_is_asked_of_no_more_than_five_hundred():
    pair = {"messageId": MESSAGE_ID, "recipient": SMALLEST["recipient"]}

    assert len(load(StatusSearchSchema(), {"items": [pair] * 500})[0]) == 500
    assert fails({"items": [pair] * 501}, StatusSearchSchema) == [
        ("items", "items has more than 500 items")
    ]
    for wrong in (1, {}):
        assert fails({"items": [{**pair, "messageId": wrong}]}, StatusSearchSchema) == [
            ("items[0].messageId", "items[0].messageId is not a text")
        ]


EVENT = {
    "specversion": "1.0",
    "id": "b2f6",
    "source": "urn:be:eboxenterprise:partition",
    "type": "be.eboxenterprise.v1.routingRule.updated",
}


def test_an_event_is_a_notification():
    members = {
        **EVENT,
        "time": "2026-10-05T12:00:00Z",
        "datacontenttype": "application/json",
        "subject": None,
        "partitionkey": "an extension",
        "data": {"enterpriseNumber": "0765432146", "anything": None},
    }

    assert load(NotificationSchema(), members) == (
        Notification(
            source="urn:be:eboxenterprise:partition",
            id="b2f6",
            type="be.eboxenterprise.v1.routingRule.updated",
            time=datetime(2026, 10, 5, 12, tzinfo=UTC),
            data={"enterpriseNumber": "0765432146", "anything": None},
        ),
        [],
    )


def test_an_event_may_lack_time_and_data():
    event, _ = load(NotificationSchema(), {**EVENT, "time": None})

    assert (event.time, event.data) == (None, {})


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
        ({"source": 1}, "source"),
        ({"type": ""}, "type"),
        ({"time": "yesterday"}, "time"),
        ({"data": "text"}, "data"),
        ({"data": []}, "data"),
    ],
)
def test_an_event_that_is_none_is_refused(changes, name):
    assert [found for found, _ in fails({**EVENT, **changes}, NotificationSchema)] == [name]
