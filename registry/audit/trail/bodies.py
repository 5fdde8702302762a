"""The lines that seals are written in, read without trust."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from registry.audit.trail import canonical_json

_LEAF: Final = 32  # bytes of a SHA-256


class Broken(ValueError):
    """The text is damaged: it cannot be read as what it should be."""


def text(numbers: Sequence[int], leaves: Sequence[bytes]) -> str:
    """The body of a seal: runs `[first, how many]` of numbers that follow, and leaves in base64."""
    joined = base64.b64encode(b"".join(leaves)).decode()
    return canonical_json.dumps({"leaves": joined, "numbers": _runs(numbers)})


def parse(line: str) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """The numbers and the leaves of a body, as many of each; raises `Broken`."""
    read = members(line)
    try:
        joined = base64.b64decode(member(read, "leaves", str), validate=True)
    except binascii.Error as error:
        raise Broken("The leaves are not in base64.") from error
    leaves = tuple(joined[at : at + _LEAF] for at in range(0, len(joined), _LEAF))
    numbers = _numbers(member(read, "numbers", list), len(leaves))
    if len(joined) % _LEAF or len(numbers) != len(leaves):
        raise Broken("The numbers and leaves do not go together.")
    return numbers, leaves


def members(line: str) -> dict[str, Any]:
    """The members of an object in JSON; raises `Broken` for anything else."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Broken("The text is not JSON.") from error
    if not isinstance(read, dict):
        raise Broken("The text is not an object in JSON.")
    return read


def member(read: dict[str, Any], name: str, *kinds: type) -> Any:
    """A member that must be there and of one of these kinds exactly; raises `Broken`."""
    value = read.get(name)
    if type(value) not in kinds:
        raise Broken(f"The member {name} is missing or not what it should be.")
    return value


def instant(read: dict[str, Any], name: str) -> datetime:
    """A member that is a time with its zone; raises `Broken`."""
    try:
        at = datetime.fromisoformat(member(read, name, str))
    except ValueError as error:
        raise Broken(f"The member {name} is not a time.") from error
    if at.tzinfo is None:
        raise Broken(f"The member {name} is a time without its zone.")
    return at


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][0] + runs[-1][1]:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return runs


def _numbers(runs: list[Any], most: int) -> tuple[int, ...]:
    numbers: list[int] = []
    for run in runs:
        match run:
            case [int(first), int(length)] if len(numbers) + length <= most:
                numbers.extend(range(first, first + length))
            case _:
                raise Broken("The numbers are not in runs.")
    return tuple(numbers)
