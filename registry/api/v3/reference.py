"""Reference data: lists, items and logos, cached by whoever wants to."""

from typing import Final

from flask import Blueprint, Response
from marshmallow import Schema
from werkzeug.exceptions import NotAcceptable

from registry.api.authentication import View, needs
from registry.api.context import registry
from registry.api.negotiation import accepts
from registry.api.reading import reads
from registry.api.showing import cacheable, listed, shown
from registry.api.v3.schemas.parameters import PageSchema, PathSchema
from registry.api.v3.schemas.reference import (
    MessageTemplateSchema,
    MessageTypeSchema,
    SenderApplicationSchema,
    SenderOrganizationSchema,
)
from registry.domain.access import Operation
from registry.domain.queries import Page
from registry.domain.reference import Catalogue

_PATH: Final = PathSchema()
# Each catalogue: its collection's name in the URL, the name of its id here, and how it is shown.
_SHOWN: Final = (
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
    for catalogue, collection, name, schema in _SHOWN:
        path = f"/refData/{collection}"
        blueprint.get(path, endpoint=f"list_{catalogue}")(_listing(catalogue, schema))
        blueprint.get(f"{path}/<{name}>", endpoint=f"get_{catalogue}")(_entry(catalogue, schema))
    for kind, collection in (("application", "Applications"), ("organization", "Organizations")):
        path = f"/refData/sender{collection}/<{kind}_id>/images/<image_id>/content"
        blueprint.get(path, endpoint=f"get_{kind}_image")(_image(kind))


def _listing(catalogue: Catalogue, schema: type[Schema]) -> View:
    @needs(Operation.READ_REFERENCE)
    @reads(_PATH, PageSchema())
    def list_entries(query: Page) -> Response:
        entries, total = registry().cataloguing.page(catalogue, query)
        return cacheable(listed(entries, total, schema))

    return list_entries


def _entry(catalogue: Catalogue, schema: type[Schema]) -> View:
    @needs(Operation.READ_REFERENCE)
    @reads(_PATH)
    def get_entry(**identifiers: str) -> Response:
        (identifier,) = identifiers.values()
        entry = registry().cataloguing.entry(catalogue, identifier)
        return cacheable(shown(entry, schema))

    return get_entry


def _image(kind: str) -> View:
    @needs(Operation.READ_REFERENCE)
    @reads(_PATH)
    def get_image(image_id: str, **owner: str) -> Response:
        (owner_id,) = owner.values()
        image = registry().cataloguing.image(kind, owner_id, image_id)
        if not accepts(image.media_type):
            raise NotAcceptable
        response = Response(image.content, content_type=image.media_type)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return cacheable(response)

    return get_image
