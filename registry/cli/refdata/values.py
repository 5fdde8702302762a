"""Values of the file of reference data: translations, URLs, times, ids, references."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from registry.domain.languages import LANGUAGES, TranslatedString

if TYPE_CHECKING:
    from registry.cli.refdata.yaml_nodes import FileMember
    from registry.domain.retention import Unit

_LINE: Final = 400  # characters, as a subject has
_TEXT: Final = 20_000
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@-]{0,99}")  # what a URL carries as it is
_VALIDITY: Final = re.compile(r"([1-9][0-9]{0,4}) (day|month|year)s?")
_UNITS: Final[Mapping[str, tuple["Unit", int]]] = {  # and how many are a hundred years
    "day": ("day", 36_525),
    "month": ("month", 1_200),
    "year": ("year", 100),
}


def read_line(member: "FileMember") -> str:
    """Read a text of one line."""
    return member.read_text(_LINE)


def read_lines(member: "FileMember") -> str:
    """Read a text that may have several lines."""
    return member.read_text(_TEXT, has_lines=True)


def read_url(member: "FileMember") -> str:
    """Read the URL of a site."""
    text = read_line(member)
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text
    except ValueError:
        is_url = False
    if text and not is_url:
        member.fail("must be a URL with https:// or http://")
    return text


def read_translation(
    member: "FileMember | None", read: Callable[["FileMember"], str] = read_line
) -> TranslatedString | None:
    """Read one text for all languages, or one for each: readers get all of them (contract 4.7)."""
    if member is None:
        return None
    if member.is_text:
        return dict.fromkeys(LANGUAGES, read(member))
    members = member.read_members(LANGUAGES, ())
    return {language: read(members[language]) for language in LANGUAGES if language in members}


def read_validity(member: "FileMember | None") -> tuple[int, "Unit"]:
    """Read how long messages stay; a day where that is not said as it must be."""
    text = "" if member is None else read_line(member)
    match = _VALIDITY.fullmatch(text)
    number, (unit, most) = (int(match[1]), _UNITS[match[2]]) if match else (1, _UNITS["day"])
    if member is not None and text and (match is None or number > most):
        member.fail("must be a time such as 90 days, 6 months or 2 years, at most a hundred years")
    return number, unit


def read_reference(member: "FileMember", what: str, known: Collection[str]) -> str:
    """Read the id of an entry that the file must have; `what` says of what kind."""
    identifier = read_line(member)
    if identifier and identifier not in known:
        member.fail(f"there is no {what} {identifier} in this file")
    return identifier


def check_id(member: "FileMember", identifier: str) -> None:
    """Note the fault of an id that a URL would not carry as it is."""
    if not _ID.fullmatch(identifier):
        member.fail("its id must be of letters, digits and . _ ~ : @ -, at most 100 in all")
