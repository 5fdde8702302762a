"""What is published in one version is read in the other, and nothing is lost on the way."""

from copy import deepcopy
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from registry.domain.identifiers import EboxKind
from registry.domain.languages import LANGUAGES
from registry.sandbox.personas import FOR_ANOTHER
from tests.api.publication import Document
from tests.api.v2.visiting import LINK, MESSAGES, PAYMENT, STATUS, in_version_2, named, publish
from tests.factories import PDF, an_ebox

# What version 3 calls otherwise, on the way in and on the way out.
OLD_NAMES = {
    "isRead": "readStatus",
    "isVisible": "visible",
    "isRegisteredMail": "registeredMail",
    "isReplyAuthorized": "replyAuthorized",
    "isBodyMainContent": "bodyMainContent",
    "isMainContent": "mainContent",
    "isAttachmentSigned": "attachmentSigned",
    "ssin": "id",
    "label": "name",
}
ONLY_NEW = {"sender", "recipient", "messageAction", "messageTemplateId"}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
TEXTS = st.dictionaries(st.sampled_from(LANGUAGES), TEXT, min_size=1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
AMOUNTS = NUMBERS.map(lambda number: format(Decimal(repr(number)), "f"))
FACTS = st.fixed_dictionaries(
    {"key": TEXT, "values": st.lists(TEXTS, max_size=2)},
    optional={"name": TEXTS, "description": TEXTS},
)
TO_PAY = st.fixed_dictionaries(
    {
        **{name: st.just(value) for name, value in PAYMENT.items()},
        "amount": AMOUNTS,
        "vatAmount": AMOUNTS,
    },
    optional={"bic": st.just("GKCCBEBB"), "reference": st.dictionaries(TEXT, TEXT, max_size=2)},
)
PERSON = st.fixed_dictionaries({"label": TEXT}, optional={"ssin": st.just("85031212362")})
SAID = st.fixed_dictionaries(
    {"isAttachmentSigned": st.booleans()}, optional={"attachmentTitle": TEXTS}
)
# A message as version 3 has it, in every combination of what may be left out.
GENERATED = st.fixed_dictionaries(
    {"subject": TEXTS, "isRegisteredMail": st.booleans(), "isReplyAuthorized": st.booleans()},
    optional={
        "forTheAttentionOf": PERSON,
        "bodyContent": TEXTS,
        "businessDataList": st.lists(FACTS, max_size=2),
        "paymentData": TO_PAY,
    },
)
EXAMPLES = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],  # each example publishes twice: none is made smaller
)


def old(value):
    """What version 3 says, under the names that version 2.1 has for it."""
    if isinstance(value, list):
        return [old(each) for each in value]
    if not isinstance(value, dict):
        return value
    renamed = {OLD_NAMES.get(name, name): old(each) for name, each in value.items()}
    if "reference" in value:
        renamed["reference"] = value["reference"]
    return renamed


def expected(shown):
    """What version 2.1 shows of a message that version 3 shows so."""
    members = old({name: each for name, each in shown.items() if name not in ONLY_NEW})
    members["senderOrganizationId"] = shown["sender"]["enterpriseNumber"]
    members.setdefault("bodyMainContent", False)
    for fact in members.get("businessDataList", {"items": []})["items"]:
        fact.setdefault("name", dict.fromkeys(LANGUAGES, fact["key"]))
    for file in members["attachments"]["items"]:
        file["contentHref"] = file["contentHref"].replace("/v3/", "/v2/")
    return members


def without_its_own(shown):
    """A message without what no two messages share."""
    members = deepcopy(shown)
    for name in ("messageId", "receiptDate", "expirationDate"):
        del members[name]
    for file in members["attachments"]["items"]:
        del file["contentHref"]
    for name in {"amount", "vatAmount"} & members.get("paymentData", {}).keys():
        members["paymentData"][name] = Decimal(str(members["paymentData"][name]))  # 7.0 is 7
    return members


def published(sender, to, documents, members, version):
    """Publish what version 3 would have it so, in one of the versions; the message's path."""
    if version == 3:
        return f"{MESSAGES}/{sender.published(to, *documents, **members)}"
    announced = [Document(d.part, is_main=d.is_main, announced=old(d.announced)) for d in documents]
    required = {"isBodyMainContent": False, **members}
    answer = publish(sender, to, *announced, **old(required))
    assert answer.status_code == 201, answer.text
    return f"{MESSAGES}/{answer.json['messageId']}"


