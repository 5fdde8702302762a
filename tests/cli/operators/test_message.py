"""`registry message`: withdraw and show."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.factories import a_file, an_ebox
from tests.trail_entries import read_trail

CASE = ("--why", "case 2026/14")


@pytest.fixture
def message(run, environment):
    """Type `registry message …`."""

    def typed(*command, env=None):
        return run("message", *map(str, command), env=environment | (env or {}))

    return typed


@pytest.fixture
def state(owner):
    """Whether each copy of a message is withdrawn, and why it is held."""

    def look(message_id):
        with owner.connect() as connection:
            marks = connection.scalars(
                text("SELECT withdrawn_at IS NOT NULL FROM messages WHERE message_id = :id"),
                {"id": message_id},
            ).all()
            holds = connection.scalars(
                text("SELECT why FROM legal_holds WHERE message_id = :id"), {"id": message_id}
            ).all()
        return marks, holds

    return look


def test_without_yes_it_is_counted_and_nothing_is_changed(message, deliver, state):
    message_id = deliver(an_ebox(), a_file())

    done = message("withdraw", message_id, *CASE)

    assert done.code == 1
    assert done.out == (
        f"Message {message_id} is in e-Boxes: 1 (enterprises: 1, citizens: 0, read: 0).\n"
    )
    assert done.err == "Error: Nothing was changed; --yes withdraws it.\n"
    assert state(message_id) == ([False], [])


def test_with_yes_it_is_withdrawn_and_held(message, deliver, state):
    message_id = deliver(an_ebox(), a_file())

    done = message("withdraw", message_id, *CASE, "--yes")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Message {message_id} is withdrawn from e-Boxes: 1 ")
    assert "Documents that are kept: 1." in done.out
    assert state(message_id) == ([True], ["case 2026/14"])


def test_a_second_time_changes_nothing(message, deliver, state):
    message_id = deliver(an_ebox())
    message("withdraw", message_id, *CASE, "--yes")

    done = message("withdraw", message_id, *CASE, "--yes")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Message {message_id} is withdrawn already, from e-Boxes: 1 ")
    assert state(message_id) == ([True], ["case 2026/14"])


def test_an_unknown_message_is_refused_in_one_sentence(message):
    message_id = uuid4()

    done = message("withdraw", message_id, *CASE, "--yes")

    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: No e-Box has a message {message_id}.\n"


def test_from_another_e_box_it_cannot_be_withdrawn(message, deliver, state):
    message_id = deliver(an_ebox())

    done = message("withdraw", message_id, "--ebox", an_ebox().key, *CASE, "--yes")

    assert done.err == f"Error: The e-Box does not have a message {message_id}.\n"
    assert state(message_id) == ([False], [])


def test_a_reason_names_no_citizen(message, deliver, state, owner):
    ebox = an_ebox(EboxKind.CITIZEN)
    message_id = deliver(ebox)
    why = ("--why", f"meant for {an_ebox(EboxKind.CITIZEN).number}, not {ebox.number}")

    done = message("withdraw", message_id, *why, "--yes")

    assert done.code == 0
    assert ebox.number not in done.said
    assert state(message_id) == ([True], ["meant for ***, not ***"])
    with owner.connect() as connection:
        entries = read_trail(connection, "message/withdraw", str(message_id))
    assert len(entries) <= 1
    assert not any(ebox.number in entry.entry for entry in entries)


@pytest.mark.parametrize("words", [("nonsense", *CASE), (uuid4(),), (uuid4(), "--why", " ")])
def test_what_is_typed_wrongly_is_refused(message, words):
    assert message("withdraw", *words).code == 2


def test_a_program_gets_members(message, deliver):
    message_id = deliver(an_ebox(), a_file())

    done = message("withdraw", message_id, *CASE, "--yes", "--json")

    assert json.loads(done.out) == {
        "messageId": str(message_id),
        "eboxes": 1,
        "enterprises": 1,
        "citizens": 0,
        "read": 0,
        "withdrawn": 1,
        "withdrawnNow": 1,
        "announcements": 1,
        "broadcastsCutShort": 0,
        "documentsHeld": 1,
        "isComplete": True,
    }


def test_a_store_that_is_away_does_not_keep_the_letter_in_the_e_box(
    message, deliver, state, locked
):
    message_id = deliver(an_ebox(), a_file())
    away = {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}

    broken = message("withdraw", message_id, *CASE, "--yes", env=locked | away)
    again = message("withdraw", message_id, *CASE, "--yes")

    assert broken.code == 1
    assert "the same call has storage hold its documents" in broken.err
    assert state(message_id) == ([True], ["case 2026/14"])
    assert again.code == 0


@pytest.fixture
def locked():
    """Settings of a bucket with Object Lock, where holds are set."""
    return {"REGISTRY_S3_OBJECT_LOCK": "GOVERNANCE", "REGISTRY_S3_OBJECT_LOCK_DAYS": "1"}


def test_a_database_that_is_away_is_one_sentence(message, environment):
    url = f"postgresql://worker:x@{LOOPBACK}:{free_port()}/registry"

    done = message("withdraw", uuid4(), *CASE, env={"REGISTRY_DATABASE_WORKER_URL": url})

    assert (done.code, len(done.err.splitlines())) == (1, 1)


# show


def test_a_message_is_shown_without_being_read(message, deliver, run, environment):
    ebox = an_ebox(EboxKind.CITIZEN)
    subject = {"nl": "Zeer geheim", "fr": "Très secret"}
    file = a_file(file_name="geheim.pdf", title={"nl": "Titel"})
    message_id = deliver(
        ebox, file, subject=subject, attention={"label": "Jan", "ssin": ebox.number}
    )
    message("withdraw", message_id, *CASE, "--yes")

    done, in_json = message("show", message_id), message("show", message_id, "--json")

    assert (done.code, done.err, in_json.code) == (0, "", 0)
    for secret in (*subject.values(), "geheim.pdf", "Titel", "Jan", ebox.number):
        assert secret not in done.said + in_json.said
    shown = json.loads(in_json.out)
    (copy,) = shown.pop("eboxes")
    (document,) = shown.pop("documents")
    assert (document["size"], document["digest"]) == (file["size"], file["digest"])
    assert shown["messageTypeId"] == "tax-assessment"
    assert shown["senderApplicationId"] == "my-minfin"
    assert shown["counts"]["withdrawn"] == 1
    assert (copy["state"], copy["isRead"], len(copy["holds"])) == ("withdrawn", False, 1)
    assert copy["ebox"] == {"eboxType": "citizen"}
    for member in (file["digest"], "withdrawn", copy["pseudonym"], copy["holds"][0]):
        assert member in done.out


def test_the_events_of_a_message_are_shown_too(message, deliver):
    message_id = deliver(an_ebox(), a_file())
    message("withdraw", message_id, *CASE, "--yes")

    shown = json.loads(message("show", message_id, "--json").out)

    assert [event["type"] for event in shown["events"]] == ["documentExpirationAlert"]
    assert shown["eboxes"][0]["partition"] == "GENERAL"


def test_of_an_old_message_it_is_said_that_what_was_told_is_forgotten(message, deliver, owner):
    old, young = deliver(an_ebox()), deliver(an_ebox())
    with owner.begin() as connection:
        aged = text("UPDATE messages SET received_at = :at WHERE message_id = :id")
        at = datetime.now(UTC) - timedelta(days=15)
        connection.execute(aged, {"at": at, "id": old})

    done, in_json = message("show", old), message("show", old, "--json")

    assert done.code == 0
    assert done.err.startswith("Events that were told more than 14 days ago are forgotten.")
    assert datetime.fromisoformat(json.loads(in_json.out)["toldEventsSince"]) > at
    assert message("show", young).err == ""


def test_of_a_message_that_nobody_has_there_is_nothing_to_show(message):
    message_id = uuid4()

    done = message("show", message_id)

    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: There is no message {message_id}.\n"
