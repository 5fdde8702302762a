"""JSON written by others, read member by member without trust.

Seals in the bucket and lines of an export are both read this way.
"""

import json
from datetime import datetime
from typing import Any


class DamagedText(ValueError):
    """Text that cannot be read as the seal or the line that it should be."""


def read_object(text: str) -> dict[str, Any]:
    """Read an object in JSON; raise `DamagedText` for anything else."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedText("The text is not JSON.") from error
    if not isinstance(members, dict):
        raise DamagedText("The text is not an object in JSON.")
    return members


def read_member(members: dict[str, Any], name: str, *types: type) -> Any:
    """Read a member that must be there and of one of these types; raise `DamagedText`."""
    value = members.get(name)
    # Compared exactly, since isinstance would take True for an integer.
    if type(value) not in types:
        raise DamagedText(f"The member {name} is missing or not what it should be.")
    return value


def read_instant(members: dict[str, Any], name: str) -> datetime:
    """Read a member that is a time with its zone; raise `DamagedText`."""
    try:
        instant = datetime.fromisoformat(read_member(members, name, str))
    except ValueError as error:
        raise DamagedText(f"The member {name} is not a time.") from error
    if instant.tzinfo is None:
        raise DamagedText(f"The member {name} is a time without its zone.")
    return instant
