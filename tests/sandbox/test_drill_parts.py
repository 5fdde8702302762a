"""The parts of the drill: the ledger, the senders, and what is made of a result."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Response

from registry.sandbox.drill.ledger import Acknowledgement, Ledger, leave_out
from registry.sandbox.drill.restore_report import (
    RestorePlan,
    RestoreReport,
    make_members,
    write_lines,
    write_section,
)
from registry.sandbox.drill.senders import Senders

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def line(name, seconds):
    """Acknowledged so many seconds after noon."""
    return Acknowledgement(name, "ab" * 32, NOON + timedelta(seconds=seconds))


# The ledger


def test_an_acknowledgement_is_on_disk_before_anybody_goes_on(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")

    ledger.add(line("b", 2))
    ledger.add(line("a", 1))

    entries = [json.loads(text) for text in ledger.path.read_text().splitlines()]
    assert [entry["message_id"] for entry in entries] == ["b", "a"]
    assert entries[0]["at"] == "2026-11-27T12:00:02+00:00"
    assert [each.message_id for each in ledger.list_since(None)] == ["a", "b"]
    assert ledger.list_since(NOON + timedelta(seconds=2)) == [line("b", 2)]


def test_what_is_left_out_is_what_is_there():
    lines = [line("a", 1), line("b", 2), line("c", 3)]

    assert leave_out(lines, {"b", "z"}) == [line("a", 1), line("c", 3)]


# The senders


@pytest.fixture
def senders(scripted, tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    with Senders(2, scripted.base, lambda: "a-token", ledger) as senders:
        senders.ledger = ledger
        yield senders


def answer_in_turn(scripted, *statuses):
    """Answer so to each sender's tries, one after the other, and the last one from then on."""
    heard, lock, done = {}, threading.Lock(), threading.Event()

    def say(request):
        key = request.headers["Idempotency-Key"]
        with lock:
            tries = heard.setdefault(key, [])
            status = statuses[min(len(tries), len(statuses) - 1)]
            tries.append(status)
            if len([key for key, tries in heard.items() if len(tries) >= len(statuses)]) >= 4:
                done.set()
        return Response(json.dumps({"messageId": key.strip('"')}), status=status)

    scripted.say = say
    return heard, done


@pytest.mark.parametrize("final", [201, 409])
def test_a_sender_tries_until_it_is_acknowledged(scripted, senders, final):
    heard, done = answer_in_turn(scripted, 503, 500, final)

    assert done.wait(30)
    senders.stop()

    complete = {key.strip('"') for key, tries in heard.items() if len(tries) == 3}
    assert {entry.message_id for entry in senders.ledger.list_since(None)} == complete
    assert max(len(tries) for tries in heard.values()) == 3, "an acknowledged one is sent again"
    assert senders.answers[str(final)] == len(complete)


def test_no_answer_is_no_acknowledgement(scripted, senders):
    done = threading.Event()

    def say(_):
        if senders.answers["none"] > 3:
            done.set()
        return Response("<html>busy</html>", status=201)

    scripted.say = say

    assert done.wait(30)
    senders.stop()
    assert senders.ledger.list_since(None) == []


# The result


def a_report(**changes):
    facts = {
        "plan": RestorePlan(senders=4, publishing=20, archive_every=5, rewind=0),
        "acknowledgements": 86,
        "absences": [line("m1", 7), line("m2", 9)],
        "losses": [],
        "loss_at": NOON + timedelta(seconds=10),
        "target": None,
        "recovery_point": NOON + timedelta(seconds=6),
        "first_answer_at": NOON + timedelta(seconds=21.5),
        "strays": {"m1", "m2", "unacknowledged"},
        "findings": [],
        "orphans": [],
        "known_break": "The database ended at seal 3",
        "seconds": {"Restore": 2.0},
    }
    return RestoreReport(**{**facts, **changes})


def test_rpo_and_rto_are_what_senders_saw():
    report = a_report()

    assert (report.rpo, report.rto) == (3.0, 11.5)
    assert list(report.find_faults()) == []
    assert a_report(absences=[]).rpo == 0


def test_each_publication_that_is_absent_is_named():
    text = "\n".join(write_lines(a_report(losses=[line("m2", 9)])))

    assert "RPO 3.0 s" in text
    assert "RTO 11.5 s" in text
    assert "before the loss: 86; absent: 2" in text
    assert "m1, acknowledged 3.0 s before the loss: filed again" in text
    assert "m2, acknowledged 1.0 s before the loss: lost" in text
    assert "as strays: 2" in text
    assert "--adopt: 1; lost: 1" in text


def test_programs_get_the_same():
    members = json.loads(json.dumps(make_members(a_report())))

    assert members["rpoSeconds"] == 3
    assert members["rtoSeconds"] == 11.5
    assert members["absent"][0] == {
        "messageId": "m1",
        "acknowledgedAt": "2026-11-27T12:00:07+00:00",
        "isStray": True,
        "isLost": False,
    }
    assert members["stepSeconds"] == {"Restore": 2}
    assert members["faults"] == []


def test_a_page_names_some_and_counts_the_rest():
    absences = [line(f"m{number}", 6.5) for number in range(9)]
    strays = {absence.message_id for absence in absences}

    text = write_section(a_report(absences=absences, strays=strays))

    assert "`m4`, and 4 more" in text
    assert "| Restore | 2.0 |" in text
    assert "| of these, `registry fsck --adopt` files again | 9 |" in text
    assert "Nothing: all of it holds." in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"strays": {"m1"}}, "fsck shows no document of absent message m2"),
        (
            {"recovery_point": NOON + timedelta(seconds=7)},
            "m1 is absent, though the archive had it",
        ),
        ({"recovery_point": None}, "m1 is absent, though the archive had it"),
        ({"target": NOON + timedelta(seconds=8)}, "m1 is absent, though the archive had it"),
        ({"findings": ["missing documents/m3-1"]}, "more than strays: missing documents/m3-1"),
        ({"losses": [line("m2", 9)]}, "Acknowledged message m2 is lost"),
        ({"orphans": ["m1"]}, "document of acknowledged message m1 was deleted"),
    ],
)
def test_what_does_not_hold_is_a_fault(changes, fault):
    report = a_report(**changes)

    assert any(fault in text for text in report.find_faults())
    assert fault in write_section(report)
