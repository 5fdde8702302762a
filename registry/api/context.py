"""All that a resource may ask of its surroundings."""

from typing import cast

from flask import current_app, g, request

from registry.api.quota import Quota
from registry.domain.access import Caller
from registry.domain.identifiers import Ebox, EboxKind
from registry.wiring import Registry

EXTENSION = "registry"


def registry() -> Registry:
    """The assembled service."""
    return cast(Registry, current_app.extensions[EXTENSION])


def quota() -> Quota:
    """The counter of requests."""
    return cast(Quota, current_app.extensions["quota"])


def caller() -> Caller:
    """Whom the bearer token stands for; set by `authentication`."""
    return cast(Caller, g.caller)


def kind() -> EboxKind:
    """The family of e-Boxes that this base path serves: the last part of the blueprint's name."""
    return EboxKind((request.blueprint or "").rpartition("-")[2])


def ebox() -> Ebox:
    """The caller's own e-Box; raises `PermissionMissing` when the token names no owner."""
    return caller().ebox(kind())


def version() -> str:
    """The version that this base path serves: the first part of the name; empty outside of any."""
    return (request.blueprint or "").partition("-")[0]


def base_url() -> str:
    """The public URL of this version for this family of e-Boxes, without a slash at its end."""
    return registry().base_url(kind(), version())
