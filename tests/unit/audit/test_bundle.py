"""An export proves itself, and nothing in it can be changed unseen."""

import json
from datetime import timedelta

import pytest

from registry.audit.trail import export_file, keys
from registry.audit.trail.export_file import ExportHeader, NotSealed
from registry.audit.trail.inspect_export import Inspection
from registry.audit.trail.verify import FindingKind as Kind
from tests.factories import NOON
from tests.unit.audit.trails import KEY, KEYS, OTHER_KEY, a_trail, some_records, told

OTHER_KEYS = keys.make_keyring([OTHER_KEY.public_key()])


def a_header(**changes):
    values = {
        "begin": NOON,
        "end": NOON + timedelta(days=30),
        "made_at": NOON + timedelta(days=31),
        "public_keys": (KEY.public_key(),),
    }
    return ExportHeader(**values | changes)


def signed(*lines, key=KEY):
    return list(export_file.sign_lines(lines, key))


def an_export(key=KEY, **changes):
    """The first two seals whole, and two entries of the third."""
    first, second, third = a_trail().copies
    return signed(
        export_file.write_header(a_header(**changes)),
        *export_file.write_whole_seal(first, some_records(1, 2, 3, 4)),
        *export_file.write_whole_seal(second, []),
        *export_file.write_part_of_seal(third, some_records(5, 6)),
        key=key,
    )


def found(lines, trusted=None):
    return told(Inspection(trusted).check_lines(lines))


def resigned(lines):
    """What somebody makes of changed lines who has the key: only the seals are against him."""
    return signed(*(line.decode().removesuffix("\n") for line in lines))


def changed(lines, place, **members):
    line = json.dumps(json.loads(lines[place]) | members).encode() + b"\n"
    return [*lines[:place], line, *lines[place + 1 :]]


HEADER, FIRST, ENTRY, SECOND, THIRD, PART, LAST, END = 0, 1, 2, 6, 7, 8, 9, 10


@pytest.mark.parametrize("trusted", [None, KEYS])
def test_an_export_is_right_by_its_own_keys_and_by_known_ones(trusted):
    assert found(an_export(), trusted) == []


def test_an_export_is_counted():
    inspection = Inspection()

    list(inspection.check_lines(an_export(about="key:01")))

    contents = inspection.contents
    assert inspection.header == a_header(about="key:01")
    assert (contents.whole_seals, contents.partial_seals, contents.entries) == (2, 1, 6)
    assert (contents.first_seal, contents.last_seal, contents.runs) == (1, 3, 1)
    assert contents.signers == set(KEYS)


def test_seals_may_be_left_out_and_that_is_counted():
    first, _, third = a_trail().copies
    inspection = Inspection()
    lines = signed(
        export_file.write_header(a_header()),
        *export_file.write_part_of_seal(first, some_records(2)),
        *export_file.write_whole_seal(third, some_records(5, 7, 6)),
    )

    assert told(inspection.check_lines(lines)) == []
    assert inspection.contents.runs == 2


def test_a_part_of_a_seal_does_not_bring_the_rest_of_it():
    brought = json.loads(an_export()[THIRD])["text"]

    assert "\n" not in brought
    assert "leaves" not in brought


def test_an_entry_that_the_seal_does_not_have_cannot_be_exported():
    with pytest.raises(NotSealed):
        list(export_file.write_part_of_seal(a_trail().copies[0], some_records(9)))


@pytest.mark.parametrize("place", range(END))
def test_whatever_is_changed_the_signature_at_the_end_tells(place):
    lines = changed(an_export(), place, more=1)

    assert found(lines) == [(Kind.BAD_SIGNATURE, None)]


@pytest.mark.parametrize("place", range(1, END))
def test_a_line_that_is_taken_out_is_told(place):
    lines = an_export()
    del lines[place]

    assert (Kind.BAD_SIGNATURE, None) in found(lines)


def test_what_was_cut_off_is_told_not_to_end():
    assert found(an_export()[:END]) == [(Kind.BROKEN_BUNDLE, None)]
    assert found(an_export()[: SECOND - 1]) == [
        (Kind.DELETION, 1, 4),
        (Kind.BROKEN_BUNDLE, None),
    ]


def test_what_was_added_after_the_end_is_told():
    assert found([*an_export(), b"\n"]) == [(Kind.BROKEN_BUNDLE, None)]


