"""Packed entries: the text comes out again byte by byte, for as long as it is kept."""

import zlib
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from registry.audit.store.packing import pack, read_record, unpack
from registry.audit.trail.entry import Entry, write_entry

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
EBOX, PERSON = f"2b097cd1:{'5e' * 32}", f"2b097cd1:{'0f' * 32}"
ENTRY = Entry(
    timestamp="2026-11-27T23:00:00.000000+01:00",
    token_hash="7c" * 32,
    client_id="portal",
    method="GET",
    url="/REST/ebox/enterprise/messageRegistry/v3/ebox/messages",
    status=200,
    details={"messageIds": [str(UUID(int=number)) for number in range(25)]},
)
TEXT = write_entry(ENTRY)
# As the program of revision 0019 packed it. A trail is kept for ten years: never to be changed.
PACKED = bytes.fromhex(
    "01cdd4310a85301444d1bdd80b99f835ea3a6c7fa1512b4111f78f160a0a112ea4f13d487548200c13fecfe7"
    "b79973d2c071cdf1386062cc329631f6632c67ac60cc3156325631d632d631e619eb191b181b1113cb9b58de"
    "c4f2269637b1bc89e54d2c6f62795399fcbf5c7ccbbc6eedf45a7f89f3711bac48a5d635367ba948db99caf9"
    "5e753ec4eded2a33c6ed0e"
)


@pytest.mark.parametrize(
    "record",
    [
        (TEXT, EBOX, PERSON),
        (TEXT, EBOX, None),
        (TEXT, None, PERSON),
        ("{}", None, None),
        ('{"€":"\\u0000 \N{GRINNING FACE} + \\\\"}', "", ""),
        ("x" * 100_000, "+", None),
    ],
    ids=range(6),
)
def test_what_is_unpacked_is_what_was_packed(record):
    assert unpack(pack(*record)) == record


def test_what_was_packed_once_is_read_for_ever():
    assert unpack(PACKED) == (TEXT, EBOX, PERSON)


@pytest.mark.parametrize(("ids", "most"), [(25, 0.55), (10, 0.5), (0, 0.45)])
def test_entries_take_half_of_their_bytes(ids, most):
    details = {"messageIds": [str(uuid4()) for _ in range(ids)], "trace": uuid4().hex}
    names = [f"2b097cd1:{uuid4().hex}{uuid4().hex}" for _ in range(2)]
    text = write_entry(replace(ENTRY, details=details, token_hash=uuid4().hex + uuid4().hex))

    assert len(pack(text, *names)) < most * (len(text) + sum(map(len, names)))


def _deflate(content):
    packer = zlib.compressobj(wbits=-13)
    return b"\1" + packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\0",
        b"\1",
        b"\2" + PACKED[1:],
        PACKED[:-1],
        PACKED + b"\0",
        _deflate(b"{}"),
        _deflate(b"{}\0\0\0"),
        _deflate(b"{}\0name\0"),
        _deflate(b"\xff\0\0"),
        _deflate(b" " * 2**26),
    ],
    ids=range(11),
)
def test_what_nobody_packed_is_refused_and_shown_as_it_is(packed):
    with pytest.raises(ValueError, match=r"packed|damaged|whole|decode"):
        unpack(packed)

    record = read_record(1, packed, (None, None, None), NOW)
    assert record.text == f'{{"DAMAGED":"{packed.hex()}"}}'
    assert (record.ebox, record.person) == (None, None)


def test_an_entry_that_is_older_is_read_out_of_its_columns():
    record = read_record(7, None, (TEXT, EBOX, None), NOW)

    assert record == (7, TEXT, EBOX, None, NOW)


@pytest.mark.parametrize("place", range(3))
def test_what_is_put_beside_a_packed_entry_stands_for_it(place):
    columns = [None, None, None]
    columns[place] = "{}"

    record = read_record(7, PACKED, columns, NOW)

    expected = [TEXT, EBOX, PERSON]
    expected[place] = "{}"
    assert list(record[1:4]) == expected
