"""A mask over persons and secrets in whatever is logged."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from registry.domain.personal_data import MASK, mask_personal_numbers

# What may slip into a message of somebody else's, beside personal numbers: bearer tokens, JWTs.
# A word of a JWT's letters without a point is passed over whole, not tried again from each of its
# `eyJ`: the time grows with the text and no faster, whoever wrote it.
_SECRETS: Final = re.compile(
    r"(?i:bearer)\s+[^\s\"',;]+|eyJ[\w-]++(?:(?:\.[\w-]*+)++|(?P<harmless>))", re.ASCII
)
# Members that are personal or secret whatever they hold.
_NEVER: Final = frozenset({"token", "ssin", "file_name", "subject", "authorization", "password"})


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    """Mask everything personal or secret in an event, however deep it sits."""
    return _mask_members(event)


def mask_text(text: str) -> str:
    """Mask tokens and personal numbers in a text."""
    # Most names and many values are one word: no number, and no token, which has a point in it or
    # a space before it. The searches below are what a line of log costs.
    if text.replace("_", "").isalpha():
        return text
    # secrets first: a token with a mask in its middle would no longer look like one
    return mask_personal_numbers(_SECRETS.sub(_replace_secret, text))


def _mask_members(members: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        mask_text(str(name)): MASK if str(name).lower() in _NEVER else _mask_value(value)
        for name, value in members.items()
    }


def _mask_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return _mask_members(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask_value(item) for item in value]
    if isinstance(value, int | float | None):
        return MASK if mask_personal_numbers(str(value)) == MASK else value
    return mask_text(str(value))


def _replace_secret(match: re.Match[str]) -> str:
    return MASK if match["harmless"] is None else match[0]
