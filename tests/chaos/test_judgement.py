"""What the run calls good enough, and what not."""

import pytest

from tests.chaos.census import find_leaks
from tests.chaos.client import Answer, judge
from tests.chaos.faults import Fault
from tests.chaos.judgement import Times, find_faults, find_slowness, measure, p95
from tests.chaos.neighbours import NEIGHBOURS, Cell, all_cells, few_cells
from tests.chaos.operations import Operation

FAULT, HEAL = 100.0, 110.0
S3 = Cell(next(one for one in NEIGHBOURS if one.name == "s3"), Fault("black hole"))
LIST, DOWNLOAD, EVENT = (Operation(name, 1, bytes) for name in ("list", "download", "event"))


def complaints(operation, *answers, cell=S3, quiet=0.01):
    """Of answers as outcome, seconds from the fault, and seconds that they took."""
    made = [Answer(operation.name, outcome, FAULT + at, took) for outcome, at, took in answers]
    fate = measure(operation, made, Times(FAULT, HEAL))
    return [*find_faults(cell, operation, fate), *find_slowness(cell, operation, fate, quiet)]


def test_all_is_well():
    assert complaints(LIST, ("ok", 1, 0.01), ("ok", 11, 0.01)) == []


def test_who_needs_the_neighbour_may_be_refused_within_its_budget():
    assert complaints(DOWNLOAD, ("503", 1, 4.9), ("cut", 2, 4.9), ("ok", 11, 0.1)) == []


def test_who_does_not_need_it_may_not():
    assert complaints(LIST, ("503", 1, 0.01)) == ["1 answers were 503"]


@pytest.mark.parametrize("outcome", ["500", "503 bare", "dropped", "none", "refused"])
def test_no_operation_may_end_so(outcome):
    assert complaints(DOWNLOAD, (outcome, 1, 0.1)) == [f"1 answers were {outcome}"]


def test_no_answer_may_take_longer_than_its_budget_and_a_second():
    assert complaints(DOWNLOAD, ("503", 1, 5.1)) == ["an answer took 5.1 s, its budget is 4 s"]
    assert len(complaints(LIST, *[("ok", 1, 0.01)] * 30, ("ok", 1, 2.1))) == 1


def test_a_probe_waits_for_nobody():
    ready = Operation("ready", 1, bytes, waits=False)

    assert complaints(ready, ("503", 1, 1.9)) == []
    assert complaints(ready, ("503", 1, 2.1)) == ["an answer took 2.1 s, its budget is 1 s"]


def test_who_does_not_need_it_may_not_be_twice_as_slow():
    answers = [("ok", n / 10, 0.25) for n in range(50)]

    assert complaints(LIST, *answers, quiet=0.13) == []
    assert complaints(LIST, *answers, quiet=0.12) == ["p95 is 250 ms, may be 240 ms"]


def test_two_tries_count_as_one():
    answers = [[Answer("list", "ok", FAULT + 1, took)] * n for took, n in ((0.2, 2), (0.01, 38))]
    slow, swift = (measure(LIST, of_one_try, Times(FAULT, HEAL)) for of_one_try in answers)

    assert list(find_slowness(S3, LIST, slow, 0.01)) == ["p95 is 200 ms, may be 60 ms"]
    assert list(find_slowness(S3, LIST, slow + swift, 0.01)) == []
    assert (slow + swift).outcomes == {"ok": 40}


def test_noise_of_a_few_milliseconds_is_none():
    assert complaints(LIST, ("ok", 1, 0.05), quiet=0.001) == []


def test_recovery_is_late_after_five_seconds():
    assert complaints(DOWNLOAD, ("503", 14.9, 0.1), ("ok", 15, 0.1)) == []
    assert complaints(DOWNLOAD, ("503", 15.2, 0.1)) == ["still bad 5.2 s after the end"]
    assert complaints(DOWNLOAD, ("ok", 15.2, 1.1)) == ["still bad 5.2 s after the end"]


def test_what_was_put_before_the_end_must_arrive_within_half_a_minute():
    event_service = next(one for one in NEIGHBOURS if one.name == "event service")
    cell = Cell(event_service, Fault("500"))

    assert complaints(EVENT, ("ok", 1, 38), cell=cell) == []
    assert complaints(EVENT, ("ok", 1, 40), cell=cell) == ["still bad 31.0 s after the end"]


def test_percentiles_are_of_what_there_is():
    assert (p95([]), p95([1]), p95(range(1, 101))) == (0, 1, 95)


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", "ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "cut"),
        (b"HTTP/1.1 503 No\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", "503"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "503 bare"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "404"),
        (b"HTTP/1.1 20", "cut"),
        (b"", "dropped"),
    ],
)
def test_an_answer_has_one_outcome(received, outcome):
    assert judge(received) == outcome


def test_what_is_not_given_back_is_a_leak():
    before = {"web 1 files": 40, "web 1 threads": 10, "worker connections": 3}

    assert list(find_leaks(before, {name: count + 3 for name, count in before.items()})) == []
    assert list(find_leaks(before, before | {"web 1 files": 101})) == [
        "web 1 files: 40 before, 101 after"
    ]


def test_the_short_form_is_a_part_of_the_long_one():
    assert set(map(str, few_cells())) < set(map(str, all_cells()))
    assert len({cell.neighbour.name for cell in few_cells()}) == len(few_cells()) > 2
