"""A requirement on a registry: its source, how much it binds, and the check that decides it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from registry.conformance.workbench import Workbench

V2: Final = "v2"
V3: Final = "v3"
ENTERPRISE: Final = "enterprise"
CITIZEN: Final = "citizen"


class Obligation(StrEnum):
    """The force of a requirement, as in RFC 2119."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Profile(StrEnum):
    """A set of checks, by what they may do to the registry."""

    PRODUCTION = "production"  # reads only
    ACCEPTANCE = "acceptance"  # publishes, replies, moves, hides, tells of events
    SCENARIOS = "scenarios"  # the federation's own scenarios, on data that was prepared
    LOAD = "load"  # the portal's calls, many at once


class Role(StrEnum):
    """The part that a caller plays; READER is whoever reads the e-Box, software or person."""

    READER = "reader"
    CONSUMER = "consumer"
    PERSON = "person"
    OTHER = "other"
    SENDER = "sender"
    NO_SCOPE = "no-scope"
    EXPIRED = "expired"
    FEDERATION = "federation"


class Unmet(Exception):
    """A requirement is not met; the text says what was seen, without what a message says."""


class Untestable(Exception):
    """A requirement cannot be tested here; the text says which caller or data are missing."""


READING: Final = frozenset({Profile.PRODUCTION, Profile.ACCEPTANCE})
WRITING: Final = frozenset({Profile.ACCEPTANCE})
BOTH_VERSIONS: Final = frozenset({V2, V3})
BOTH_FAMILIES: Final = frozenset({ENTERPRISE, CITIZEN})

# A text that it gives is shown although all is well.
CheckFunction = Callable[["Workbench"], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A requirement, its source, and how to mend it; `check` raises `Unmet` or `Untestable`.

    `id` never changes once released. `order` is where it stands among all: by theme, as written.
    """

    id: str
    title: str
    explanation: str
    theme: str
    source: str
    obligation: Obligation
    mend: str
    roles: tuple[Role, ...]
    profiles: frozenset[Profile]
    versions: frozenset[str]
    families: frozenset[str]
    check: CheckFunction

    def applies(self, profile: Profile, version: str, family: str) -> bool:
        """Tell if it belongs to a run of this profile against this kind of base URL."""
        return profile in self.profiles and version in self.versions and family in self.families


def requires(  # noqa: PLR0913 - the facts of a requirement, each by name
    id_: str,
    *,
    source: str,
    mend: str,
    obligation: Obligation = Obligation.MUST,
    roles: tuple[Role, ...] = (Role.READER,),
    profiles: frozenset[Profile] = READING,
    versions: frozenset[str] = BOTH_VERSIONS,
    families: frozenset[str] = BOTH_FAMILIES,
) -> Callable[[CheckFunction], Requirement]:
    """Make a requirement of a check; the check's docstring is its title, and explains it."""

    def make(check: CheckFunction) -> Requirement:
        title, _, explanation = (inspect.getdoc(check) or "").partition("\n")
        return Requirement(
            id=id_,
            title=title.removesuffix("."),
            explanation=" ".join(explanation.split()),
            theme=check.__module__.rpartition(".")[2].replace("_", " "),
            source=source,
            obligation=obligation,
            mend=mend,
            roles=roles,
            profiles=profiles,
            versions=versions,
            families=families,
            check=check,
        )

    return make


def expect(condition: object, text: str) -> None:
    """Raise `Unmet` with this text unless the condition holds."""
    if not condition:
        raise Unmet(text)
