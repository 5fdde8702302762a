"""A withdrawn message leaves nothing for the reader, and everything for the auditor (ADR 037)."""

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from registry.domain.identifiers import EboxKind
from registry.store.schema import metadata
from registry.wiring.operators import OperatorServices
from tests.api.message_updates import change, execute
from tests.api.publication import MESSAGES, Document, named
from tests.api.v2.visiting import STATUS, in_version_2
from tests.api.v2.visiting import named as named_2
from tests.factories import PDF, an_ebox
from tests.trail_entries import read_trail

VERSIONS = [lambda visitor: visitor, in_version_2]
WHY = "a letter to the wrong person"
SEARCH = "/ebox/messageStatus/search"
FULL = {
    "isReplyAuthorized": True,
    "bodyContent": {"nl": "Tekst"},
    "structuredData": {"a": 1},
    "messageAction": {"messageActionId": "1", "label": {"nl": "Bevestig"}},
}
PARTS = ["", "/attachments", "/attachments/1", "/attachments/1/content", "/body"]


@pytest.fixture(scope="module")
def withdrawal(settings):
    services = OperatorServices(settings, "an operator")
    yield services.withdrawal
    services.dispose()


@pytest.fixture
def withdraw(withdrawal):
    """Withdraw a message, of one e-Box or of all; gives the numbers of its batches."""

    def carry_out(message_id, ebox=None):
        return list(withdrawal.withdraw(UUID(str(message_id)), ebox, WHY))

    return carry_out


@pytest.fixture
def rows(owner):
    """The rows of a message in a table, whoever has it."""

    def read(table, message_id):
        kept = metadata.tables[table]
        with owner.connect() as connection:
            query = select(kept).where(kept.c.message_id == UUID(str(message_id)))
            return connection.execute(query).all()

    return read


@pytest.fixture(params=list(EboxKind))
def letter(request, sender, reader):
    """Its reader, of either family, and a message with everything in it."""
    recipient = reader(an_ebox(request.param))
    return recipient, sender.published(recipient.ebox, **FULL)


@pytest.mark.parametrize("version", VERSIONS, ids=["v3", "v2"])
def test_nothing_is_left_for_the_reader(letter, withdraw, version):
    recipient, message_id = letter[0], letter[1]
    visitor, path = version(recipient), f"{MESSAGES}/{letter[1]}"
    whole = visitor.get(f"{path}/attachments/1/content")
    assert whole.status_code == 200

    withdraw(message_id)

    asked = [visitor.get(path + part) for part in PARTS]
    unknown = [visitor.get(f"{MESSAGES}/{uuid4()}{part}") for part in PARTS]
    assert [answer.status_code for answer in asked] == [404] * len(PARTS)
    assert [write_plainly(each) for each in asked] == [write_plainly(each) for each in unknown]
    for question in ("", "?q=aanslag&qlang=nl", "?page=1&pageSize=1", "?visible=true"):
        assert visitor.get(MESSAGES + question).json["totalItems"] == 0
    content = f"{path}/attachments/1/content"
    etag = whole.headers["ETag"]
    for headers in ({"Range": "bytes=0-3"}, {"If-None-Match": etag}, {"If-Match": etag}):
        assert visitor.get(content, headers=headers).status_code == 404
    assert visitor.ask("HEAD", content).status_code == 404


def write_plainly(answer):
    """What an answer says, but for what names the request."""
    members = {k: v for k, v in answer.json.items() if k not in ("id", "instance", "issues")}
    return members, [{k: v for k, v in issue.items() if k != "value"} for issue in
                     answer.json.get("issues", [])]  # fmt: skip


def test_it_is_in_no_count(letter, withdraw):
    recipient, message_id = letter
    assert recipient.get("/ebox/statistics").json["numberOfUnreadMessages"] == 1

    withdraw(message_id)

    counts = recipient.get("/ebox/statistics").json
    assert {value for value in counts.values() if isinstance(value, int)} == {0}


def test_nobody_answers_it_acts_on_it_or_changes_it(sender, reader, withdraw):
    recipient = reader()
    message_id = sender.published(recipient.ebox, **FULL)

    withdraw(message_id)

    assert recipient.reply(message_id).status_code == 404
    assert execute(recipient, message_id).status_code == 404
    assert change(recipient, (message_id, {"isVisible": False})).status_code == 404
    answer = in_version_2(recipient).ask(
        "PATCH", MESSAGES, json=[{"messageId": message_id, "visible": False}]
    )
    assert answer.status_code in (400, 404)


def test_the_database_itself_hides_it_whatever_the_clock(letter, withdraw, owner, rows):
    """Also from a web server whose clock is behind, and from the program before this one."""
    recipient, message_id = letter
    withdraw(message_id)
    with owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE messages SET expires_at = original_expires_at WHERE message_id = %s",
            (message_id,),
        )

    assert recipient.get(f"{MESSAGES}/{message_id}").status_code == 404
    assert recipient.get(MESSAGES).json["totalItems"] == 0


