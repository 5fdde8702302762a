"""Reference data: where version 3 has it, and how it is shown."""

from typing import Final

from flask import Blueprint

from registry.api.reference_data import Library
from registry.api.v3.schemas.parameters import PageSchema, PathSchema
from registry.api.v3.schemas.reference import (
    MessageTemplateSchema,
    MessageTypeSchema,
    SenderApplicationSchema,
    SenderOrganizationSchema,
)
from registry.domain.reference import Catalogue

_LIBRARY: Final = Library(root="/refData", path=PathSchema(), page=PageSchema())
# Each catalogue: its collection's name in the URL, the name of its id here, and how it is shown.
_CATALOGUES: Final = (
    (Catalogue.MESSAGE_TYPES, "messageTypes", "message_type_id", MessageTypeSchema),
    (
        Catalogue.SENDER_APPLICATIONS,
        "senderApplications",
        "application_id",
        SenderApplicationSchema,
    ),
    (
        Catalogue.SENDER_ORGANIZATIONS,
        "senderOrganizations",
        "organization_id",
        SenderOrganizationSchema,
    ),
    (Catalogue.MESSAGE_TEMPLATES, "messageTemplates", "message_template_id", MessageTemplateSchema),
)


def add_resources(blueprint: Blueprint) -> None:
    """Route the four catalogues and the logos of two of them."""
    for catalogue, collection, name, schema in _CATALOGUES:
        _LIBRARY.add_catalogue(blueprint, catalogue, collection, name, schema)
    _LIBRARY.add_images(blueprint)
