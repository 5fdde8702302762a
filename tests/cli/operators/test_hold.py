"""`registry hold`: set, lift, refresh, list."""

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from registry.blobs import Retention
from registry.blobs.s3 import S3Blobs
from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.store.consultation import messages
from tests.factories import PDF, a_file, a_message, an_ebox

pytestmark = pytest.mark.long

A_HOLD = re.compile(r"Hold ([0-9a-f-]{36}) is set on (.*)\.")
CASE = ("--why", "case 2026/14")


@pytest.fixture(scope="module")
def locked(objects, environment):
    """The settings of a registry whose bucket has Object Lock."""
    bucket = f"held-{uuid4().hex}"
    objects.create_bucket(bucket, has_object_lock=True)
    return environment | {
        "REGISTRY_S3_BUCKET": bucket,
        "REGISTRY_S3_OBJECT_LOCK": "GOVERNANCE",
        "REGISTRY_S3_OBJECT_LOCK_DAYS": "1",
    }


@pytest.fixture
def vault(locked, blobs):
    """That bucket."""
    lock = Retention("GOVERNANCE", days=1)
    return S3Blobs(blobs.client, locked["REGISTRY_S3_BUCKET"], retention=lock)


@pytest.fixture
def deposit(owner, vault):
    """Put a message with documents into an e-Box and that bucket; gives its id and their keys."""

    def put(ebox, count=1, **changes):
        message = a_message(ebox, **changes)
        files = [a_file(attachment_id=str(n), is_main=not n) for n in range(count)]
        for file in files:
            vault.put(file["blob_key"], [PDF])
        with owner.begin() as connection:
            messages.add(connection, ebox, message, files)
        return message["message_id"], [file["blob_key"] for file in files]

    return put


@pytest.fixture
def held(vault):
    """Whether storage holds each of these documents."""

    def look(keys):
        return [
            vault.client.head_object(Bucket=vault.bucket, Key=key).get("ObjectLockLegalHoldStatus")
            == "ON"
            for key in keys
        ]

    return look


@pytest.fixture
def hold(run, locked):
    """Type `registry hold …`."""

    def typed(*command, env=None):
        return run("hold", *map(str, command), env=locked | (env or {}))

    return typed


@pytest.fixture
def away():
    """Settings of a document store that does not answer."""
    return {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}


def id_of(done):
    return UUID(A_HOLD.match(done.out)[1])


def listed(hold, hold_id, *options):
    """What a program is told of this hold, None when it is not listed."""
    found = json.loads(hold("list", "--json", *options).out)
    return next((each for each in found if each["holdId"] == str(hold_id)), None)


# set


def test_a_message_is_held_with_its_documents(hold, deposit, held):
    ebox = an_ebox()
    message_id, keys = deposit(ebox, 2)
    _, others = deposit(ebox)

    done = hold("set", "--ebox", ebox.key, "--message", message_id, *CASE)

    what = f"message {message_id} of enterprise {ebox.number}"
    assert (done.code, done.err) == (0, "")
    assert done.out == (f"Hold {id_of(done)} is set on {what}.\nDocuments held in storage: 2.\n")
    assert held(keys) == [True, True]
    assert held(others) == [False]


def test_what_is_held_is_not_deleted_when_it_expires(hold, deposit, run, locked, owner):
    ebox = an_ebox()
    message_id, _ = deposit(ebox, expires_at=datetime.now(UTC) - timedelta(days=1))
    hold("set", "--ebox", ebox.key, *CASE)

    run("jobs", "purge", env=locked)

    there = text("SELECT FROM messages WHERE message_id = :id")
    with owner.connect() as connection:
        assert connection.execute(there, {"id": message_id}).first() is not None


def test_a_citizen_is_held_without_being_named(hold, deposit, held):
    ebox = an_ebox(EboxKind.CITIZEN)
    _, keys = deposit(ebox)

    set_ = hold("set", "--ebox", ebox.key, "--why", f"asked for by {ebox.number}")
    in_json = hold("set", "--ebox", ebox.key, *CASE, "--json")
    lists = hold("list").said + hold("list", "--json").said
    lifted = hold("lift", id_of(set_), *CASE)

    assert A_HOLD.match(set_.out)[2] == "all that citizen … has and gets"
    assert held(keys) == [True]
    assert json.loads(in_json.out)["ebox"] == {"eboxType": "citizen"}
    assert "asked for by ***" in lists
    assert ebox.number not in set_.said + in_json.said + lists + lifted.said


