"""The versions that are served beside one another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint
from marshmallow import Schema

from registry.api import certification, doc_page, docs, health
from registry.api.authentication import authenticate
from registry.api.place import PlacedBlueprint
from registry.api.requests.parameters import EmptySchema
from registry.api.responses.json_response import check_accept
from registry.api.v2 import messages as messages_2
from registry.api.v2 import publication as publication_2
from registry.api.v2 import reference as reference_2
from registry.api.v2.schemas.parameters import PathSchema as LenientSchema
from registry.api.v3 import message_updates, messages, publication, reference, webhook
from registry.domain.identifiers import EboxKind

Route = Callable[[Blueprint], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedVersion:
    """A version by the name it has in URLs.

    `document` is its OpenAPI document, `routes` add everything that needs a token; `open_query`
    reads the queries of those without a token. `is_certified`: it has the resources for that.
    """

    name: str
    document: str
    routes: tuple[Route, ...]
    open_query: Schema
    is_certified: bool = False

    def make_guarded_blueprint(
        self, kind: EboxKind, base_url: str, *, has_reset: bool = False
    ) -> PlacedBlueprint:
        """Make the resources that need a token; `has_reset` of the certification data set."""
        blueprint = self._make_blueprint("guarded", kind, base_url)
        # Who calls comes first: a stranger is told nothing else.
        blueprint.before_request(authenticate)
        blueprint.before_request(check_accept)
        for add_resources in self.routes:
            add_resources(blueprint)
        if has_reset and self.is_certified:
            certification.add_reset(blueprint)
        return blueprint

    def make_open_blueprint(
        self, kind: EboxKind, base_url: str, *, has_page: bool = False
    ) -> PlacedBlueprint:
        """Make the resources that anybody may ask for; `has_page` with the page at /doc/."""
        # One of its own, because `before_request` holds for all resources of a blueprint.
        blueprint = self._make_blueprint("open", kind, base_url)
        health.add_resources(blueprint)
        docs.add_resources(blueprint, self.document, self.open_query)
        if has_page:
            doc_page.add_page(blueprint)
        if self.is_certified:
            certification.add_version(blueprint, self.document, self.open_query)
        return blueprint

    def _make_blueprint(self, access: str, kind: EboxKind, base_url: str) -> PlacedBlueprint:
        name = f"{self.name}-{access}-{kind}"
        return PlacedBlueprint(name, version=self.name, kind=kind, base_url=base_url)


V3: Final = ServedVersion(
    name="v3",
    document="messageregistry-3.yaml",
    routes=(
        messages.add_resources,
        message_updates.add_resources,
        publication.add_resources,
        publication_2.add_tracking,  # under the names of 2.1 as well (contract 6.34)
        reference.add_resources,
        webhook.add_resources,
    ),
    open_query=EmptySchema(),
    is_certified=True,
)
V2: Final = ServedVersion(
    name="v2",
    document="messageregistry-2.1.yaml",
    routes=(
        messages_2.add_resources,
        publication_2.add_resources,
        reference_2.add_resources,
    ),
    open_query=LenientSchema(),
)
