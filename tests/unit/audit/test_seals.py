"""A seal's text, its links and its signature."""

import base64
import dataclasses
import hashlib
import json
from datetime import timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.trail import keys, merkle
from registry.audit.trail import seal as seals
from registry.audit.trail.breaks import Break
from registry.audit.trail.entry import hash_leaf
from registry.audit.trail.untrusted_json import DamagedText
from tests.factories import NOON
from tests.unit.audit.trails import KEY, KEYS, OTHER_KEY, Trail, a_trail, some_records

SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def changed(text, line=0, **members):
    """The text with other members in one of its lines."""
    read = [json.loads(part) for part in text.split("\n")]
    read[line] |= members
    return "\n".join(json.dumps(part, separators=(",", ":"), sort_keys=True) for part in read)


def rebodied(text, **members):
    """The text with another body, which its head knows of."""
    other = changed(text, line=1, **members)
    return changed(other, body=hashlib.sha256(other.split("\n")[1].encode()).hexdigest())


def test_a_seal_says_what_it_covers_and_follows_the_one_before():
    first, empty, third = a_trail().copies

    seal = seals.parse_seal(third.text)

    leaves = tuple(map(hash_leaf, some_records(5, 7, 6)))
    assert seal == seals.Seal(
        number=3,
        previous=hashlib.sha256(empty.text.split("\n")[0].encode()).hexdigest(),
        first_xid=20,
        until_xid=30,
        count=3,
        first_number=5,
        last_number=7,
        root=merkle.compute_root(leaves).hex(),
        sealed_at=NOON + timedelta(minutes=3),
        key_id=keys.compute_key_id(KEY.public_key()),
        numbers=(5, 7, 6),
        leaves=leaves,
    )
    assert seals.parse_seal(first.text).previous == seals.GENESIS
    assert seals.parse_seal(first.text).first_xid == 0


def test_an_empty_seal_moves_the_range_on():
    empty = seals.parse_seal(a_trail().copies[1].text)

    assert (empty.count, empty.first_number, empty.last_number) == (0, None, None)
    assert (empty.first_xid, empty.until_xid) == (10, 20)
    assert empty.root == hashlib.sha256(b"").hexdigest()


def test_a_seal_can_follow_the_head_of_another():
    copy = a_trail().copies[0]
    made = {"sealed_at": NOON, "key_id": "k"}

    assert seals.make_next_seal(seals.read_head(copy.text), [], 11, **made) == seals.make_next_seal(
        copy.text, [], 11, **made
    )


def test_the_text_is_two_lines_of_canonical_json_and_the_same_for_ever():
    text = Trail().seal(1, 2, 4).copies[0].text

    assert text == changed(text)
    assert json.loads(text.split("\n")[0])["format"] == "ebox-audit-seal/2"
    assert json.loads(text.split("\n")[1])["numbers"] == [[1, 2], [4, 1]]
    assert seals.hash_seal(text) == (
        "e29146e382e4b2f4dce2736b3a9277361605f8f446afa8a55167055c18fc80b3"
    )


def test_a_seal_of_the_first_format_is_the_same_for_ever_too():
    seal = seals.parse_seal(Trail().seal(1, 2, 4).copies[0].text)
    leaves = tuple(hash_leaf(record, form=1) for record in some_records(1, 2, 4))
    root = merkle.compute_root(leaves).hex()

    text = seals.write_seal(dataclasses.replace(seal, leaves=leaves, root=root, form=1))

    assert seals.parse_seal(text).form == 1
    assert seals.hash_seal(text) == (
        "c837103449498c25e588f2863ae12b8c18f7375abb0d4f3d0c8634fc55c5531a"
    )


A_BREAK = Break(
    reason="rétabli",
    operator="An",
    bucket_seal=3,
    bucket_hash=seals.hash_seal(a_trail().copies[-1].text),
    database_seal=1,
    database_hash="0" * 64,
    missing=2,
    remnants={2: (range(5, 7), range(9, 10))},
)


def a_break(**changes):
    """The text of a seal after those of `a_trail` with a break."""
    last = a_trail().copies[-1].text
    made = {
        "sealed_at": NOON,
        "key_id": "k",
        "known_break": dataclasses.replace(A_BREAK, **changes),
    }
    return seals.write_seal(seals.make_next_seal(last, [], 30, **made))


def test_a_break_is_read_as_it_was_written():
    assert seals.parse_seal(a_break()).known_break == A_BREAK


def test_a_break_stands_where_the_database_looks_for_it():
    assert a_break()[75:83] == '"break":'


