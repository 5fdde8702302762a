"""An Idempotency-Key is a string item of RFC 8941, or the same without quotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.api.requests.idempotency_key import parse_key
from registry.domain.errors import Invalid

UUID = "8e03978e-40d5-43e8-bc93-6894a57f9324"


def test_no_header_asks_for_no_check():
    assert parse_key(None) is None


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (f'"{UUID}"', UUID),
        (UUID, UUID),
        (f" {UUID} ", UUID),
        (f'  "{UUID}" ', UUID),
        (f'"{UUID}";version=1', UUID),
        ('"a \\"quoted\\" \\\\ key"', 'a "quoted" \\ key'),
        ("2026/invoice:17", "2026/invoice:17"),
        ("x" * 255, "x" * 255),
        (f'"{"x" * 255}"', "x" * 255),
    ],
)
def test_a_key_is_what_stands_between_the_quotes(header, key):
    assert parse_key(header) == key


@pytest.mark.parametrize(
    "header",
    [
        "",
        '""',
        "x" * 256,
        f'"{"x" * 256}"',
        '"unfinished',
        'unbegun"',
        '"a" "b"',
        '"a", "a"',
        "a,a",
        "two words",
        "token;version=1",
        "?1",
        "(a b)",
        '%"display"',
        '"\u00e9"',
        "\u20ac",
        '"a\tb"',
        '"\\n"',
    ],
)
def test_anything_else_is_refused(header):
    with pytest.raises(Invalid) as error:
        parse_key(header)

    [issue] = error.value.issues
    assert (issue.where, issue.name) == ("header", "Idempotency-Key")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
def test_every_printable_text_can_be_a_key(key):
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')

    assert parse_key(f'"{quoted}"') == key


@given(st.text())
def test_any_header_is_a_key_or_refused(header):
    try:
        key = parse_key(header)
    except Invalid:
        return
    assert 0 < len(key) <= 255
    assert key.isascii()