@pytest.mark.long
@pytest.mark.parametrize("kind", EboxKind)
@EXAMPLES
@given(members=GENERATED, files=st.lists(SAID, min_size=1, max_size=3), main=st.integers(-1, 2))
def test_a_message_is_the_same_whichever_version_wrote_it_and_whichever_reads_it(
    sender, reader, kind, members, files, main
):
    recipient = reader(an_ebox(kind))
    is_body_main = main == -1 and "bodyContent" in members
    if is_body_main:
        members = {**members, "isBodyMainContent": True}
    documents = [
        Document(
            f"upfile{n}",
            is_main=not is_body_main and n == max(main, 0) % len(files),
            announced=said,
        )
        for n, said in enumerate(files)
    ]

    shown = {}
    for version in (3, 2):
        path = published(sender, recipient.ebox, documents, members, version)
        shown[version] = recipient.get(path).json
        assert in_version_2(recipient).get(path).json == expected(shown[version])

    assert without_its_own(shown[2]) == without_its_own(shown[3])


@pytest.mark.parametrize("version", [2, 3])
def test_documents_and_bodies_are_read_in_both_versions(sender, reader, version):
    recipient, body = reader(), {"fr": "Bonjour"}
    path = published(sender, recipient.ebox, [Document()], {"bodyContent": body}, version)

    for asking in (recipient, in_version_2(recipient)):
        assert asking.get(f"{path}/attachments/1/content").data == PDF
        assert asking.get(f"{path}/body").json == dict.fromkeys(LANGUAGES, "Bonjour")


def test_what_is_done_in_one_version_is_seen_in_the_other(sender, reader):
    recipient = reader()
    path = published(sender, recipient.ebox, [Document()], {}, 3)
    hide = {"items": [{"messageId": path.rpartition("/")[2], "visible": False}]}

    in_version_2(recipient).ask("PATCH", MESSAGES, json=hide)
    in_version_2(recipient).get(f"{path}/attachments/1/content")

    shown = recipient.get(path).json
    assert (shown["isVisible"], shown["isRead"]) == (False, True)
    assert recipient.get(f"{MESSAGES}?isVisible=false&isRead=true").json["totalItems"] == 1


def test_a_reply_of_version_2_names_what_it_replies_to(sender, a_sender):
    other = a_sender()
    asked = {"isReplyAuthorized": True}
    first = published(sender, other.ebox, [Document()], asked, 3).rpartition("/")[2]

    answer = publish(other, sender.ebox, originalMessageId=first)

    path = f"{MESSAGES}/{answer.json['messageId']}"
    assert sender.get(path).json["originalMessageId"] == first
    assert in_version_2(sender).get(path).json["originalMessageId"] == first


def test_a_reply_of_version_3_is_one_in_version_2(sender, a_sender):
    other = a_sender()
    asked = {"isReplyAuthorized": True}
    first = published(sender, other.ebox, [Document()], asked, 2).rpartition("/")[2]

    reply = other.reply(first)

    assert reply.status_code == 201, reply.text
    shown = in_version_2(sender).get(f"{MESSAGES}/{reply.json['messageId']}").json
    assert shown["originalMessageId"] == first
    assert shown["senderOrganizationId"] == other.ebox.number


def test_a_message_of_version_3_is_spread_and_followed_in_version_2(sender, reader):
    first, second = reader(), reader()
    path = published(sender, first.ebox, [Document()], {}, 3)
    message = path.rpartition("/")[2]
    members = {"messageId": message, "recipients": [named(second.ebox)]}

    linked = in_version_2(sender).ask("POST", LINK, json=members)
    second.get(f"{path}/attachments/1/content")
    asked = [{"messageId": message, "eboxId": named(each.ebox)} for each in (first, second)]
    statuses = in_version_2(sender).ask("POST", STATUS, json=asked).json

    assert linked.json["nbSuccessLinks"] == 1
    read = {status["eboxId"]["eboxIdValue"]: status["readStatus"] for status in statuses}
    assert read == {first.ebox.number: False, second.ebox.number: True}


def test_a_key_is_used_up_in_both_versions(sender):
    key = {"Idempotency-Key": '"once"'}
    sender.publish(an_ebox(), headers=key)

    assert publish(sender, an_ebox(), headers=key).status_code == 409


def test_a_representative_publishes_in_version_2_for_whom_he_may(a_sender, facts):
    whom, representative = a_sender(), a_sender(FOR_ANOTHER)
    mandate = {
        "mandator": whom.ebox.number,
        "mandatary": representative.ebox.number,
        "operation": "publish",
    }
    headers = {"On-Behalf-Of-Enterprise-Number": whom.ebox.number}

    before = publish(representative, an_ebox(), headers=headers)
    facts("mandates", lambda known: known["mandates"].append(mandate))
    after = publish(representative, whom.ebox, headers=headers)

    assert before.json["code"] == "INVALID_SENDER"
    shown = in_version_2(whom).get(f"{MESSAGES}/{after.json['messageId']}").json
    assert shown["senderOrganizationId"] == whom.ebox.number
