"""JSON as we take it from strangers: what PostgreSQL cannot keep or orjson not write is refused."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from json import JSONDecodeError
from math import isfinite
from typing import Any, Final

from registry.api.requests.fault_limits import MOST_CHARACTERS, MOST_FAULTS
from registry.domain.errors import Invalid, Issue

_DEEPEST: Final = 32  # objects and arrays inside one another
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_INTEGERS: Final = range(-(2**63), 2**64)  # what orjson writes


class _AmbiguousObject(dict[str, Any]):
    """An object that has a member twice; `double` names one that it has."""

    double = ""


def parse(content: bytes, *, under: str = "", nulls: bool = False) -> dict[str, Any]:
    """Parse the members of a JSON object in UTF-8, with or without a byte order mark.

    Raises `Invalid` with every fault: a member twice, null unless `nulls` (contract 4.9: leave it
    out), NaN and numbers that a 64-bit reader does not have, NUL and lone surrogates in texts or
    names, more than 32 levels. Faults are named by their path, `items[0].name`, after `under`.
    """
    document = _decode(content, under or "body")
    if not isinstance(document, dict):
        raise _make_error(under or "body", "is not a JSON object")
    _check(document, under, nulls=nulls)
    return document


def parse_array(content: bytes, *, under: str = "") -> list[Any]:
    """Parse the items of a JSON array; raises as `parse` does."""
    document = _decode(content, under or "body")
    if not isinstance(document, list):
        raise _make_error(under or "body", "is not a JSON array")
    _check(document, under, nulls=False)
    return document


def _decode(content: bytes, name: str) -> Any:
    try:
        # Not orjson: it keeps the last of two members with one name, and does not tell.
        return json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_build_object, parse_constant=float
        )
    except UnicodeDecodeError:
        raise _make_error(name, "is not UTF-8") from None
    except RecursionError:
        raise _make_error(name, f"has more than {_DEEPEST} levels") from None
    except JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _make_error(name, f"is not JSON: {error.msg} at {place}") from None
    except ValueError:  # Python refuses to read an integer of thousands of digits
        raise _make_error(name, "has a number that is too large") from None


def _check(document: Any, under: str, *, nulls: bool) -> None:
    faults = list(islice(_find_faults(document, under, nulls=nulls), MOST_FAULTS))
    if faults:
        raise Invalid(faults)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    ambiguous = _AmbiguousObject(members)
    ambiguous.double = Counter(name for name, _ in pairs).most_common(1)[0][0]
    return ambiguous


def _find_faults(whole: Any, under: str, *, nulls: bool) -> Iterator[Issue]:
    """Find the faults in the order of the document.

    A stack of our own instead of recursion: deep input cannot exhaust that of Python.
    """
    waiting: list[tuple[str, Any, int]] = [(under, whole, 1)]
    while waiting:
        path, value, level = waiting.pop()
        if isinstance(value, dict | list) and level > _DEEPEST:
            yield _make_issue(path, f"has more than {_DEEPEST} levels")
            continue
        if value is None and not nulls:
            yield _make_issue(path, "is null; leave it out")
        for fault in _find_own_faults(value):
            yield _make_issue(path or "body", fault)
        waiting.extend(
            (inner, below, level + 1) for inner, below in reversed(list(_list_members(path, value)))
        )


def _list_members(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """List the members of an object or array, each with its path, cut after a few characters."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield (f"{path}.{name}" if path else name)[:MOST_CHARACTERS], below
    elif isinstance(value, list):
        for position, below in enumerate(value):
            yield f"{path}[{position}]"[:MOST_CHARACTERS], below


def _find_own_faults(value: Any) -> Iterator[str]:
    if isinstance(value, float) and not isfinite(value):
        yield "is not a number, or too large"
    elif isinstance(value, int) and value not in _INTEGERS:
        yield "does not fit in 64 bits"
    elif isinstance(value, str) and _UNSTORABLE.search(value):
        yield "has a NUL or a lone surrogate"
    elif isinstance(value, dict):
        yield from _find_name_faults(value)


def _find_name_faults(members: dict[str, Any]) -> Iterator[str]:
    if any(_UNSTORABLE.search(name) for name in members):
        yield "has a member with a NUL or a lone surrogate in its name"
    if isinstance(members, _AmbiguousObject):
        yield f"has {members.double} more than once"


def _make_error(name: str, fault: str) -> Invalid:
    return Invalid([_make_issue(name, fault)])


def _make_issue(name: str, fault: str) -> Issue:
    # What is told of a text that UTF-8 cannot write must itself be written in UTF-8.
    safe_name, detail = (
        text.encode(errors="replace").decode()
        for text in (name[:MOST_CHARACTERS], f"{name[:MOST_CHARACTERS]} {fault[:MOST_CHARACTERS]}")
    )
    return Issue("body", safe_name, detail)
