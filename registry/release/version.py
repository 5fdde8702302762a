"""The version: its one home is `registry/__init__.py`."""

from pathlib import Path
from typing import Final

_HOME: Final = Path("registry", "__init__.py")
_BEFORE: Final = '__version__ = "'


class VersionRefused(ValueError):
    """A version that no release can have."""


def read_version(checkout: Path) -> str:
    """Read the version of this checkout."""
    return (checkout / _HOME).read_text().partition(_BEFORE)[2].partition('"')[0]


def write_version(checkout: Path, version: str) -> None:
    """Have the checkout be of this version."""
    home = checkout / _HOME
    text = home.read_text()
    home.write_text(text.replace(f'{_BEFORE}{read_version(checkout)}"', f'{_BEFORE}{version}"'))


def check_next(version: str, tags: list[str]) -> None:
    """Raise `VersionRefused` unless the version is MAJOR.MINOR.PATCH (Semantic Versioning 2.0.0).

    It must also be later than those of all tags.
    """
    numbers = parse_version(version)
    for tag in tags:
        earlier = parse_version(tag.removeprefix("v"))
        if numbers <= earlier:
            raise VersionRefused(f"{version} is not later than {tag}, which is released.")


def parse_version(text: str) -> tuple[int, int, int]:
    """Parse a version; raises `VersionRefused`."""
    parts = text.split(".")
    is_plain = all(part.isascii() and part.isdecimal() and part == str(int(part)) for part in parts)
    if len(parts) != 3 or not is_plain:
        raise VersionRefused(f"{text!r} is no version like 1.2.3.")
    major, minor, patch = map(int, parts)
    return major, minor, patch
