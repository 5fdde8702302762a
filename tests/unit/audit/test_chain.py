"""Seals that do not follow each other are told, in one place and in two."""

import pytest

from registry.audit.trail import keys, seal
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.verify import FindingKind as Kind
from tests.unit.audit.trails import (
    KEYS,
    OTHER_KEY,
    Trail,
    a_trail,
    check_chain,
    check_trail,
    resealed,
    some_records,
    told,
)


def chained(copies, first=1):
    return told(check_chain(copies, KEYS, first))


def checked(trail, bucket=None, database=None):
    places = [trail.copies if place is None else place for place in (bucket, database)]
    return told(check_trail(*places, trail.of, KEYS))


def with_second(**changes):
    """The chain with another seal in the place of the second, and the third made to follow it."""
    first, second, third = a_trail().copies
    other = resealed(seal.parse_seal(second.text), **changes)
    after = {"previous": seal.hash_seal(other.text)}
    return [
        first,
        SealCopy(2, other.text, other.signature),
        resealed(seal.parse_seal(third.text), **after),
    ]


def test_a_chain_as_it_was_made_is_right():
    assert chained(a_trail().copies) == []
    assert chained(with_second()) == []


def test_a_chain_begins_where_the_ones_before_are_no_longer_kept():
    rest = a_trail().copies[1:]

    assert chained(rest, first=2) == []
    assert chained(rest) == [(Kind.MISSING_SEAL, 1)]


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        ({"previous": seal.GENESIS}, [(Kind.BROKEN_CHAIN, 2)]),
        ({"number": 4}, [(Kind.BROKEN_CHAIN, 2)]),
        ({"first_xid": 11}, [(Kind.GAP, 2)]),
        ({"first_xid": 9}, [(Kind.OVERLAP, 2)]),
        ({"until_xid": 19}, [(Kind.GAP, 3)]),
        ({"until_xid": 21}, [(Kind.OVERLAP, 3)]),
        ({"until_xid": 9}, [(Kind.OVERLAP, 2), (Kind.GAP, 3)]),
        ({"count": 1}, [(Kind.BROKEN_SEAL, 2)]),
        ({"root": "0" * 64}, [(Kind.WRONG_ROOT, 2)]),
    ],
)
def test_a_seal_that_was_signed_may_still_be_wrong(changes, findings):
    assert chained(with_second(**changes)) == findings


def test_another_seal_in_its_place_does_not_follow_nor_is_followed():
    first, _, third = a_trail().copies
    forged = Trail().seal(1).seal(2).copies[1]

    assert chained([first, forged, third]) == [
        (Kind.BROKEN_CHAIN, 2),
        (Kind.BROKEN_CHAIN, 3),
    ]


def test_a_first_seal_follows_none_and_begins_with_the_first_transaction():
    first = seal.parse_seal(a_trail().copies[0].text)

    assert chained([resealed(first, previous="1" * 64)]) == [(Kind.BROKEN_CHAIN, 1)]
    assert chained([resealed(first, first_xid=3)]) == [(Kind.GAP, 1)]


def test_a_damaged_seal_is_told_once_and_the_next_not_blamed():
    first, second, third = a_trail().copies
    damaged = SealCopy(2, second.text[:-9], second.signature)

    assert chained([first, damaged, third]) == [(Kind.BROKEN_SEAL, 2)]


def test_a_signature_is_told_to_be_bad_or_of_an_unknown_key():
    first, second, third = a_trail().copies
    swapped = [first, SealCopy(2, second.text, first.signature), third]
    strangers = Trail().seal(1).seal(key=OTHER_KEY).copies

    assert chained(swapped) == [(Kind.BAD_SIGNATURE, 2)]
    assert chained(strangers) == [(Kind.UNKNOWN_KEY, 2)]


def test_the_key_may_change_as_long_as_each_is_known():
    both = keys.make_keyring([OTHER_KEY.public_key()]) | KEYS

    assert told(check_chain(Trail().seal(1).seal(key=OTHER_KEY).copies, both)) == []