@pytest.mark.parametrize("name", json.loads(seals.read_head(a_break()))["break"])
def test_a_damaged_break_is_told_to_be_damaged(name):
    members = json.loads(seals.read_head(a_break()))["break"]
    for wrong in ({**members, name: True}, {**members, name: [[1, [[1]]]]}, None):
        with pytest.raises(DamagedText):
            seals.parse_seal(changed(a_break(), **{"break": wrong}))


@given(st.lists(st.integers(0, 9), unique=True))
def test_a_seal_is_read_as_it_was_written(numbers):
    text = Trail().seal(*numbers).copies[0].text

    assert seals.write_seal(seals.parse_seal(text)) == text
    assert seals.parse_seal(text).numbers == tuple(numbers)


def test_the_time_is_the_same_in_whatever_zone_it_is_given():
    zone = timezone(timedelta(hours=9))

    texts = [Trail().seal(1, sealed_at=at).copies[0].text for at in (NOON, NOON.astimezone(zone))]

    assert texts[0] == texts[1]


def test_a_head_is_signed_hashed_and_read_like_the_whole():
    copy = a_trail().copies[0]
    head = seals.read_head(copy.text)

    assert seals.hash_seal(head) == seals.hash_seal(copy.text)
    assert seals.sign_seal(KEY, head) == copy.signature
    assert seals.parse_seal(head).count == 4
    assert seals.parse_seal(head).leaves == ()


COPY = a_trail().copies[0]
MEMBERS = sorted(json.loads(seals.read_head(COPY.text)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "1" * 5000,
        "[" * 100_000,
        "\ud800",
        f"{COPY.text} ",
        changed(COPY.text, format="another"),
        changed(COPY.text, line=1, numbers=[[2, 4]]),
        *(changed(COPY.text, **{name: []}) for name in MEMBERS),
        changed(COPY.text, number=True),
        changed(COPY.text, sealed_at="2026-11-20T12:00:00"),
        changed(COPY.text, sealed_at="noon"),
        rebodied(COPY.text, numbers=[[1, 3]]),
        rebodied(COPY.text, numbers=[[1, 10**12]]),
        rebodied(COPY.text, numbers=[[1, 3], [1, 2]]),
        rebodied(COPY.text, numbers=[1, 2, 3, 4]),
        rebodied(COPY.text, numbers=None),
        rebodied(COPY.text, leaves="*"),
        rebodied(COPY.text, leaves=base64.b64encode(b"a" * 127).decode()),
    ],
)
def test_a_damaged_text_is_told_to_be_damaged(text):
    with pytest.raises(DamagedText):
        seals.parse_seal(text)


def test_the_texts_of_the_test_before_are_damaged_only_where_they_say():
    assert seals.parse_seal(changed(COPY.text)) == seals.parse_seal(COPY.text)
    assert seals.parse_seal(rebodied(COPY.text, numbers=[[2, 4]])).numbers == (2, 3, 4, 5)
    assert seals.parse_body(COPY.text.split("\n")[1])[0] == (1, 2, 3, 4)


def test_a_signature_holds_for_the_text_and_the_key_it_was_made_with():
    seals.verify_signature(KEYS, COPY.text, COPY.signature)


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (changed(COPY.text, until_xid=11), COPY.signature),
        (COPY.text, seals.sign_seal(OTHER_KEY, COPY.text)),
        (COPY.text, COPY.signature[:-4]),
        (COPY.text, "not base64"),
        (COPY.text, "\u00e9"),
        (COPY.text, ""),
    ],
)
def test_any_other_signature_is_bad(text, signature):
    with pytest.raises(keys.BadSignature):
        seals.verify_signature(KEYS, text, signature)


def test_a_key_that_is_not_known_is_another_matter_than_a_bad_signature():
    others = keys.make_keyring([OTHER_KEY.public_key()])

    with pytest.raises(keys.UnknownKey, match=keys.compute_key_id(KEY.public_key())):
        seals.verify_signature(others, COPY.text, COPY.signature)


def test_a_key_is_named_by_the_hash_of_its_raw_bytes():
    digest = hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest()

    assert keys.compute_key_id(KEY.public_key()) == digest[:16]
    assert keys.compute_fingerprint(KEY.public_key()) == digest


@pytest.mark.parametrize("password", [None, b"secret"])
def test_keys_are_read_from_pem(password):
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    assert keys.parse_private_key(private, password).private_bytes_raw() == KEY.private_bytes_raw()
    assert keys.parse_public_key(KEY.public_key().public_bytes(*SPKI)) == KEY.public_key()


def test_another_kind_of_key_is_refused():
    other = generate_private_key(SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    for pem in (private, b"", KEY.private_bytes_raw()):
        with pytest.raises(keys.NoKey):
            keys.parse_private_key(pem)
    for pem in (other.public_key().public_bytes(*SPKI), b"", private):
        with pytest.raises(keys.NoKey):
            keys.parse_public_key(pem)
