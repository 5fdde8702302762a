"""Reference data: who sends what, in three languages; the same for every e-Box."""

from collections.abc import Callable, Mapping, Sequence
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
from registry.domain.reference import (
    Catalogue,
    CatalogueEntry,
    Image,
    ImageContent,
    MessageTemplate,
    MessageType,
    SenderApplication,
    SenderOrganization,
)
from registry.store.schema import JSON, Records, metadata


def _make_folded_columns() -> list[Column[Any]]:
    return [Column(f"folded_{language}", Text, nullable=False) for language in LANGUAGES]


message_types = Table(
    "message_types",
    metadata,
    Column("message_type_id", Text, primary_key=True),
    Column("name", JSON, nullable=False),
    Column("description", JSON),
    Column("validity_number", Integer, nullable=False),
    Column("validity_unit", Text, nullable=False),
    *_make_folded_columns(),
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
    *_make_folded_columns(),
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
    *_make_folded_columns(),
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


def make_folded_texts(*texts: TranslatedString | None) -> Mapping[str, str]:
    """Make a row's `folded_…` columns, out of the texts by which search finds it (contract 4.3)."""
    present = [fill_gaps(text) for text in texts if text]
    return {
        f"folded_{language}": "\n".join(fold(text[language]) for text in present)
        for language in LANGUAGES
    }


def read_page(
    connection: Connection, catalogue: Catalogue, page: Page
) -> tuple[Sequence[CatalogueEntry], int]:
    """Read a page of a catalogue in the order of its ids, and how many entries there are in all."""
    listing = _LISTINGS[catalogue]
    total = connection.scalar(select(func.count()).select_from(listing.key.table)) or 0
    query = listing.query.order_by(listing.key).limit(page.size).offset(page.offset)
    return [listing.make(**row) for row in connection.execute(query).mappings()], total


def find_entry(
    connection: Connection, catalogue: Catalogue, identifier: str
) -> CatalogueEntry | None:
    """Find one entry of a catalogue."""
    listing = _LISTINGS[catalogue]
    query = listing.query.where(listing.key == identifier)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else listing.make(**row)


def find_image(
    connection: Connection, kind: str, owner_id: str, image_id: str
) -> ImageContent | None:
    """Find a logo's media type and bytes."""
    row = connection.execute(
        select(images.c.media_type, images.c.content).where(
            images.c.owner_kind == kind,
            images.c.owner_id == owner_id,
            images.c.image_id == image_id,
        )
    ).one_or_none()
    return None if row is None else ImageContent(*row)


@dataclass(frozen=True, slots=True)
class _Listing:
    """The query of a catalogue, the id by which it finds an entry, and the entry's class."""

    key: Column[str]
    query: Select[Any]
    make: Callable[..., CatalogueEntry]  # of the columns, by their names


def _select_ids(column: Column[Any], match: ColumnElement[bool]) -> ColumnElement[Any]:
    """Select the ids that the configurations pair with a row, in order."""
    one = aggregate_order_by(distinct(column), column)
    return select(func.jsonb_agg(one, type_=Records())).where(match).scalar_subquery()


def _select_logos(kind: str, owner: Column[str]) -> ColumnElement[Any]:
    logo = func.jsonb_build_array(
        images.c.owner_kind,
        images.c.owner_id,
        images.c.image_id,
        images.c.media_type,
        func.octet_length(images.c.content),
        images.c.language,
    )
    logos = select(
        func.jsonb_agg(aggregate_order_by(logo, images.c.image_id), type_=Records(Image))
    ).where(images.c.owner_kind == kind, images.c.owner_id == owner)
    return logos.scalar_subquery().label("logos")


def _select(table: Table, *more: ColumnElement[Any]) -> Select[Any]:
    columns = [column for column in table.c if not column.name.startswith("folded_")]
    return select(*columns, *more)


_configurations = sender_configurations.c
_of_type = _configurations.message_type_id == message_types.c.message_type_id
_of_application = _configurations.application_id == sender_applications.c.application_id
_of_organization = _configurations.organization_id == sender_organizations.c.organization_id

_LISTINGS: Final[Mapping[Catalogue, _Listing]] = {
    Catalogue.MESSAGE_TYPES: _Listing(
        message_types.c.message_type_id,
        _select(
            message_types,
            _select_ids(_configurations.organization_id, _of_type).label("organization_ids"),
            _select_ids(_configurations.application_id, _of_type).label("application_ids"),
        ),
        MessageType,
    ),
    Catalogue.SENDER_APPLICATIONS: _Listing(
        sender_applications.c.application_id,
        _select(
            sender_applications,
            _select_logos("application", sender_applications.c.application_id),
            _select_ids(_configurations.organization_id, _of_application).label("organization_ids"),
            _select_ids(_configurations.message_type_id, _of_application).label("message_type_ids"),
        ),
        SenderApplication,
    ),
    Catalogue.SENDER_ORGANIZATIONS: _Listing(
        sender_organizations.c.organization_id,
        _select(
            sender_organizations,
            _select_logos("organization", sender_organizations.c.organization_id),
            _select_ids(_configurations.application_id, _of_organization).label("application_ids"),
            _select_ids(_configurations.message_type_id, _of_organization).label(
                "message_type_ids"
            ),
        ),
        SenderOrganization,
    ),
    Catalogue.MESSAGE_TEMPLATES: _Listing(
        message_templates.c.message_template_id, _select(message_templates), MessageTemplate
    ),
}
