"""An e-Box in a record that stays: known again by whoever has the key, and by nobody else."""

import hashlib
import re

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from tests.factories import an_ebox

KEY = "a key of the tests, long enough to count"
BAKERY = Ebox(EboxKind.ENTERPRISE, "0206731645")


def test_the_same_ebox_has_the_same_name_in_every_process_for_ever():
    digest = "0171155d0a2e4f29610a13cc8c93ca20f787cc7ea57e533dc57da28e2bcea13b"

    assert Pseudonyms(KEY).hash_ebox(BAKERY) == f"2b097cd1:{digest}"


def test_every_ebox_has_a_name_of_its_own():
    citizen = Ebox(EboxKind.CITIZEN, BAKERY.number)
    eboxes = [BAKERY, citizen, *(an_ebox() for _ in range(20))]

    assert len({Pseudonyms(KEY).hash_ebox(ebox) for ebox in eboxes}) == len(eboxes)


def test_another_key_gives_other_names_and_says_that_it_is_another():
    one, other = Pseudonyms(KEY), Pseudonyms(KEY + "!")

    assert one.key_id != other.key_id
    assert one.hash_ebox(BAKERY).split(":")[0] == one.key_id
    assert one.hash_ebox(BAKERY).split(":")[1] != other.hash_ebox(BAKERY).split(":")[1]


@pytest.mark.parametrize("kind", EboxKind)
def test_a_name_gives_nothing_away(kind):
    ebox = an_ebox(kind)

    name = Pseudonyms(KEY).hash_ebox(ebox)

    assert re.fullmatch(r"[0-9a-f]{8}:[0-9a-f]{64}", name)
    assert ebox.number not in name
    for told in (ebox.key, ebox.number):
        assert hashlib.sha256(told.encode()).hexdigest() not in name


def test_the_id_of_a_key_is_no_part_of_its_own_hash():
    assert Pseudonyms(KEY).key_id not in hashlib.sha256(KEY.encode()).hexdigest()


@pytest.mark.parametrize("key", ["", "secret", "secret" * 5 + "s"], ids=len)
def test_a_key_that_can_be_guessed_is_refused_and_not_repeated(key):
    with pytest.raises(KeyTooShort, match="less than 32 characters") as refused:
        Pseudonyms(key)

    assert "secret" not in str(refused.value)


def test_a_key_of_32_characters_is_long_enough():
    assert Pseudonyms("x" * 32).hash_ebox(BAKERY)


def test_a_key_is_shown_nowhere():
    assert KEY not in repr(Pseudonyms(KEY))


def test_a_seal_is_of_these_bytes_and_this_key():
    seals = {
        Pseudonyms(key).seal_content(text) for key in (KEY, KEY + "!") for text in (b"a", b"b")
    }

    assert len(seals) == 4
    assert Pseudonyms(KEY).seal_content(b"a") in seals


def test_no_seal_is_the_hash_of_an_ebox():
    pseudonyms = Pseudonyms(KEY)

    assert pseudonyms.seal_content(BAKERY.key.encode()) != pseudonyms.hash_ebox(BAKERY)
