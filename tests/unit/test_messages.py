"""What counts as reading, what expires soon, and what a search looks at."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.languages import LANGUAGES, fill_gaps, fold
from registry.domain.messages import counts_as_reading, find_soon_limit
from registry.domain.search import make_search_texts
from tests.factories import NOON

LINES = st.text(max_size=30)
TRANSLATED = st.dictionaries(st.sampled_from(LANGUAGES), LINES, min_size=1)


@pytest.mark.parametrize(
    ("is_main", "is_own", "reads"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_only_a_recipient_who_sees_main_content_reads(is_main, is_own, reads):
    assert counts_as_reading(is_main=is_main, is_own=is_own) is reads


def test_soon_is_counted_in_days_from_now():
    assert find_soon_limit(NOON, 15) == NOON + timedelta(days=15)


def test_subject_business_data_values_and_addressee_are_searched_each_on_its_own_line():
    texts = make_search_texts(
        {"nl": "Jaarrekening", "fr": "Comptes annuels"},
        [{"key": "year", "name": {"nl": "Jaar"}, "values": [{"nl": "2026"}, {"fr": "Décembre"}]}],
        {"ssin": "85073003328", "label": "Jos Dewaële"},
    )

    assert texts == {
        "nl": "jaarrekening\n2026\ndecembre\n85073003328\njos dewaele",
        "fr": "comptes annuels\n2026\ndecembre\n85073003328\njos dewaele",
        "de": "jaarrekening\n2026\ndecembre\n85073003328\njos dewaele",
    }


def test_a_message_with_only_a_subject_is_found_by_it():
    assert make_search_texts({"de": "Bescheid"}, None, None) == dict.fromkeys(LANGUAGES, "bescheid")


@given(
    TRANSLATED,
    st.lists(TRANSLATED, max_size=3),
    st.dictionaries(st.sampled_from(["ssin", "label"]), LINES),
    st.sampled_from(LANGUAGES),
    st.data(),
)
def test_a_text_searched_for_never_matches_from_one_field_into_the_next(
    subject, values, attention, language, data
):
    business_data = [{"key": "k", "values": values}]
    fields = [fill_gaps(text)[language] for text in (subject, *values)] + list(attention.values())
    everything = fold(" ".join(fields)) + fold("".join(fields))
    start = data.draw(st.integers(0, len(everything)))
    searched = everything[start : start + data.draw(st.integers(1, 40))]

    text = make_search_texts(subject, business_data, attention)[language]

    assert (searched in text) == any(searched in fold(field) for field in fields)


@given(TRANSLATED, st.sampled_from(LANGUAGES))
def test_every_part_of_a_field_finds_it(subject, language):
    text = make_search_texts(subject, None, None)[language]

    assert fold(fill_gaps(subject)[language]) in text
