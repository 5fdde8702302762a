"""A reply obeys the rules of a publication, and is offered only where it can be given (6.40)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, PORTAL
from tests.api.publication import MESSAGES, Sender, at, named
from tests.api.v2.visiting import in_version_2, publish
from tests.factories import a_person, an_ebox

PARTITIONS = ["GENERAL", "Sales", "Legal"]


@pytest.fixture
def asked(sender):
    """Publish a message that may be answered; gives its id."""
    return lambda ebox, **changes: sender.published(ebox, isReplyAuthorized=True, **changes)


@pytest.fixture
def person(publication, party, grant):
    """A person of a fresh enterprise who may read these partitions: `person("GENERAL")`."""

    def come(*readable):
        ebox, ssin = an_ebox(), a_person()
        grant(ebox.number, PARTITIONS, {ssin: list(readable)})
        token = party(PORTAL, enterprise=ebox.number, person=ssin)
        return Sender(publication.test_client(), token, ebox)

    return come


def from_partition(visitor, partition):
    return {**named(visitor.ebox), "partition": partition}


@pytest.mark.parametrize(
    ("kind", "is_offered"), [(EboxKind.ENTERPRISE, True), (EboxKind.CITIZEN, False)]
)
def test_a_reply_is_offered_only_where_it_can_be_given(reader, deliver, kind, is_offered):
    recipient = reader(an_ebox(kind))
    message_id = deliver(recipient.ebox, is_reply_authorized=True)

    for visitor, member in (
        (recipient, "isReplyAuthorized"),
        (in_version_2(recipient), "replyAuthorized"),
    ):
        listed = visitor.get(MESSAGES).json["items"][0]
        shown = visitor.get(f"{MESSAGES}/{message_id}").json
        assert (listed[member], shown[member]) == (is_offered, is_offered)


@pytest.mark.parametrize("partition", ["GENERAL", "Sales"])
def test_a_person_replies_from_a_partition_that_he_may_read(person, asked, sender, partition):
    user = person("GENERAL", "Sales")

    answer = user.reply(asked(user.ebox), sender=from_partition(user, partition))

    assert answer.status_code == 201, answer.text
    shown = sender.get(f"{MESSAGES}/{answer.json['messageId']}").json
    assert shown["sender"]["partition"] == partition


def test_a_person_does_not_reply_from_a_partition_without_right(person, asked, nothing_stored):
    user = person("GENERAL", "Sales")
    message_id = asked(user.ebox)

    with nothing_stored():
        answer = user.reply(message_id, sender=from_partition(user, "Legal"))

    assert answer.status_code == 403
    assert answer.json["type"].endswith("missingPermission")


@pytest.mark.parametrize("name", ["person", "software"])
def test_nobody_replies_from_a_partition_that_is_not_there(
    person, reader, asked, grant, nothing_stored, name
):
    user = person("GENERAL")
    caller = user if name == "person" else reader(user.ebox)
    message_id = asked(user.ebox)

    with nothing_stored():
        answer = caller.reply(message_id, sender=from_partition(user, "Nowhere"))

    assert answer.status_code == 400
    issue = answer.json["issues"][0]
    assert issue["type"].endswith("referencedResourceNotFound")
    assert (issue["name"], issue["value"]) == ("sender.partition", "Nowhere")


def test_software_replies_from_any_partition_that_is_there(person, reader, asked):
    recipient = reader(person("GENERAL").ebox)

    answer = recipient.reply(asked(recipient.ebox), sender=from_partition(recipient, "Legal"))

    assert answer.status_code == 201, answer.text


def test_who_may_not_read_general_replies_from_where_the_message_is(person, sender, deliver):
    user = person("Sales")
    columns = {"sender": sender.ebox.number, "partition": "Sales", "is_reply_authorized": True}

    answer = user.reply(deliver(user.ebox, **columns))

    assert answer.status_code == 201, answer.text
    path = f"{MESSAGES}/{answer.json['messageId']}"
    assert sender.get(path).json["sender"]["partition"] == "Sales"
    assert user.get(path).status_code == 200


def test_anothers_application_does_not_reply(reader, a_sender, asked, nothing_stored):
    recipient = reader()
    message_id = asked(recipient.ebox)

    with nothing_stored():
        answer = recipient.reply(message_id, senderApplicationId="sandbox-sender")

    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_SENDER")


def test_an_application_of_ones_own_replies_with_any_type(a_sender, asked, configure):
    recipient = a_sender()
    message_id = asked(recipient.ebox)

    answer = recipient.reply(message_id, senderApplicationId="my-minfin")

    assert answer.status_code == 201, answer.text


def test_a_reply_is_no_registered_mail(reader, asked, nothing_stored):
    recipient = reader()
    message_id = asked(recipient.ebox)

    with nothing_stored():
        answer = recipient.reply(message_id, isRegisteredMail=True)

    assert answer.status_code == 400
    assert answer.json["issues"][0]["name"] == "isRegisteredMail"
    assert recipient.reply(message_id, isRegisteredMail=False).status_code == 201


def test_in_version_2_an_original_that_one_did_not_receive_is_as_unknown(
    sender, a_sender, asked, deliver, nothing_stored
):
    other = a_sender()
    past = datetime.now(UTC) - timedelta(seconds=1)
    originals = {
        "unknown": str(uuid4()),
        "somebody else's": asked(an_ebox()),
        "a citizen's": asked(an_ebox(EboxKind.CITIZEN)),
        "one's own": other.published(an_ebox(), isReplyAuthorized=True),
        "expired": str(deliver(other.ebox, is_reply_authorized=True, expires_at=past)),
    }

    with nothing_stored():
        answers = {
            reason: publish(other, sender.ebox, originalMessageId=original)
            for reason, original in originals.items()
        }

    texts = {
        answer.json["message"].replace(originals[reason], "ID")
        for reason, answer in answers.items()
    }
    assert {answer.status_code for answer in answers.values()} == {400}
    assert texts == {"Referenced resource originalMessageId = 'ID' does not exist"}


def test_in_version_2_a_message_without_replies_is_not_answered(sender, a_sender, nothing_stored):
    other = a_sender()
    message_id = sender.published(other.ebox)

    with nothing_stored():
        answer = publish(other, sender.ebox, originalMessageId=message_id)

    assert (answer.status_code, answer.json["code"]) == (409, "REPLY_NOT_AUTHORIZED")


def test_in_version_2_a_message_that_takes_replies_is_answered(sender, a_sender, asked):
    other = a_sender()

    answer = publish(other, sender.ebox, originalMessageId=asked(other.ebox))

    assert answer.status_code == 201, answer.text


def test_in_version_2_a_consumer_replies_and_publishes_nothing_else(
    publication, visitor, sender, configure, asked, nothing_stored
):
    consumer = at(visitor(CONSUMER), publication, Sender)
    configure(consumer.ebox.number)
    message_id = asked(consumer.ebox)

    with nothing_stored():
        refused = {
            "no reply": publish(consumer, sender.ebox),
            "to another": publish(consumer, an_ebox(), originalMessageId=message_id),
            "to nothing": publish(consumer, sender.ebox, originalMessageId=str(uuid4())),
            "as registered mail": publish(
                consumer, sender.ebox, originalMessageId=message_id, registeredMail=True
            ),
        }
    answer = publish(consumer, sender.ebox, originalMessageId=message_id)
    nameless = {"messageTypeId": None, "senderApplicationId": None}
    bare_answer = publish(consumer, sender.ebox, originalMessageId=message_id, **nameless)

    assert bare_answer.status_code == 201, bare_answer.text
    assert {reason: one.status_code for reason, one in refused.items()} == {
        "no reply": 403,
        "to another": 400,
        "to nothing": 400,
        "as registered mail": 400,
    }
    assert answer.status_code == 201, answer.text
    shown = sender.get(f"/ebox/messages/{answer.json['messageId']}").json
    assert shown["originalMessageId"] == message_id


def test_in_version_2_a_person_of_the_portal_does_not_reply(
    publication, portal_user, sender, asked
):
    portal_user = at(portal_user, publication, Sender)

    answer = publish(portal_user, sender.ebox, originalMessageId=asked(portal_user.ebox))

    assert answer.status_code == 403