@pytest.mark.parametrize(
    ("place", "members", "findings"),
    [
        (ENTRY, {"record": [1, "{}", "key:01", None]}, [(Kind.EDIT, 1, 1)]),
        (
            ENTRY,
            {"record": [9, "{}", None, None]},
            [(Kind.INSERTION, 1, 9), (Kind.DELETION, 1, 1)],
        ),
        (PART, {"record": [5, "{}", "key:05", None]}, [(Kind.NOT_PROVEN, 3, 5)]),
        (PART, {"path": ""}, [(Kind.NOT_PROVEN, 3, 5)]),
        (PART, {"index": 1}, [(Kind.NOT_PROVEN, 3, 5)]),
        (PART, {"index": 3}, [(Kind.NOT_PROVEN, 3, 5), (Kind.REORDER, 3, 6)]),
        (PART, {"index": -1}, [(Kind.REORDER, 3, 5), (Kind.NOT_PROVEN, 3, 5)]),
        (SECOND, {"seal": 4}, [(Kind.BROKEN_CHAIN, 4), (Kind.BROKEN_CHAIN, 3)]),
    ],
)
def test_what_its_maker_changes_the_seals_tell(place, members, findings):
    assert found(resigned(changed(an_export(), place, **members)[:END])) == findings


def test_an_entry_of_a_part_without_a_proof_is_not_proven():
    lines = an_export()
    bare = {"record": json.loads(lines[PART])["record"]}
    lines[PART] = json.dumps(bare).encode() + b"\n"

    assert found(resigned(lines[:END])) == [(Kind.NOT_PROVEN, 3, 5)]


def test_an_entry_of_a_part_comes_once():
    lines = an_export()
    lines.insert(PART, lines[PART])

    assert found(resigned(lines[:-1])) == [(Kind.REORDER, 3, 5)]


def test_an_entry_without_a_seal_is_not_proven():
    lines = an_export()

    assert found(resigned([lines[HEADER], lines[ENTRY]])) == [(Kind.NOT_PROVEN, None, 1)]


def test_a_seal_with_another_signature_is_told():
    other = json.loads(an_export()[FIRST])["signature"]

    lines = resigned(changed(an_export(), THIRD, signature=other)[:END])

    assert found(lines) == [(Kind.BAD_SIGNATURE, 3)]


def test_keys_of_its_own_do_not_help_where_others_are_trusted():
    assert found(an_export(), OTHER_KEYS) == [
        (Kind.UNKNOWN_KEY, 1),
        (Kind.UNKNOWN_KEY, 2),
        (Kind.UNKNOWN_KEY, 3),
        (Kind.UNKNOWN_KEY, None),
    ]
    assert found(an_export(key=OTHER_KEY), KEYS) == [(Kind.UNKNOWN_KEY, None)]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{",
        b"[]",
        b"\xff",
        b"{}",
        b'{"seal": "1", "text": "", "signature": ""}',
        b'{"end": 1, "signature": ""}',
        b'{"record": [1, "a", null]}',
        b'{"record": [1, "a", null, 1]}',
        b'{"record": ["1", "a", null, null]}',
        b'{"record": [-1, "a", null, null]}',
        b'{"record": [9223372036854775808, "a", null, null]}',
        b'{"record": [1, "\\ud800", null, null]}',
        b'{"record": [1, "a", null, null], "index": "1", "path": ""}',
        b'{"record": [1, "a", null, null], "index": 1, "path": "*"}',
        b'{"record": [1, "a", null, null], "index": 1}',
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number(line):
    lines = an_export()
    lines.insert(PART, line + b"\n")

    findings = list(Inspection().check_lines(lines))

    assert findings[0].detail.startswith("Line 9: ")
    assert told(findings) == [(Kind.BROKEN_BUNDLE, None), (Kind.BAD_SIGNATURE, None)]


@pytest.mark.parametrize(
    "members",
    [
        {"format": "another"},
        {"from": "noon"},
        {"until": "2026-11-20T12:00:00"},
        {"keys": ["AAAA"]},
        {"keys": [1]},
        {"about": 1},
    ],
)
def test_without_a_header_nothing_is_read(members):
    assert found(changed(an_export(), HEADER, **members)) == [(Kind.BROKEN_BUNDLE, None)]


def test_a_file_without_a_line_is_no_export():
    assert found([]) == [(Kind.BROKEN_BUNDLE, None)]
