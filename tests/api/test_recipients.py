"""Broadcasts: the sender's own message into more e-Boxes, its documents shared (contract 6.34)."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from registry.domain.identifiers import EboxKind
from registry.store.schema import metadata
from tests.api.publication import MESSAGES, Document, named
from tests.factories import PDF, an_ebox

ANNEX = Document("annex", b"a;b\r\n", "b.csv", "text/csv", is_main=False)


def link(sender, message_id, *eboxes):
    recipients = [ebox if isinstance(ebox, dict) else named(ebox) for ebox in eboxes]
    path = f"{MESSAGES}/{message_id}/recipients"
    return sender.ask("POST", path, json={"recipients": recipients})


def test_each_recipient_gets_the_whole_message(sender, reader, told):
    first, second, third = reader(), reader(), reader()
    text = {"bodyContent": {"nl": "Tekst"}, "structuredData": {"a": 1}}
    message_id = sender.published(first.ebox, Document(), ANNEX, **text)

    answer = link(sender, message_id, second.ebox, third.ebox)

    assert answer.status_code == 201, answer.text
    shown = first.get(f"{MESSAGES}/{message_id}").json
    assert answer.json == {
        "messageId": message_id,
        "expirationDate": shown["expirationDate"],
        "nbSuccessLinks": 2,
        "errorCases": [],
    }
    for recipient in (second, third):
        copy = recipient.get(f"{MESSAGES}/{message_id}").json
        own = {"recipient", "receiptDate"}
        assert {k: v for k, v in copy.items() if k not in own} == {
            k: v for k, v in shown.items() if k not in own
        }
        assert copy["recipient"]["enterpriseNumber"] == recipient.ebox.number
        assert recipient.get(f"{MESSAGES}?q=aanslag&qlang=nl").json["totalItems"] == 1
        assert recipient.get(f"{MESSAGES}/{message_id}/structuredData").json == {"a": 1}
        assert told(recipient.ebox) == [("newDocument", UUID(message_id))]
        path = f"{MESSAGES}/{message_id}/attachments/1/content"
        assert recipient.get(path).data == PDF


def test_documents_are_shared(sender, stored):
    message_id = sender.published(an_ebox())
    _, _, keys = stored()

    link(sender, message_id, an_ebox(), an_ebox())

    assert stored()[2] == keys


def test_one_who_reads_it_reads_it_for_himself_alone(sender, reader, is_read):
    first, second = reader(), reader()
    message_id = sender.published(first.ebox)
    link(sender, message_id, second.ebox)

    second.get(f"{MESSAGES}/{message_id}/attachments/1/content")

    assert (is_read(first, message_id), is_read(second, message_id)) == (False, True)


def test_what_was_read_before_is_unread_for_those_who_come_later(sender, reader, is_read):
    first, second = reader(), reader()
    message_id = sender.published(first.ebox)
    first.get(f"{MESSAGES}/{message_id}/attachments/1/content")

    link(sender, message_id, second.ebox)

    assert is_read(second, message_id) is False


def test_one_who_has_it_already_counts_as_linked_and_is_told_once(sender, reader, told):
    first, second = reader(), reader()
    message_id = sender.published(first.ebox)
    link(sender, message_id, second.ebox)

    again = link(sender, message_id, first.ebox, second.ebox, second.ebox)

    assert (again.status_code, again.json["nbSuccessLinks"]) == (201, 2)
    assert second.get(MESSAGES).json["totalItems"] == 1
    assert len(told(first.ebox)) == len(told(second.ebox)) == 1


def test_citizens_are_recipients_too(sender, told):
    citizen = an_ebox(EboxKind.CITIZEN)
    message_id = sender.published(an_ebox())

    answer = link(sender, message_id, citizen)

    assert answer.json["nbSuccessLinks"] == 1
    assert told(citizen) == [("newDocument", UUID(message_id))]


def test_a_number_that_cannot_be_does_not_stop_the_others(sender, reader, publishing_with):
    checked = type(sender)(
        publishing_with(check_digits=True).test_client(), sender.token, sender.ebox
    )
    other, wrong = reader(), "0206731646"
    message_id = sender.published(an_ebox())
    nobody = {"eboxType": "enterprise", "enterpriseNumber": wrong}

    answer = link(checked, message_id, nobody, other.ebox)

    assert answer.status_code == 201
    assert answer.json["nbSuccessLinks"] == 1
    assert [case["enterpriseNumber"] for case in answer.json["errorCases"]] == [wrong]
    assert other.get(MESSAGES).json["totalItems"] == 1


def test_each_recipients_own_rules_decide(sender, reader, tell_rules):
    ruled, unruled = reader(), reader()
    tell_rules(ruled.ebox, {"senderOrganizationId": sender.ebox.number, "partition": "agency"})
    message_id = sender.published(an_ebox())

    link(sender, message_id, ruled.ebox, unruled.ebox)

    partitions = [
        one.get(f"{MESSAGES}/{message_id}").json["recipient"]["partition"]
        for one in (ruled, unruled)
    ]
    assert partitions == ["agency", "GENERAL"]


def test_who_has_no_known_rules_waits_for_them(sender, reader, tell_rules):
    recipient = reader()
    message_id = sender.published(an_ebox())
    link(sender, message_id, recipient.ebox)

    tell_rules(recipient.ebox, {"messageTypeId": "information-letter", "partition": "late"})

    shown = recipient.get(f"{MESSAGES}/{message_id}").json
    assert shown["recipient"]["partition"] == "late"


def test_thousands_are_linked_in_one_call(sender, owner):
    message_id = sender.published(an_ebox(), Document(), ANNEX)
    many = {an_ebox() for _ in range(2_000)}

    answer = link(sender, message_id, *many)

    assert answer.json["nbSuccessLinks"] == len(many)
    expected = {"messages": 1, "search_texts": 1, "outbox": 1, "attachments": 2}
    with owner.connect() as connection:
        for table, rows in expected.items():
            of_it = metadata.tables[table].c.message_id == message_id
            found = connection.scalar(select(func.count()).where(of_it))
            assert found == rows * (len(many) + 1), table


@pytest.mark.parametrize("message", ["somebody's", "never", "received"])
def test_only_ones_own_message_is_linked(sender, a_sender, reader, nothing_stored, message):
    ids = {
        "somebody's": a_sender().published(an_ebox()),
        "never": str(uuid4()),
        "received": a_sender().published(sender.ebox),
    }
    recipient = reader()

    with nothing_stored():
        answer = link(sender, ids[message], recipient.ebox)

    assert answer.status_code == 404
    assert recipient.get(MESSAGES).json["totalItems"] == 0


def test_an_expired_message_is_linked_no_more(sender, owner, nothing_stored):
    message_id = sender.published(an_ebox())
    with owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE messages SET expires_at = now() WHERE message_id = %s", (message_id,)
        )

    with nothing_stored():
        assert link(sender, message_id, an_ebox()).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"recipients": []},
        {"recipients": {}},
        {"recipients": [{"eboxType": "enterprise"}]},
        {"recipients": [{"eboxType": "enterprise", "enterpriseNumber": "12"}]},
        {"recipients": [], "more": 1},
        {"recipients": [{"eboxType": "enterprise", "enterpriseNumber": "0206731645"}] * 10_001},
    ],
)
def test_recipients_of_another_shape_are_refused(sender, nothing_stored, wrong):
    message_id = sender.published(an_ebox())

    with nothing_stored():
        answer = sender.ask("POST", f"{MESSAGES}/{message_id}/recipients", json=wrong)

    assert answer.status_code == 400


def test_a_scope_to_read_does_not_link(sender, reader, nothing_stored):
    message_id = sender.published(an_ebox())
    somebody = reader(sender.ebox)

    with nothing_stored():
        assert link(somebody, message_id, an_ebox()).status_code == 403
