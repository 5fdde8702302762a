"""Look-up of members by any of the names that they may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from registry.domain.federation_words import MEMBER_NAMES, Member
from registry.http_client.client import report_invalid

_MOST_NAMES: Final = 20
_LONGEST_NAME: Final = 60  # characters


@dataclass(frozen=True, slots=True)
class MemberNames:
    """The names of each member, the settings' in place of the likely ones."""

    settings: Mapping[Member, tuple[str, ...]] = field(default_factory=dict)

    def of(self, member: Member) -> tuple[str, ...]:
        """Give all names of a member."""
        return tuple(self.settings.get(member, MEMBER_NAMES[member]))

    def find(self, members: Mapping[str, Any], member: Member, service: str) -> Any:
        """Find the value of a member; null counts as absent, and gives None.

        Raises `UpstreamInvalid` when two of its names have different values: neither can be
        preferred where a right depends on it.
        """
        values = [members[name] for name in self.of(member) if members.get(name) is not None]
        if any(value != values[0] for value in values):
            raise report_invalid(service, f"{member} is there twice, under two names")
        return values[0] if values else None


LIKELY_NAMES: Final = MemberNames()


def list_names(data: object) -> list[str]:
    """List the names of an object's members, and of objects in its lists; never their values.

    For a line of log: not more than twenty names, each of not more than sixty characters.
    """
    names: set[str] = set()
    if isinstance(data, Mapping):
        names |= data.keys()
        for value in data.values():
            items = value if isinstance(value, list) else [value]
            names |= {name for item in items if isinstance(item, Mapping) for name in item}
    return [name[:_LONGEST_NAME] for name in sorted(names)[:_MOST_NAMES]]
