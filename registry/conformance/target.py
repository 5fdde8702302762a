"""The registry that is tested, by its base URL."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from registry.conformance.requirement import CITIZEN, ENTERPRISE, V2, V3

_VERSION: Final = re.compile(r"v(\d)[.\d]*", re.ASCII)


class NoTarget(Exception):
    """The URL cannot be that of a registry; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A base URL without a slash at its end, the version below it, and whose e-Boxes it has."""

    base: str
    version: str
    family: str

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        address = urlsplit(self.base)
        return f"{address.scheme}://{address.netloc}"

    @property
    def is_secure(self) -> bool:
        """True for https."""
        return self.base.startswith("https://")


def make_target(url: str, version: str | None = None, family: str | None = None) -> Target:
    """Make a target; version and family are read off the URL where they are not given.

    Raises `NoTarget`.
    """
    base = url.rstrip("/")
    address = urlsplit(base)
    if address.scheme not in ("http", "https") or not address.hostname or address.username:
        raise NoTarget("The base URL must begin with https:// or http://, and name no user.")
    if address.query or address.fragment:
        raise NoTarget("The base URL must end with the version, such as …/messageRegistry/v3.")
    ending = _VERSION.fullmatch(address.path.rpartition("/")[2])
    from_path = {"2": V2, "3": V3}.get(ending[1]) if ending else None
    if (version or from_path) is None:
        raise NoTarget("The base URL does not end with /v2 or /v3: say which with --version.")
    guess = CITIZEN if f"/{CITIZEN}/" in f"{address.path}/" else ENTERPRISE
    return Target(base, version or from_path or V3, family or guess)
