"""The place of a request: the version and the family of e-Boxes that its base path serves."""

from typing import Any

from flask import Blueprint, current_app, request

from registry.domain.identifiers import EboxKind


class PlacedBlueprint(Blueprint):
    """Resources below one base path; they know their version, family and public URL.

    `version` is the name in the URL, such as v3; `base_url` has no slash at its end.
    """

    def __init__(self, name: str, *, version: str, kind: EboxKind, base_url: str) -> None:
        super().__init__(name, __name__)
        self.version, self.kind, self.base_url = version, kind, base_url


def find_place() -> PlacedBlueprint | None:
    """Find the place of this request; None for a path that nothing is served at."""
    blueprint: Any = current_app.blueprints.get(request.blueprint or "")
    return blueprint if isinstance(blueprint, PlacedBlueprint) else None


def place() -> PlacedBlueprint:
    """Give the place of this request, which is being served."""
    blueprint = find_place()
    if blueprint is None:
        raise RuntimeError("No version serves this request.")
    return blueprint


def base_url() -> str:
    """Give the public URL of this version for this family, without a slash at its end."""
    return place().base_url
