"""Texts in three languages, and their folded form (contract 4.3, 4.7)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.languages import fill_gaps, fold


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ({"nl": "a", "fr": "b", "de": "c"}, {"nl": "a", "fr": "b", "de": "c"}),
        ({"fr": "b"}, {"nl": "b", "fr": "b", "de": "b"}),
        ({"fr": "b", "de": "c"}, {"nl": "b", "fr": "b", "de": "c"}),
        ({"nl": "a", "de": "c"}, {"nl": "a", "fr": "a", "de": "c"}),
        ({"nl": "", "fr": "b"}, {"nl": "b", "fr": "b", "de": "b"}),
        ({"en": "d"}, {"nl": "d", "fr": "d", "de": "d"}),
        ({"en": "d", "de": "c"}, {"nl": "c", "fr": "c", "de": "c"}),
        ({}, {"nl": "", "fr": "", "de": ""}),
    ],
)
def test_gaps_are_filled_from_another_language(text, shown):
    assert fill_gaps(text) == shown


def test_a_language_that_is_not_national_is_not_shown():
    assert set(fill_gaps({"nl": "a", "en": "d"})) == {"nl", "fr", "de"}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Épinards", "epinards"),
        ("ÉPINARDS", "epinards"),
        ("e\u0301pinards", "epinards"),
        ("cœur", "coeur"),
        ("CŒUR", "coeur"),
        ("Straße", "strasse"),
        ("STRA\u1e9eE", "strasse"),
        ("Æther", "aether"),
        ("\ufb01n", "fin"),
        ("e\ufb03cace", "efficace"),
        ("Müller", "muller"),
        ("Ĳzer", "ijzer"),
        ("façade", "facade"),
        ("Ørsted", "orsted"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("\u0131l\u0131k", "ilik"),
        ("½ m²", "1\u20442 m2"),
        ("a\u00a0b", "a b"),
        ("\uff21\uff22", "ab"),
        ("Σίσυφος", "σισυφοσ"),
        ("a\u0302\u0323\u0301", "a"),
        (
            "l\u2019imp\u00f4t l\u2018impot l\u02bcimpot l`impot l\u2032impot",
            "l'impot " * 4 + "l'impot",
        ),
        (
            "\u201ea\u201c \u201ca\u201d \u00aba\u00bb \uff02a\uff02 \u2039a\u203a",
            '"a" "a" "a" "a" \'a\'',
        ),
        ("1\u20102\u20112\u20123\u20134\u20145\u20156\u22127\uff0d8", "1-2-2-3-4-5-6-7-8"),
    ],
)
def test_case_accents_and_ligatures_do_not_matter(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\0", "\x7f", "\x85"])
def test_a_control_becomes_a_space(character):
    assert fold(f"a{character}b") == "a b"


@pytest.mark.parametrize("character", ["\xad", "\u200b", "\u200d", "\ufeff"])
def test_what_only_helps_to_set_a_word_does_not_part_it(character):
    assert fold(f"a{character}b") == "ab"


def test_wildcards_of_sql_stay_what_they_are():
    assert fold("100%_\\") == "100%_\\"


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_nothing_folded_holds_a_mark_or_a_control_character(text):
    categories = {unicodedata.category(character) for character in fold(text)}

    assert not categories & {"Mn", "Mc", "Me", "Cc", "Cf"}


@given(st.text(), st.text())
def test_a_part_of_a_text_is_found_in_the_text_when_both_are_folded(before, part):
    assert fold(part) in fold(f"{before} {part} ")


@given(st.text(st.characters(categories=["L"])))
def test_upper_and_lower_case_fold_alike(text):
    assert fold(text.upper().lower()) == fold(text.upper())
