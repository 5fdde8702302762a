"""What somebody did to the entries of a seal is told, and where."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.trail import seal as seals
from registry.audit.trail.verify import Finding, check_leaves, check_seal, compare_entries
from registry.audit.trail.verify import FindingKind as Kind
from tests.factories import NOON
from tests.unit.audit.trails import Trail, some_records, told

NUMBERS = (1, 2, 4, 3, 6, 7)
SEAL = seals.parse_seal(Trail().seal(*NUMBERS).copies[0].text)
HEAD = seals.parse_seal(seals.read_head(Trail().seal(*NUMBERS).copies[0].text))


def edited(record, text="{}"):
    return record._replace(text=text)


def swapped_texts(one, other):
    """What `UPDATE` does who exchanges all but the numbers."""
    records = {record.number: record for record in some_records(*NUMBERS)}
    records[one], records[other] = (
        records[other]._replace(number=one),
        records[one]._replace(number=other),
    )
    return [records[number] for number in NUMBERS]


def swapped_numbers(one, other):
    """What `UPDATE` does who exchanges the numbers alone: each row keeps its transaction."""
    exchanged = {one: other, other: one}
    return [r._replace(number=exchanged.get(r.number, r.number)) for r in some_records(*NUMBERS)]


def test_what_was_sealed_is_found_right():
    assert told(check_seal(SEAL, iter(some_records(*NUMBERS)))) == []
    assert told(check_leaves(SEAL)) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_an_edit_is_told_by_the_number_of_the_entry(number):
    records = [edited(r) if r.number == number else r for r in some_records(*NUMBERS)]

    assert told(check_seal(SEAL, records)) == [(Kind.EDIT, 1, number)]


@pytest.mark.parametrize("part", ["ebox", "person"])
def test_an_edit_of_what_is_searched_by_is_one_too(part):
    first, *rest = some_records(*NUMBERS)

    assert told(check_seal(SEAL, [first._replace(**{part: "x"}), *rest])) == [(Kind.EDIT, 1, 1)]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_deletion_is_told_by_the_number_of_the_entry(number):
    records = [record for record in some_records(*NUMBERS) if record.number != number]

    assert told(check_seal(SEAL, records)) == [(Kind.DELETION, 1, number)]


@pytest.mark.parametrize("place", range(len(NUMBERS) + 1))
@pytest.mark.parametrize("number", [5, 99, 2])
def test_an_insertion_is_told_by_the_number_of_the_entry(number, place):
    records = some_records(*NUMBERS)
    records.insert(place, edited(*some_records(number)))

    assert told(check_seal(SEAL, records)) == [(Kind.INSERTION, 1, number)]


def test_an_entry_that_is_there_twice_is_inserted_once():
    records = [*some_records(*NUMBERS), *some_records(2)]

    assert told(check_seal(SEAL, records)) == [(Kind.INSERTION, 1, 2)]


@pytest.mark.parametrize(
    "records",
    [
        some_records(1, 6, 4, 3, 2, 7),
        swapped_texts(2, 6),
        swapped_numbers(2, 6),
    ],
    ids=["their transactions", "their texts", "their numbers"],
)
def test_two_entries_that_have_changed_anything_but_their_content_have_changed_places(records):
    assert told(check_seal(SEAL, records)) == [(Kind.REORDER, 1, 2, 6)]


def test_a_longer_move_is_told_with_all_that_are_out_of_place():
    records = some_records(1, 4, 3, 6, 2, 7)

    assert told(check_seal(SEAL, records)) == [(Kind.REORDER, 1, 2, 3, 4, 6)]


def test_different_faults_in_one_seal_are_told_apart():
    one, _, four, three, six, seven = some_records(*NUMBERS)
    records = [edited(one), three, four, *some_records(5), six, seven]

    assert sorted(told(check_seal(SEAL, records))) == [
        (Kind.DELETION, 1, 2),
        (Kind.EDIT, 1, 1),
        (Kind.INSERTION, 1, 5),
        (Kind.REORDER, 1, 3, 4),
    ]


def test_where_all_was_rewritten_each_entry_is_told():
    numbers = range(200)
    seal = seals.parse_seal(Trail().seal(*numbers).copies[0].text)

    found = told(check_seal(seal, map(edited, some_records(*numbers))))

    assert found == [(Kind.EDIT, 1, number) for number in numbers]


@given(
    st.permutations(NUMBERS), st.sets(st.sampled_from(NUMBERS)), st.sets(st.sampled_from(NUMBERS))
)
def test_nothing_passes_but_what_was_sealed(order, gone, changed):
    records = [
        edited(r) if r.number in changed else r
        for r in some_records(*order)
        if r.number not in gone
    ]

    found = told(check_seal(SEAL, records))

    assert (found == []) is (records == some_records(*NUMBERS))
    assert {finding[2] for finding in found if finding[0] == Kind.DELETION} == gone
    assert {finding[2] for finding in found if finding[0] == Kind.EDIT} == changed - gone


def test_against_a_head_alone_it_is_told_that_they_differ_but_not_where():
    assert told(check_seal(HEAD, some_records(*NUMBERS))) == []
    assert told(check_seal(HEAD, some_records(*NUMBERS[1:]))) == [(Kind.WRONG_ROOT, 1)]
    assert told(check_seal(HEAD, [])) == [(Kind.WRONG_ROOT, 1)]


def test_an_empty_seal_holds_no_entry():
    empty = seals.parse_seal(Trail().seal().copies[0].text)

    assert told(check_seal(empty, [])) == []
    assert told(check_seal(empty, some_records(8))) == [(Kind.INSERTION, 1, 8)]


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding(Kind.EDIT, 3, (17,), "It is not."), "seal 3, entry 17: edit: It is not."),
        (Finding(Kind.REORDER, 3, (1, 2)), "seal 3, entries 1, 2: reorder"),
        (Finding(Kind.BROKEN_BUNDLE, None, detail="Why."), "broken bundle: Why."),
        (
            Finding(Kind.REORDER, 1, tuple(range(12))),
            "seal 1, entries 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more: reorder",
        ),
    ],
)
def test_a_finding_says_in_a_line_where_what_and_why(finding, line):
    assert str(finding) == line


@pytest.mark.parametrize(
    ("minutes", "kinds"), [(0, []), (59, []), (-59, []), (61, [Kind.TIME]), (-61, [Kind.TIME])]
)
def test_an_entry_that_says_another_time_than_the_databases_is_told(minutes, kinds):
    stated_at = NOON + timedelta(minutes=minutes)
    (record,) = some_records(1)
    text = f'{{"CLIENT_ID":"x","TIMESTAMP":"{stated_at.isoformat()}"}}'
    entry = record._replace(text=text, recorded_at=NOON)

    comparison = compare_entries(SEAL, [entry])

    assert [fault.kind for fault in comparison.faults if fault.kind is Kind.TIME] == kinds
    assert (comparison.count, comparison.earliest, comparison.latest) == (1, NOON, NOON)


def test_an_entry_that_says_no_time_is_of_none():
    records = [record._replace(recorded_at=NOON) for record in some_records(*NUMBERS)]

    assert not any(fault.kind is Kind.TIME for fault in compare_entries(SEAL, records).faults)