def test_a_number_may_have_its_dots(hold):
    ebox = an_ebox()
    number = ebox.number

    done = hold("set", "--ebox", f"enterprise:{number[:4]}.{number[4:7]}.{number[7:]}", *CASE)

    assert A_HOLD.match(done.out)[2] == f"all that enterprise {number} has and gets"


def test_a_program_gets_members(hold, deposit):
    ebox = an_ebox()
    message_id, _ = deposit(ebox)

    told = json.loads(hold("set", "--ebox", ebox.key, "--message", message_id, *CASE, "--json").out)

    assert datetime.fromisoformat(told.pop("setAt")).utcoffset() == timedelta()
    assert UUID(told.pop("holdId"))
    assert told == {
        "ebox": {"eboxType": "enterprise", "enterpriseNumber": ebox.number},
        "messageId": str(message_id),
        "why": "case 2026/14",
        "documents": 1,
        "hasObjectLock": True,
        "isComplete": True,
    }


def test_without_object_lock_it_is_said_who_protects(run, environment, deliver):
    ebox = an_ebox()
    deliver(ebox, a_file())

    done = run("hold", "set", "--ebox", ebox.key, *CASE, env=environment)

    assert done.code == 0
    assert done.out.splitlines()[1] == (
        "Documents: 1. Storage has no Object Lock: the database alone protects them."
    )


def test_a_message_that_is_not_there_cannot_be_held(hold):
    done = hold("set", "--ebox", an_ebox().key, "--message", uuid4(), *CASE)

    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: The e-Box has no such message.\n"


@pytest.mark.parametrize(
    ("ebox", "reason"),
    [
        ("enterprise:0123456748", "The enterprise number fails its check digits."),
        ("enterprise:12", "An enterprise number has ten digits, the first 0 or 1."),
        ("citizen:79072321825", "The SSIN fails its check digits or names no possible birth date."),
        ("citizen:7907232182", "An SSIN has eleven digits."),
        ("79072321824", "It is enterprise:NUMBER or citizen:SSIN."),
        ("person:79072321824", "It is enterprise:NUMBER or citizen:SSIN."),
    ],
)
def test_an_ebox_that_is_none_is_refused_and_not_repeated(hold, ebox, reason):
    done = hold("set", "--ebox", ebox, *CASE)

    assert done.code == 2
    assert reason in " ".join(done.err.split())
    assert ebox.rpartition(":")[2] not in done.said


@pytest.mark.parametrize(
    "command",
    [
        ("set", "citizen:79072321824", *CASE, "--ebox", "enterprise:0123456749"),
        ("set", "--ebox", "enterprise:0123456749", "--message", "79072321824", *CASE),
        ("lift", "79.07.23-218.24", *CASE),
        ("citizen:79072321824",),
    ],
)
def test_no_number_of_a_citizen_is_repeated_wherever_it_was_typed(hold, command):
    done = hold(*command)

    assert done.code == 2
    assert "***" in done.err
    assert "218" not in done.said


@pytest.mark.parametrize("why", [(), ("--why", "  ")])
def test_a_hold_has_a_reason(hold, why):
    assert hold("set", "--ebox", an_ebox().key, *why).code == 2


# Storage that does not answer


def test_when_storage_is_away_the_hold_stands_and_is_completed_later(hold, deposit, held, away):
    ebox = an_ebox()
    _, keys = deposit(ebox)

    broken = hold("set", "--ebox", ebox.key, *CASE, env=away)
    hold_id = id_of(broken)
    before = held(keys)
    completed = hold("refresh", hold_id)

    assert broken.code == 1
    assert broken.err == (
        "Error: The document store does not answer. The hold itself stands: the database protects"
        " the messages. 0 documents are held in storage;"
        f" `registry hold refresh {hold_id}` completes them.\n"
    )
    assert listed(hold, hold_id)
    assert before == [False]
    assert (completed.code, completed.out) == (0, "Documents held in storage: 1.\n")
    assert held(keys) == [True]


