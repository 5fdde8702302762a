"""A whole set of reference data as operators keep it, and how one set differs from another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, Protocol

from registry.domain.languages import TranslatedString
from registry.domain.retention import Unit


class ReferenceKind(StrEnum):
    """Kinds of entries; a sending is an organization, an application and a type together."""

    ORGANIZATION = "organization"
    APPLICATION = "application"
    MESSAGE_TYPE = "messageType"
    TEMPLATE = "template"
    SENDING = "sending"


class EntryName(NamedTuple):
    """The kind of an entry and its id, which no other of that kind has."""

    kind: ReferenceKind
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceLogo:
    """A logo of an organization or an application, with its bytes (contract 2.3)."""

    media_type: str
    content: bytes
    language: str | None = None

    def describe(self) -> str:
        """Describe the picture so that another one is described otherwise."""
        digest = sha256(self.content).hexdigest()[:16]
        language = f", {self.language}" if self.language else ""
        return f"{self.media_type}{language}, {len(self.content)} bytes, SHA-256 {digest}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOrganization:
    """An organization that sends messages (contract 2.5); logos go by their ids."""

    short_name: TranslatedString
    long_name: TranslatedString | None
    url: TranslatedString | None
    contact_business: str | None
    contact_technical: str | None
    logos: Mapping[str, ReferenceLogo]

    def list_members(self) -> Iterator[tuple[str, str]]:
        """List all that is said of it, by the names that the file has."""
        yield from _list_texts("shortName", self.short_name)
        yield from _list_texts("longName", self.long_name)
        yield from _list_common(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceApplication:
    """An application through which organizations send (contract 2.5)."""

    name: TranslatedString
    description: TranslatedString | None
    url: TranslatedString | None
    contact_business: str | None
    contact_technical: str | None
    logos: Mapping[str, ReferenceLogo]

    def list_members(self) -> Iterator[tuple[str, str]]:
        """List all that is said of it, by the names that the file has."""
        yield from _list_texts("name", self.name)
        yield from _list_texts("description", self.description)
        yield from _list_common(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceType:
    """A type of messages, and how many days, months or years its messages stay (contract 2.5)."""

    name: TranslatedString
    description: TranslatedString | None
    validity_number: int
    validity_unit: Unit

    @property
    def validity(self) -> str:
        """The time that its messages stay, as the file says it: `1 year`, `90 days`."""
        plural = "" if self.validity_number == 1 else "s"
        return f"{self.validity_number} {self.validity_unit}{plural}"

    def list_members(self) -> Iterator[tuple[str, str]]:
        """List all that is said of it, by the names that the file has."""
        yield from _list_texts("name", self.name)
        yield from _list_texts("description", self.description)
        yield "validity", self.validity


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTemplate:
    """A text that messages of a type are written after (contract 6.12)."""

    message_type_id: str | None
    name: TranslatedString
    body: TranslatedString | None

    def list_members(self) -> Iterator[tuple[str, str]]:
        """List all that is said of it, by the names that the file has."""
        yield from _list_texts("name", self.name)
        yield from _list_texts("body", self.body)
        if self.message_type_id is not None:
            yield "messageType", self.message_type_id


class Sending(NamedTuple):
    """An organization that may send messages of a type through an application."""

    organization_id: str
    application_id: str
    message_type_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSet:
    """All reference data of a registry; entries go by their ids."""

    organizations: Mapping[str, ReferenceOrganization]
    applications: Mapping[str, ReferenceApplication]
    message_types: Mapping[str, ReferenceType]
    templates: Mapping[str, ReferenceTemplate]
    sendings: frozenset[Sending]

    def list_entries(self) -> Mapping[EntryName, Mapping[str, str]]:
        """List all entries in order, each by its name, with what is said of it."""
        kinds: tuple[tuple[ReferenceKind, Mapping[str, _Entry]], ...] = (
            (ReferenceKind.ORGANIZATION, self.organizations),
            (ReferenceKind.APPLICATION, self.applications),
            (ReferenceKind.MESSAGE_TYPE, self.message_types),
            (ReferenceKind.TEMPLATE, self.templates),
        )
        entries = {
            EntryName(kind, identifier): dict(entry.list_members())
            for kind, by_id in kinds
            for identifier, entry in sorted(by_id.items())
        }
        for sending in sorted(self.sendings):
            entries[EntryName(ReferenceKind.SENDING, " ".join(sending))] = {}
        return entries


class ReferenceAction(StrEnum):
    """Actions that make one set of another."""

    ADD = "added"
    CHANGE = "changed"
    REMOVE = "removed"


class MemberChange(NamedTuple):
    """A member that is another in two sets; None where a set does not have it."""

    member: str
    old: str | None
    new: str | None


class ReferenceChange(NamedTuple):
    """An entry that is not the same in two sets."""

    action: ReferenceAction
    name: EntryName
    members: tuple[MemberChange, ...]


def compare_sets(old: ReferenceSet, new: ReferenceSet) -> tuple[ReferenceChange, ...]:
    """Find all that makes `new` of `old`: what is added and changed, then what is removed."""
    before, after = old.list_entries(), new.list_entries()
    changes = []
    for name, members in after.items():
        if name not in before:
            changes.append(_make_change(ReferenceAction.ADD, name, {}, members))
        elif before[name] != members:
            changes.append(_make_change(ReferenceAction.CHANGE, name, before[name], members))
    for name, members in before.items():
        if name not in after:
            changes.append(_make_change(ReferenceAction.REMOVE, name, members, {}))
    return tuple(changes)


def _make_change(
    action: ReferenceAction, name: EntryName, old: Mapping[str, str], new: Mapping[str, str]
) -> ReferenceChange:
    members = tuple(
        MemberChange(member, old.get(member), new.get(member))
        for member in {**old, **new}
        if old.get(member) != new.get(member)
    )
    return ReferenceChange(action, name, members)


def _list_texts(member: str, text: TranslatedString | None) -> Iterator[tuple[str, str]]:
    for language, words in (text or {}).items():
        yield f"{member}.{language}", words


def _list_common(
    entry: ReferenceOrganization | ReferenceApplication,
) -> Iterator[tuple[str, str]]:
    yield from _list_texts("url", entry.url)
    if entry.contact_business is not None:
        yield "contactBusiness", entry.contact_business
    if entry.contact_technical is not None:
        yield "contactTechnical", entry.contact_technical
    for image_id, logo in sorted(entry.logos.items()):
        yield f"logos.{image_id}", logo.describe()


class _Entry(Protocol):
    """An entry, whatever its kind."""

    def list_members(self) -> Iterator[tuple[str, str]]:
        """List all that is said of it."""
        ...
