"""The versions that are served beside one another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint
from marshmallow import Schema

from registry.api import docs, health
from registry.api.authentication import authenticate
from registry.api.negotiation import check_accept
from registry.api.requests.parameters import EmptySchema
from registry.api.v2 import resources as version_2
from registry.api.v2.schemas.parameters import PathSchema as LenientSchema
from registry.api.v3 import resources as version_3
from registry.domain.identifiers import EboxKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version by the name it has in URLs.

    `document` is its OpenAPI document; `open_query` reads the queries of those without a token.
    """

    name: str
    document: str
    add_resources: Callable[[Blueprint], None]
    open_query: Schema

    def resources(self, kind: EboxKind) -> Blueprint:
        """What needs a token; the name tells version and family (see `api.context`)."""
        blueprint = Blueprint(f"{self.name}-{kind}", __name__)
        blueprint.before_request(authenticate)
        blueprint.before_request(check_accept)
        self.add_resources(blueprint)
        return blueprint

    def open(self, kind: EboxKind) -> Blueprint:
        """What anybody may ask."""
        blueprint = Blueprint(f"{self.name}-open-{kind}", __name__)
        health.add_resources(blueprint)
        docs.add_resources(blueprint, self.document, self.open_query)
        return blueprint


V3: Final = Version(
    name="v3",
    document="messageregistry-3.yaml",
    add_resources=version_3.add_resources,
    open_query=EmptySchema(),
)
V2: Final = Version(
    name="v2",
    document="messageregistry-2.1.yaml",
    add_resources=version_2.add_resources,
    open_query=LenientSchema(),
)
