"""The canonical form of JSON, against the rules of RFC 8785."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.trail.canonical_json import NotCanonical, dumps

NAMES = st.text(st.characters(max_codepoint=0x7F))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
)
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def by_the_rules(value):
    """RFC 8785, 3.2, word for word and without a library."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + "".join(escaped(character) for character in value) + '"'
        case list():
            return "[" + ",".join(map(by_the_rules, value)) + "]"
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            members = (f"{by_the_rules(name)}:{by_the_rules(value[name])}" for name in names)
            return "{" + ",".join(members) + "}"


def escaped(character):
    if character in SHORT:
        return SHORT[character]
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 else character


@given(VALUES)
def test_what_is_written_is_what_the_rules_write_and_reads_as_what_it_was(value):
    assert dumps(value) == by_the_rules(value)
    assert json.loads(dumps(value)) == value


def test_the_strings_of_the_rfc_are_written_as_it_writes_them():
    value = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True]}

    assert dumps(value) == '{"literals":[null,true],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        [1.5],
        {"a": [{"b": float("nan")}]},
        2**53,
        [-(2**53)],
        {1: "a"},
        {"é": "a"},
        [{"a": {"\U0001f600": 1}}],
        "\ud800",
        ["é\udfff"],
        {"a": b"bytes"},
        [{1, 2}],
    ],
)
def test_what_has_no_one_form_is_refused(value):
    with pytest.raises(NotCanonical):
        dumps(value)


def test_a_float_is_refused_by_its_name():
    with pytest.raises(NotCanonical, match="A float has no canonical form; write it as a string"):
        dumps({"size": 1.5})
