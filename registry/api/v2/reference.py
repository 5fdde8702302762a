"""The URLs of reference data in version 2.1."""

from typing import Final

from flask import Blueprint

from registry.api.reference_data import CatalogueRoutes
from registry.api.v2.schemas.parameters import PageSchema, PathSchema
from registry.api.v2.schemas.reference import (
    MessageTypeSchema,
    SenderApplicationSchema,
    SenderOrganizationSchema,
)
from registry.domain.reference import Catalogue

_ROUTES: Final = CatalogueRoutes(
    root="/referenceData",
    path=PathSchema(),
    page=PageSchema(),
    image_type="application/octet-stream",
)
# Each catalogue: its collection in the URL, its path parameter, and the schema of an entry.
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
)


def add_resources(blueprint: Blueprint) -> None:
    """Route the three catalogues and the logos of two of them."""
    for catalogue, collection, name, schema in _CATALOGUES:
        _ROUTES.add_catalogue(blueprint, catalogue, collection, name, schema)
    _ROUTES.add_images(blueprint)