def test_a_program_learns_the_hold_that_is_not_complete(hold, deposit, away):
    ebox = an_ebox()
    deposit(ebox)

    done = hold("set", "--ebox", ebox.key, *CASE, "--json", env=away)

    told = json.loads(done.out)
    assert done.code == 1
    assert (told["documents"], told["isComplete"]) == (0, False)
    assert told["holdId"] in done.err


def test_what_was_lifted_while_storage_was_away_is_let_go_later(hold, deposit, held, away):
    ebox = an_ebox()
    _, keys = deposit(ebox)
    hold_id = id_of(hold("set", "--ebox", ebox.key, *CASE))

    broken = hold("lift", hold_id, *CASE, env=away)
    before = held(keys)
    completed = hold("refresh", hold_id)

    assert broken.code == 1
    assert "The hold is lifted. 0 documents are let go in storage; `registry hold" in broken.err
    assert before == [True]
    assert completed.out == "Documents that no other hold is on: 1.\n"
    assert held(keys) == [False]


def test_refreshing_holds_what_came_since(hold, deposit, held):
    ebox = an_ebox()
    hold_id = id_of(hold("set", "--ebox", ebox.key, *CASE))
    _, keys = deposit(ebox)

    done = hold("refresh", hold_id, "--json")

    assert json.loads(done.out)["documents"] == 1
    assert held(keys) == [True]


def test_there_is_nothing_to_refresh_of_an_unknown_hold(hold):
    done = hold("refresh", uuid4())

    assert (done.code, done.err) == (1, "Error: There is no such hold.\n")


# lift


def test_a_document_is_let_go_when_nothing_holds_it_any_more(hold, deposit, held):
    ebox = an_ebox()
    message_id, keys = deposit(ebox)
    all_of_it = id_of(hold("set", "--ebox", ebox.key, *CASE))
    one = id_of(hold("set", "--ebox", ebox.key, "--message", message_id, *CASE))

    first = hold("lift", all_of_it, "--why", "closed")
    between = held(keys)
    second = hold("lift", one, "--why", "closed")

    what = f"all that enterprise {ebox.number} has and gets"
    assert first.out == (
        f"Hold {all_of_it} is lifted from {what}.\nDocuments that no other hold is on: 0.\n"
    )
    assert between == [True]
    assert second.out.endswith("Documents that no other hold is on: 1.\n")
    assert held(keys) == [False]


def test_a_hold_is_lifted_once(hold):
    hold_id = id_of(hold("set", "--ebox", an_ebox().key, *CASE))
    first = hold("lift", hold_id, "--why", "closed", "--json")

    again = hold("lift", hold_id, "--why", "closed")

    assert json.loads(first.out)["liftedWhy"] == "closed"
    assert (again.code, again.err) == (1, "Error: There is no such hold in force.\n")


# list


def test_the_holds_in_force_are_listed_and_the_others_if_asked_for(hold):
    ebox = an_ebox()
    kept = id_of(hold("set", "--ebox", ebox.key, *CASE))
    lifted = id_of(hold("set", "--ebox", ebox.key, *CASE))
    hold("lift", lifted, "--why", "closed")

    in_force, all_of_them = hold("list").out, hold("list", "--all").out

    line = next(line for line in in_force.splitlines() if str(kept) in line)
    assert line.split()[:4] == [str(kept), "enterprise", ebox.number, "all"]
    assert re.search(r"\d\d:\d\d:\d\d\+0[12]:00 +case 2026/14$", line.rstrip())
    assert str(lifted) not in in_force
    line = next(line for line in all_of_them.splitlines() if str(lifted) in line)
    assert re.search(r"case 2026/14 \(lifted at .*\+0[12]:00: closed\)", line)
    assert listed(hold, lifted) is None
    assert listed(hold, lifted, "--all")["liftedWhy"] == "closed"


def test_on_a_narrow_terminal_the_ids_stay_whole(hold):
    hold_id = id_of(hold("set", "--ebox", an_ebox().key, *CASE))

    narrow = hold("list", env={"COLUMNS": "50"}).out

    assert f"hold id     {hold_id}\n" in narrow


def test_where_there_is_no_hold_that_is_said(run, alone):
    assert run("hold", "list", env=alone.environment).out == "No hold is in force.\n"
    assert run("hold", "list", "--all", env=alone.environment).out == "There is no hold.\n"
    assert run("hold", "list", "--json", env=alone.environment).out == "[]\n"
