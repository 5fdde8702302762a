"""The Idempotency-Key of a publication (contract 4.11, 6.23)."""

import re
from typing import Final

import http_sf
from http_sf import StructuredFieldError

from registry.domain.errors import Invalid, Issue

HEADER: Final = "Idempotency-Key"

_LONGEST: Final = 255  # characters
# What RFC 8941 calls a token, but that may also begin with a digit, as UUIDs do.
_BARE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:/-]+")


def parse_key(header: str | None) -> str | None:
    """Parse the key, 1 to 255 characters of ASCII; None without header, which asks for no check.

    A string item of RFC 8941, so in double quotes, or the same without them: `"a"` and `a` are one
    key. Raises `Invalid`.
    """
    if header is None:
        return None
    text = header.strip(" ")
    key = text if _BARE.fullmatch(text) else _parse_string(text)
    if not 0 < len(key) <= _LONGEST:
        raise _make_error(f"is not 1 to {_LONGEST} characters")
    return key


def _parse_string(text: str) -> str:
    try:
        item = http_sf.parse(text.encode("latin-1", errors="replace"), tltype="item")
    except StructuredFieldError:
        raise _make_error("is not a text between double quotes") from None
    value = item[0] if isinstance(item, tuple) else item
    # A token or a date is a kind of text or number to the parser, but no string of the RFC.
    if type(value) is not str:
        raise _make_error("is not a text between double quotes")
    return value


def _make_error(fault: str) -> Invalid:
    return Invalid([Issue("header", HEADER, f"{HEADER} {fault}")])
