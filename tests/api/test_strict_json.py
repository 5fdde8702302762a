"""JSON of strangers is taken strictly, and each fault named by its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.api.requests.strict_json import parse
from registry.domain.errors import Invalid

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def faults(content, **how):
    with pytest.raises(Invalid) as error:
        parse(content, **how)
    return [(issue.name, issue.detail) for issue in error.value.issues]


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_json_is_read_as_python_reads_it(members):
    assert parse(json.dumps(members).encode()) == members
    assert parse(json.dumps(members, ensure_ascii=False).encode()) == members


def test_a_byte_order_mark_is_forgiven():
    assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "body is not JSON: Expecting value at line 1, column 1"),
        (b"{", None),
        (b'{"a": 1,}', None),
        (b"{'a': 1}", None),
        (b'{"a": 01}', None),
        (b'{"a": 1} {}', None),
        (b'{"a": "\x01"}', None),
        (b'{"a": 1 /* one */}', None),
        (b"[]", "body is not a JSON object"),
        (b"null", "body is not a JSON object"),
        (b'"text"', "body is not a JSON object"),
        (b'{"a": "\xff"}', "body is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "body is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "body is not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "body has more than 32 levels"),
        (b'{"a": ' + b"1" * 5000 + b"}", "body has a number that is too large"),
    ],
)
def test_what_is_no_object_is_refused_as_a_whole(content, fault):
    found = faults(content)

    assert [name for name, _ in found] == ["body"]
    assert found[0][1] == fault or (fault is None and "is not JSON" in found[0][1])


@pytest.mark.parametrize(
    ("content", "name", "fault"),
    [
        ('{"a": 1, "a": 1}', "body", "has a more than once"),
        ('{"a": [{"b": 1, "b": 2}]}', "a[0]", "has b more than once"),
        ('{"a": {"b": [1, null]}}', "a.b[1]", "is null; leave it out"),
        ('{"a": NaN}', "a", "is not a number, or too large"),
        ('{"a": -Infinity}', "a", "is not a number, or too large"),
        ('{"a": 1e999}', "a", "is not a number, or too large"),
        ('{"a": 18446744073709551616}', "a", "does not fit in 64 bits"),
        ('{"a": -9223372036854775809}', "a", "does not fit in 64 bits"),
        ('{"a": "\\ud800"}', "a", "has a NUL or a lone surrogate"),
        ('{"a": "\\udc00\\ud800"}', "a", "has a NUL or a lone surrogate"),
        ('{"a": "x\\u0000"}', "a", "has a NUL or a lone surrogate"),
        ('{"a": {"\\u0000": 1}}', "a", "has a member with a NUL or a lone surrogate in its name"),
    ],
)
def test_each_fault_has_its_place(content, name, fault):
    assert faults(content.encode()) == [(name, f"{name} {fault}")]


def test_a_surrogate_pair_is_a_character():
    assert parse(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_a_name_that_is_no_text_is_told_in_a_text():
    [_, (name, detail)] = faults(b'{"\\ud800": null}')

    assert (name, detail) == ("?", "? is null; leave it out")


def test_all_faults_are_told_in_the_order_of_the_document():
    content = b'{"a": null, "b": {"c": [NaN, {"d": null}]}, "e": null}'

    assert [name for name, _ in faults(content)] == ["a", "b.c[0]", "b.c[1].d", "e"]


def test_names_are_told_after_that_of_the_part():
    assert faults(b'{"a": null}', under="message")[0][0] == "message.a"
    assert faults(b"[]", under="message") == [("message", "message is not a JSON object")]


def test_null_is_taken_where_it_means_something():
    assert parse(b'{"a": null}', nulls=True) == {"a": None}


def test_thirty_two_levels_are_taken_and_no_more():
    assert parse(b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}")
    assert faults(b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}") == [
        ("a" + "[0]" * 31, "a" + "[0]" * 31 + " has more than 32 levels")
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": [' + b"null," * 200_000 + b"null]}",
        b"{" + b'"a": 1, ' * 120_000 + b'"a": 1}',
        b"{" + b", ".join(b'"%d": 1' % (n // 2) for n in range(90_000)) + b"}",
        b'{"' + b"x" * 500_000 + b'": [' + b"[]," * 170_000 + b"null]}",
    ],
    ids=["nulls", "one member", "all members", "long name"],
)
def test_a_mebibyte_of_faults_is_told_in_a_few_words(content):
    found = faults(content)

    assert len(found) <= 100
    assert sum(len(name) + len(detail) for name, detail in found) < 100_000
