"""Reference data: the four lists that senders and messages refer to, and their entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.domain.languages import TranslatedString


class Catalogue(StrEnum):
    """A list of reference data; its value is the name of the id of its entries."""

    MESSAGE_TYPES = "message_type_id"
    SENDER_APPLICATIONS = "application_id"
    SENDER_ORGANIZATIONS = "organization_id"
    MESSAGE_TEMPLATES = "message_template_id"


@dataclass(frozen=True, slots=True)
class Image:
    """A logo without its bytes; `size` is in bytes, `owner_kind` application or organization."""

    owner_kind: str
    owner_id: str
    image_id: str
    media_type: str
    size: int
    language: str | None

    @property
    def collection(self) -> str:
        """The owners' collection, as its URL names it."""
        return f"{self.owner_kind.capitalize()}s"


@dataclass(frozen=True, slots=True)
class ImageContent:
    """The bytes of a logo."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """A kind of message, and the senders that may send it; `validity_unit` day, month or year."""

    message_type_id: str
    name: TranslatedString
    description: TranslatedString | None
    validity_number: int
    validity_unit: str
    organization_ids: Sequence[str]
    application_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderApplication:
    """An application through which organizations send types of messages."""

    application_id: str
    name: TranslatedString
    description: TranslatedString | None
    url: TranslatedString | None
    contact_business: str | None
    contact_technical: str | None
    logos: Sequence[Image]
    organization_ids: Sequence[str]
    message_type_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOrganization:
    """An organization that sends types of messages through applications."""

    organization_id: str
    short_name: TranslatedString
    long_name: TranslatedString | None
    url: TranslatedString | None
    contact_business: str | None
    contact_technical: str | None
    logos: Sequence[Image]
    application_ids: Sequence[str]
    message_type_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A text that messages of a type are written after (contract 6.12)."""

    message_template_id: str
    message_type_id: str | None
    name: TranslatedString
    body: TranslatedString | None


CatalogueEntry = MessageType | SenderApplication | SenderOrganization | MessageTemplate
