"""Reference data: who sends what, in three languages; the same for every e-Box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    distinct,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from registry.domain.languages import LANGUAGES, TranslatedString, fill_gaps, fold
from registry.domain.queries import Page
from registry.domain.reference import Catalogue
from registry.store.schema import JSON, AnyRow, Records, metadata

Rows = Sequence[AnyRow]


def _folded() -> list[Column[Any]]:
    return [Column(f"folded_{language}", Text, nullable=False) for language in LANGUAGES]


message_types = Table(
    "message_types",
    metadata,
    Column("message_type_id", Text, primary_key=True),
    Column("name", JSON, nullable=False),
    Column("description", JSON),
    Column("validity_number", Integer, nullable=False),
    Column("validity_unit", Text, nullable=False),
    *_folded(),
    CheckConstraint("validity_unit IN ('day', 'month', 'year')", name="validity_unit"),
)

sender_applications = Table(
    "sender_applications",
    metadata,
    Column("application_id", Text, primary_key=True),
    Column("name", JSON, nullable=False),
    Column("description", JSON),
    Column("url", JSON),
    Column("contact_business", Text),
    Column("contact_technical", Text),
    *_folded(),
)

sender_organizations = Table(
    "sender_organizations",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("short_name", JSON, nullable=False),
    Column("long_name", JSON),
    Column("url", JSON),
    Column("contact_business", Text),
    Column("contact_technical", Text),
    *_folded(),
)

# Which organization may send which type of message through which application: the one fact
# behind the cross references of all three lists.
sender_configurations = Table(
    "sender_configurations",
    metadata,
    Column("organization_id", ForeignKey(sender_organizations.c.organization_id), primary_key=True),
    Column("application_id", ForeignKey(sender_applications.c.application_id), primary_key=True),
    Column("message_type_id", ForeignKey(message_types.c.message_type_id), primary_key=True),
)

images = Table(
    "images",
    metadata,
    Column("owner_kind", Text, primary_key=True),
    Column("owner_id", Text, primary_key=True),
    Column("image_id", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("language", Text),
    Column("content", LargeBinary, nullable=False),
    CheckConstraint("owner_kind IN ('application', 'organization')", name="owner_kind"),
)

message_templates = Table(
    "message_templates",
    metadata,
    Column("message_template_id", Text, primary_key=True),
    Column("message_type_id", ForeignKey(message_types.c.message_type_id)),
    Column("name", JSON, nullable=False),
    Column("body", JSON),
)


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


def folded(*texts: TranslatedString | None) -> Mapping[str, str]:
    """The `folded_…` columns of a row, out of the texts by which search finds it (contract 4.3)."""
    present = [fill_gaps(text) for text in texts if text]
    return {
        f"folded_{language}": "\n".join(fold(text[language]) for text in present)
        for language in LANGUAGES
    }


def page_of(connection: Connection, catalogue: Catalogue, page: Page) -> tuple[Rows, int]:
    """A page of a catalogue in the order of its ids, and how many entries there are in all."""
    shown = _SHOWN[catalogue]
    total = connection.scalar(select(func.count()).select_from(shown.key.table)) or 0
    query = shown.query.order_by(shown.key).limit(page.size).offset(page.offset)
    return connection.execute(query).all(), total


def find(connection: Connection, catalogue: Catalogue, identifier: str) -> AnyRow | None:
    """One entry of a catalogue."""
    shown = _SHOWN[catalogue]
    return connection.execute(shown.query.where(shown.key == identifier)).one_or_none()


def find_image(connection: Connection, kind: str, owner_id: str, image_id: str) -> AnyRow | None:
    """A logo's media type and bytes."""
    return connection.execute(
        select(images.c.media_type, images.c.content).where(
            images.c.owner_kind == kind,
            images.c.owner_id == owner_id,
            images.c.image_id == image_id,
        )
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of a catalogue, and the id by which it is found."""

    key: Column[str]
    query: Select[Any]


def _ids(column: Column[Any], match: ColumnElement[bool]) -> ColumnElement[Any]:
    """The ids that the configurations pair with a row, in order."""
    one = aggregate_order_by(distinct(column), column)
    return select(func.jsonb_agg(one, type_=Records())).where(match).scalar_subquery()


def _logos(kind: str, owner: Column[str]) -> ColumnElement[Any]:
    shown = func.jsonb_build_array(
        images.c.owner_kind,
        images.c.owner_id,
        images.c.image_id,
        images.c.media_type,
        func.octet_length(images.c.content),
        images.c.language,
    )
    logos = select(
        func.jsonb_agg(aggregate_order_by(shown, images.c.image_id), type_=Records(Image))
    ).where(images.c.owner_kind == kind, images.c.owner_id == owner)
    return logos.scalar_subquery().label("logos")


def _select(table: Table, *more: ColumnElement[Any]) -> Select[Any]:
    columns = [column for column in table.c if not column.name.startswith("folded_")]
    return select(*columns, *more)


_paired = sender_configurations.c
_of_type = _paired.message_type_id == message_types.c.message_type_id
_of_application = _paired.application_id == sender_applications.c.application_id
_of_organization = _paired.organization_id == sender_organizations.c.organization_id

_SHOWN: Final[Mapping[Catalogue, _Shown]] = {
    Catalogue.MESSAGE_TYPES: _Shown(
        message_types.c.message_type_id,
        _select(
            message_types,
            _ids(_paired.organization_id, _of_type).label("organization_ids"),
            _ids(_paired.application_id, _of_type).label("application_ids"),
        ),
    ),
    Catalogue.SENDER_APPLICATIONS: _Shown(
        sender_applications.c.application_id,
        _select(
            sender_applications,
            _logos("application", sender_applications.c.application_id),
            _ids(_paired.organization_id, _of_application).label("organization_ids"),
            _ids(_paired.message_type_id, _of_application).label("message_type_ids"),
        ),
    ),
    Catalogue.SENDER_ORGANIZATIONS: _Shown(
        sender_organizations.c.organization_id,
        _select(
            sender_organizations,
            _logos("organization", sender_organizations.c.organization_id),
            _ids(_paired.application_id, _of_organization).label("application_ids"),
            _ids(_paired.message_type_id, _of_organization).label("message_type_ids"),
        ),
    ),
    Catalogue.MESSAGE_TEMPLATES: _Shown(
        message_templates.c.message_template_id, _select(message_templates)
    ),
}