def test_a_seal_that_is_missing_or_comes_twice_is_told():
    first, second, third = a_trail().copies

    assert chained([first, third]) == [(Kind.MISSING_SEAL, 2)]
    assert chained([first, second, second, third]) == [(Kind.BROKEN_CHAIN, 2)]


def test_however_many_seals_are_missing_it_is_told_once():
    last = resealed(seal.parse_seal(a_trail().copies[0].text), number=10**12)

    (finding,) = check_chain([last], KEYS)

    assert str(finding) == "seal 1: missing seal: The seals 1 to 999999999999 are nowhere."


def test_a_trail_as_it_was_made_is_right_in_both_places():
    assert checked(a_trail()) == []


def test_an_entry_is_looked_for_in_the_seal_that_covers_its_transaction():
    trail = a_trail()
    trail.records[3].append(trail.records[1].pop())

    assert checked(trail) == [(Kind.DELETION, 1, 4), (Kind.INSERTION, 3, 4)]


def test_an_entry_in_the_range_of_an_empty_seal_is_inserted():
    trail = a_trail()
    trail.records[2] = some_records(9)

    assert checked(trail) == [(Kind.INSERTION, 2, 9)]


def test_a_seal_whose_entries_are_all_gone_is_told_once():
    trail = a_trail()
    trail.records[1] = []

    assert checked(trail) == [(Kind.DELETION, 1)]


def test_entries_that_are_gone_from_the_end_were_cut_off():
    trail = a_trail().seal(8, 9)
    trail.records[3] = trail.records[4] = []

    assert checked(trail) == [(Kind.TRUNCATION, 3)]


def test_a_database_that_ends_before_the_bucket_was_rolled_back():
    trail = a_trail().seal(8, 9)
    trail.records[3] = trail.records[4] = []

    assert checked(trail, database=trail.copies[:2]) == [(Kind.ROLLBACK, 3)]


def test_an_empty_database_was_rolled_back_to_nothing():
    trail = a_trail()
    trail.records = {1: [], 2: [], 3: []}

    assert checked(trail, database=[]) == [(Kind.ROLLBACK, 1)]


def test_a_database_that_was_cut_off_before_it_was_rolled_back_tells_both():
    trail = a_trail().seal(8, 9)
    trail.records = {number: [] for number in range(1, 5)}

    found = checked(trail, database=trail.copies[:3])

    assert found == [(Kind.ROLLBACK, 4), (Kind.TRUNCATION, 1)]


def test_copies_that_are_gone_while_the_entries_stay_are_missing():
    trail = a_trail()

    assert checked(trail, database=trail.copies[:1]) == [
        (Kind.MISSING_SEAL, 2),
        (Kind.MISSING_SEAL, 3),
    ]
    assert checked(trail, database=trail.copies[1:]) == [(Kind.MISSING_SEAL, 1)]


def test_a_database_that_has_a_later_copy_was_not_rolled_back():
    trail = a_trail()
    trail.records = {1: [], 2: [], 3: []}

    found = checked(trail, database=trail.copies[1:])

    assert found == [(Kind.MISSING_SEAL, 1), (Kind.TRUNCATION, 1)]


def test_a_seal_that_only_the_database_has_is_not_locked():
    trail = a_trail()

    assert checked(trail, bucket=trail.copies[:2]) == [(Kind.NOT_LOCKED, 3)]


def test_where_the_two_places_differ_the_bucket_is_believed():
    trail = a_trail()
    forged = Trail().seal(1, 2).seal().seal(5, 7, 6)

    found = checked(trail, database=forged.copies)

    assert found == [
        (Kind.COPY_DIFFERS, 1),
        (Kind.COPY_DIFFERS, 2),
        (Kind.COPY_DIFFERS, 3),
    ]


def test_entries_under_a_seal_that_cannot_be_read_are_left_alone():
    trail = a_trail()
    damaged = [SealCopy(1, "{}", ""), *trail.copies[1:]]

    assert checked(trail, bucket=damaged, database=damaged) == [(Kind.BROKEN_SEAL, 1)]
