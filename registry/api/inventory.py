"""Inventory of the resources that need a token, in both versions and both families."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from flask import Flask

from registry.api.blueprints import V2, V3
from registry.domain.access import Operation
from registry.domain.identifiers import EboxKind

_UNTOLD: Final = {"HEAD", "OPTIONS"}  # Flask adds them to each


class GuardedResource(NamedTuple):
    """A method of a path below a version's base; one of the `operations` opens it."""

    version: str
    kind: EboxKind
    method: str
    path: str
    operations: tuple[Operation, ...]


def list_guarded_resources() -> Iterator[GuardedResource]:
    """List them by version, family and path, as the views themselves declare them."""
    for version in (V3, V2):
        for kind in EboxKind:
            app = Flask(__name__, static_folder=None)
            app.register_blueprint(version.make_guarded_blueprint(kind, "", has_reset=True))
            for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
                operations = getattr(app.view_functions[rule.endpoint], "operations", ())
                for method in sorted((rule.methods or set()) - _UNTOLD):
                    yield GuardedResource(version.name, kind, method, rule.rule, operations)
