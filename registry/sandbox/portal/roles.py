"""The personas whom the portal can play: at which base URL, for whose e-Box, sending or not."""

from dataclasses import dataclass
from typing import Any, Final

from registry.domain.identifiers import EboxKind, EnterpriseNumber
from registry.sandbox.layout import Document
from registry.sandbox.personas import AGENCY, FOR_ANOTHER, PERSONAS, SENDER, Persona

_NAMES: Final = (
    "portal-user",
    "enterprise-consumer",
    "other-enterprise",
    "citizen",
    "sender",
    "representative",
    "no-scope",
)
_MANDATORS: Final = {"representative": AGENCY}  # in whose name they act


@dataclass(frozen=True, slots=True)
class PortalRole:
    """A persona at the portal."""

    persona: Persona

    @property
    def kind(self) -> EboxKind:
        """The family of e-Boxes: a person without an enterprise is there for himself."""
        return EboxKind.ENTERPRISE if self.persona.enterprise else EboxKind.CITIZEN

    @property
    def mandator(self) -> EnterpriseNumber | None:
        """The enterprise in whose name all calls are made, if any."""
        return _MANDATORS.get(self.persona.name)

    @property
    def number(self) -> str:
        """The number of the e-Box: of an enterprise, or a citizen's SSIN."""
        owner = self.mandator or self.persona.enterprise or self.persona.ssin
        return owner.digits if owner else ""

    def describe(self, document: Document) -> dict[str, Any]:
        """Members of an item of /personas/."""
        return {
            "name": self.persona.name,
            "kind": self.kind.value,
            "baseUrl": base_url(document, self.kind.value),
            "number": self.number,
            "mandator": self.mandator and self.mandator.digits,
            "sends": bool({SENDER, FOR_ANOTHER} & set(self.persona.scopes)),
        }


def base_url(document: Document, kind: str) -> str:
    """The base URL of version 3 for this kind of e-Box."""
    return str(document["baseUrls"][kind]["v3"])


def find(name: str) -> PortalRole | None:
    """Look a role up by the name of its persona."""
    return PortalRole(PERSONAS[name]) if name in _NAMES else None


def describe(document: Document) -> list[dict[str, Any]]:
    """Describe all of them, those who read most first."""
    return [PortalRole(PERSONAS[name]).describe(document) for name in _NAMES]
