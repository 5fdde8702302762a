"""`registry sender`: suspend, resume, list."""

import json

import pytest

from registry.domain.identifiers import EboxKind
from tests.factories import an_ebox, an_enterprise
from tests.trail_entries import read_trail

WHY = ("--why", "wrong recipients")


@pytest.fixture
def sender(run, environment):
    """Type `registry sender …`."""
    return lambda *command: run("sender", *command, env=environment)


@pytest.fixture
def listed(sender):
    """What a program is told of the suspensions of an enterprise."""

    def look(number, *options):
        rows = json.loads(sender("list", "--json", "--limit", "1000", *options).out)
        return [row for row in rows if row.get("enterpriseNumber") == number]

    return look


def test_a_sender_is_suspended_once_and_resumed(sender, listed):
    number = an_enterprise()

    first, second = sender("suspend", number, *WHY), sender("suspend", number, "--why", "again")
    during = listed(number)
    resumed, again = sender("resume", number, *WHY), sender("resume", number, *WHY)

    assert (first.code, first.err, second.code) == (0, "", 0)
    assert first.out == second.out
    assert first.out.endswith(f": enterprise {number}, with all its applications.\n")
    assert [row["why"] for row in during] == ["wrong recipients"]
    assert resumed.out == f"Resumed: enterprise {number}, with all its applications.\n"
    assert (again.code, again.err) == (1, "Error: There is no such suspension in force.\n")
    assert listed(number) == []
    assert len(listed(number, "--all")) == 1


def test_an_application_of_a_sender_is_suspended_by_itself(sender, listed):
    number = an_enterprise()

    done = sender("suspend", number, "--application", "my-minfin", *WHY, "--json")

    assert json.loads(done.out)["senderApplicationId"] == "my-minfin"
    assert [row["senderApplicationId"] for row in listed(number)] == ["my-minfin"]
    assert sender("resume", number, *WHY).code == 1
    assert "my-minfin" in sender("list").out
    assert sender("resume", number, "--application", "my-minfin", *WHY).code == 0


def test_an_application_that_there_is_not_is_refused(sender):
    done = sender("suspend", "--application", "misspelt", *WHY)

    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: There is no such sender application.\n"


@pytest.mark.parametrize("words", [WHY, ("12", *WHY), ("0206731645",), ("0206731645", "--why", "")])
def test_what_is_typed_wrongly_is_refused(sender, words):
    assert sender("suspend", *words).code == 2


def test_a_reason_names_no_citizen_and_the_trail_has_it(sender, owner):
    number, person = an_enterprise(), an_ebox(EboxKind.CITIZEN).number

    sender("suspend", number, "--why", f"asked by {person}", "--as", "Jan")
    sender("resume", number, *WHY, "--as", "Jan")

    with owner.connect() as connection:
        entries = read_trail(connection, number, "registry:sender/")
    details = [json.loads(entry.entry)["API_CALL_DETAILS"] for entry in entries]
    assert sorted(each["why"] for each in details) == ["asked by ***", "wrong recipients"]
    assert {each["operator"] for each in details} == {"Jan"}