def test_everything_is_left_for_the_auditor(letter, withdraw, withdrawal, rows, blobs):
    recipient, message_id = letter

    (batch,) = withdraw(message_id)

    (row,) = rows("messages", message_id)
    assert batch.copies == 1
    assert row.withdrawn_at >= row.expires_at
    assert row.original_expires_at > row.withdrawn_at
    (hold,) = rows("legal_holds", message_id)
    assert (hold.ebox, hold.why, hold.lifted_at) == (recipient.ebox, WHY, None)
    (attachment,) = rows("attachments", message_id)
    assert b"".join(blobs.open(attachment.blob_key, 0, len(PDF) - 1)) == PDF
    assert list(withdrawal.hold_documents(UUID(message_id), None)) == [attachment.blob_key]


def test_the_trail_has_who_and_why(letter, withdraw, rows, owner):
    _, message_id = letter

    withdraw(message_id)

    with owner.connect() as connection:
        entries = read_trail(connection, "urn:registry:message/withdraw", message_id)
    (hold,) = rows("legal_holds", message_id)
    (details,) = [json.loads(entry.entry)["API_CALL_DETAILS"] for entry in entries]
    assert details == {
        "messageId": message_id,
        "holdId": str(hold.hold_id),
        "why": WHY,
        "operator": "an operator",
    }


def test_withdrawn_twice_is_withdrawn_once(letter, withdraw, rows):
    _, message_id = letter
    withdraw(message_id)
    before = [rows(table, message_id) for table in ("messages", "legal_holds", "outbox")]

    assert withdraw(message_id) == []

    assert [rows(table, message_id) for table in ("messages", "legal_holds", "outbox")] == before


# The sender


def ask_status(sender, message_id, ebox):
    items = [{"messageId": message_id, "recipient": named(ebox)}]
    (new,) = sender.ask("POST", SEARCH, json={"items": items}).json["items"]
    pairs = [{"messageId": message_id, "eboxId": named_2(ebox)}]
    (old,) = in_version_2(sender).ask("POST", STATUS, json=pairs).json
    return new, old


def test_the_sender_is_told_in_the_status_of_both_versions(letter, sender, withdraw):
    recipient, message_id = letter
    before = ask_status(sender, message_id, recipient.ebox)

    withdraw(message_id)

    after = ask_status(sender, message_id, recipient.ebox)
    assert all("withdrawalDate" not in status for status in before)
    for status in after:
        assert status["withdrawalDate"].startswith("20")
        assert status["expirationDate"] == status["withdrawalDate"]
    assert [after[0]["isVisible"], after[1]["visible"]] == [False, False]


@pytest.mark.parametrize("version", VERSIONS, ids=["v3", "v2"])
def test_the_sender_who_asks_for_it_is_told_why_it_is_not_there(letter, sender, withdraw, version):
    _, message_id = letter

    withdraw(message_id)

    for part in PARTS:
        answer = version(sender).get(f"{MESSAGES}/{message_id}{part}")
        assert answer.status_code == 404
        if version is not in_version_2:
            (issue,) = answer.json["issues"]
            assert issue["detail"] == "The message was withdrawn from its recipient's e-Box."


def test_a_broadcast_of_it_is_refused_and_its_copies_are_gone(sender, reader, withdraw):
    first, second, third = reader(), reader(an_ebox(EboxKind.CITIZEN)), an_ebox()
    message_id = sender.published(first.ebox)
    path = f"{MESSAGES}/{message_id}/recipients"
    sender.ask("POST", path, json={"recipients": [named(second.ebox)]})

    (batch,) = withdraw(message_id)

    assert batch.copies == 2
    for recipient in (first, second):
        assert recipient.get(f"{MESSAGES}/{message_id}").status_code == 404
        assert recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content").status_code == 404
        assert "withdrawalDate" in ask_status(sender, message_id, recipient.ebox)[0]
    answer = sender.ask("POST", path, json={"recipients": [named(third)]})
    assert answer.status_code == 404


def test_one_copy_can_be_withdrawn_and_the_others_stay(sender, reader, withdraw):
    first, second = reader(), reader()
    message_id = sender.published(first.ebox, Document())
    path = f"{MESSAGES}/{message_id}/recipients"
    sender.ask("POST", path, json={"recipients": [named(second.ebox)]})

    withdraw(message_id, second.ebox)

    assert second.get(f"{MESSAGES}/{message_id}").status_code == 404
    assert first.get(f"{MESSAGES}/{message_id}/attachments/1/content").data == PDF
    assert "withdrawalDate" not in ask_status(sender, message_id, first.ebox)[0]
    assert "withdrawalDate" in ask_status(sender, message_id, second.ebox)[0]
