"""Everything that an application has beside its routes, as one typed record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app

from registry.api.costly_slots import CostlySlots
from registry.api.quota import Quota
from registry.api.requests.json_body import BodyRules
from registry.api.requests.multipart import BodyLimits
from registry.api.responses.problem_shapes import ProblemShapes
from registry.wiring.service import Registry

_KEY: Final = "registry"  # of Flask's extensions


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiState:
    """The assembled service, and what HTTP adds to it; limits and rules by version.

    `refuses_unknown_parameters` is of queries in version 3 (contract 6.32);
    `leaves_documents_to_proxy`: the proxy in front moves the bytes of large ones;
    `instance` tells this registry from others, in health's answers;
    `trusted_proxies` are so many before us, each of which adds to X-Forwarded-For.
    """

    registry: Registry
    instance: str
    quota: Quota
    costly_slots: CostlySlots
    refuses_unknown_parameters: bool
    leaves_documents_to_proxy: bool
    trusted_proxies: int
    body_limits: Mapping[str, BodyLimits]
    body_rules: Mapping[str, BodyRules]
    problem_shapes: ProblemShapes


def set_state(app: Flask, state: ApiState) -> None:
    """Give an application its state, once, before the first request."""
    app.extensions[_KEY] = state


def get_state(app: Flask | None = None) -> ApiState:
    """Get the state of an application, by default of the one that serves this request."""
    return cast(ApiState, (app or current_app).extensions[_KEY])
