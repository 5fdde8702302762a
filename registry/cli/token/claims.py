"""Claims of a token as an operator may see them: by name, and few of them with their values."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from registry.domain.personal_data import MASK
from registry.terminal.text import clean_text

# Nothing of a person is in these; of all others the name is told, and that there is something.
_OPEN: Final = frozenset(
    {"active", "aud", "client_id", "exp", "iat", "iss", "nbf", "scope", "token_type"}
)
_DEEPEST: Final = 5
_MOST: Final = 200  # claims
_LONGEST: Final = 500  # characters of a value


def list_claims(claims: Mapping[str, Any], enterprise_claim: str) -> dict[str, str]:
    """List claims by dotted name; values of persons, and any that may be, are masked."""
    names = {}
    for name, value in _walk(claims, "", _DEEPEST):
        is_open = name in _OPEN or name == enterprise_claim
        names[clean_text(name, 100)] = clean_text(str(value), _LONGEST) if is_open else MASK
        if len(names) >= _MOST:
            break
    return names


def _walk(members: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name in sorted(members):
        value = members[name]
        if isinstance(value, dict) and depth:
            yield from _walk(value, f"{prefix}{name}.", depth - 1)
        else:
            yield f"{prefix}{name}", value
