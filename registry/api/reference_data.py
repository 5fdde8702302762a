"""Views of reference data for every version: lists, items and logos, which anybody may cache."""

from dataclasses import dataclass

from flask import Blueprint, Response
from marshmallow import Schema

from registry.api.authentication import View, needs
from registry.api.context import call, registry
from registry.api.requests.parameters import reads
from registry.api.responses.json_response import make_cacheable, render_list, render_object
from registry.domain.access import Operation
from registry.domain.queries import Page
from registry.domain.reference import Catalogue
from registry.services.reference_data import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRoutes:
    """Routes of the catalogues of one version: their root, and its schemas of path and page.

    Logos have the media type `image_type`, or their own.
    """

    root: str
    path: Schema
    page: Schema
    image_type: str | None = None

    def add_catalogue(
        self,
        blueprint: Blueprint,
        catalogue: Catalogue,
        collection: str,
        name: str,
        schema: type[Schema],
    ) -> None:
        """Route a catalogue: `name` is the path parameter with the id of an entry."""
        path = f"{self.root}/{collection}"
        blueprint.get(path, endpoint=f"list_{catalogue}")(self._make_list_view(catalogue, schema))
        entry = self._make_entry_view(catalogue, schema)
        blueprint.get(f"{path}/<{name}>", endpoint=f"get_{catalogue}")(entry)

    def add_images(self, blueprint: Blueprint) -> None:
        """Route the logos of applications and organizations."""
        for kind, owners in (("application", "Applications"), ("organization", "Organizations")):
            path = f"{self.root}/sender{owners}/<{kind}_id>/images/<image_id>/content"
            blueprint.get(path, endpoint=f"get_{kind}_image")(self._make_image_view(kind))

    def _make_list_view(self, catalogue: Catalogue, schema: type[Schema]) -> View:
        @needs(Operation.READ_REFERENCE)
        @reads(self.path, self.page)
        def list_entries(query: Page) -> Response:
            # Rendered inside: the audit entry of this transaction says if the answer was a 304.
            with registry().reference_data.page(catalogue, query) as (entries, total, record):
                return _finish(render_list(entries, total, schema), record)

        return list_entries

    def _make_entry_view(self, catalogue: Catalogue, schema: type[Schema]) -> View:
        @needs(Operation.READ_REFERENCE)
        @reads(self.path)
        def get_entry(**identifiers: str) -> Response:
            (identifier,) = identifiers.values()
            with registry().reference_data.entry(catalogue, identifier) as (entry, record):
                return _finish(render_object(entry, schema), record)

        return get_entry

    def _make_image_view(self, kind: str) -> View:
        @needs(Operation.READ_REFERENCE)
        @reads(self.path)
        def get_image(image_id: str, **owner: str) -> Response:
            (owner_id,) = owner.values()
            with registry().reference_data.image(kind, owner_id, image_id) as (image, record):
                media_type = self.image_type or image.media_type
                response = Response(image.content, content_type=media_type)
                # A logo is bytes of a sender: no browser may guess that it is a page.
                response.headers["X-Content-Type-Options"] = "nosniff"
                return _finish(response, record)

        return get_image


def _finish(response: Response, record: Record) -> Response:
    """Let anyone keep the answer, 304 when unchanged, and have the audit trail know which."""
    answer = make_cacheable(response)
    record(call(answer.status_code))
    return answer
