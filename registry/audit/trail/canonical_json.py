"""JSON in the one form that RFC 8785 gives it, for the values of an audit trail.

The names of members are ASCII, where the order of RFC 8785 (by UTF-16) is that of `sorted`.
"""

import json
from typing import Any, Final

_LARGEST: Final = 2**53 - 1  # RFC 8785, 3.1: integers that every reader of JSON keeps (RFC 7493)
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode


class NotCanonical(ValueError):
    """The value holds something that has no canonical form here, such as a float."""


def dumps(value: Any) -> str:
    """Write objects, arrays, strings, integers, booleans and None in canonical form.

    Raises `NotCanonical` for all else: floats, names that are not ASCII, lone surrogates.
    """
    _check(value)
    text = _encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise NotCanonical("A lone surrogate is no character.") from error
    return text


def _check(value: Any) -> None:
    if isinstance(value, dict):
        _check_names(value)
        _check_items(value.values())
    elif isinstance(value, list | tuple):
        _check_items(value)
    elif isinstance(value, int):
        if not -_LARGEST <= value <= _LARGEST:
            raise NotCanonical("An integer beyond 53 bits is not the same for every reader.")
    elif value is not None and not isinstance(value, str):
        raise NotCanonical(f"A {type(value).__name__} has no canonical form; write it as a string.")


def _check_items(items: Any) -> None:
    for item in items:
        if type(item) is not str:  # most are, and a call for each would cost the most
            _check(item)


def _check_names(value: dict[Any, Any]) -> None:
    for name in value:
        if not (isinstance(name, str) and name.isascii()):
            raise NotCanonical(f"{name!r} is not the name of a member in ASCII.")
