"""The callers of a run, by the part that each plays."""

from dataclasses import dataclass, field
from typing import Final

from registry.conformance.callers.access import Access
from registry.conformance.callers.prepared_data import PreparedData
from registry.conformance.requirement import Role

# What is missing without a caller, for those who read the report.
ABOUT: Final = {
    Role.READER: "software or a person that reads the e-Box",
    Role.CONSUMER: "software that reads the whole e-Box (scope documentconsumer)",
    Role.PERSON: "a person who may read some partitions of the same e-Box (scope messagesfull)",
    Role.OTHER: "somebody who reads another e-Box",
    Role.SENDER: "a sender that may publish (scope publicationsender)",
    Role.NO_SCOPE: "a client whose token has no scope of the registry",
    Role.EXPIRED: "a token that has expired",
    Role.FEDERATION: "the client by which the federation tells of changes (the webhook)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A caller; `number` is that of its e-Box.

    A sender publishes with `application` and `message_type`; a person may not read what is in
    `locked_partition`.
    """

    role: Role
    access: Access = field(repr=False)
    number: str = field(default="", repr=False)
    application: str = ""
    message_type: str = ""
    locked_partition: str = ""


@dataclass(frozen=True, slots=True)
class Callers:
    """All of them; a reader is the consumer, or else the person."""

    parties: dict[Role, Party]
    stock: PreparedData = field(default_factory=PreparedData)

    def find(self, role: Role) -> Party | None:
        """Find who plays this part; None when nobody does."""
        if role is Role.READER:
            return self.parties.get(Role.CONSUMER) or self.parties.get(Role.PERSON)
        return self.parties.get(role)

    def list_missing(self, roles: tuple[Role, ...]) -> list[str]:
        """List what is missing for a check, in words."""
        return [ABOUT[role] for role in roles if self.find(role) is None]
