"""The ledger of the failover journey: what is an outage, and what is lost."""

import pytest

from tests.ha.ledger import Acknowledgement, Attempt, Ledger, measure_outage, settle

ONE = Acknowledgement("key-1", "message-1", "digest-1", 10.0)
TWO = Acknowledgement("key-2", "message-2", "digest-2", 20.0)
FILINGS = [("key-1", "message-1"), ("key-2", "message-2")]
DOCUMENTS = [("message-1", "digest-1"), ("message-2", "digest-2")]


def test_what_is_there_once_with_its_document_is_even():
    account = settle([ONE, TWO], FILINGS, DOCUMENTS)

    assert account.is_even
    assert account.acknowledged == 2


@pytest.mark.parametrize(
    ("filings", "documents", "faults"),
    [
        (FILINGS[:1], DOCUMENTS, (["key-2"], [], [])),
        ([*FILINGS[:1], ("key-2", "message-3")], DOCUMENTS, (["key-2"], [], [])),
        ([*FILINGS, ("key-1", "message-3")], DOCUMENTS, ([], ["key-1"], [])),
        (FILINGS, DOCUMENTS[1:], ([], [], ["key-1"])),
        (FILINGS, [("message-1", "other"), DOCUMENTS[1]], ([], [], ["key-1"])),
    ],
    ids=["lost", "another message", "double", "no document", "other bytes"],
)
def test_what_is_not_is_named(filings, documents, faults):
    account = settle([ONE, TWO], filings, documents)

    assert (account.lost, account.double, account.incomplete) == faults
    assert not account.is_even


@pytest.mark.parametrize(
    ("ends", "outage"),
    [([101, 102, 109], 7), ([108, 109], 8), ([101, 102], 8), ([], 10)],
    ids=["between", "from the fault on", "until the end", "all the time"],
)
def test_an_outage_is_the_longest_time_without_a_good_answer(ends, outage):
    attempts = [Attempt("read", "ok", end - 1, end) for end in ends]
    others = [Attempt("read", "503", 104, 105), Attempt("publish", "ok", 104, 105)]

    assert measure_outage([*attempts, *others], "read", since=100, until=110) == outage


def test_a_ledger_gives_what_was_noted_since():
    ledger = Ledger()
    for acknowledgement in (ONE, TWO):
        ledger.acknowledge(acknowledgement)
    for end in (10.0, 20.0, 30.0):
        ledger.note(Attempt("read", "ok", end - 1, end))

    assert ledger.acknowledgements(since=15.0) == [TWO]
    assert [each.end for each in ledger.attempts(15.0, 25.0)] == [20.0]
