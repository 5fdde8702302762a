"""The changelog: what is under "Unreleased" becomes the section of a release."""

from datetime import date
from typing import Final

_UNRELEASED: Final = "## Unreleased\n"


class NothingToRelease(ValueError):
    """There is nothing under "Unreleased"."""


def cut_section(text: str, version: str, day: date) -> str:
    """Give the changelog with a section of this version in place of what was unreleased.

    Raises `NothingToRelease`.
    """
    if not read_section(text, "Unreleased"):
        raise NothingToRelease("CHANGELOG.md has nothing under Unreleased.")
    return text.replace(_UNRELEASED, f"{_UNRELEASED}\n## {version} - {day:%Y-%m-%d}\n", 1)


def read_section(text: str, title: str) -> str:
    """Read what is under a title of the second level, whatever follows it in its line."""
    for section in f"\n{text}".split("\n## ")[1:]:
        heading, _, content = section.partition("\n")
        if heading.split(" ")[0] == title:
            return content.strip()
    return ""
