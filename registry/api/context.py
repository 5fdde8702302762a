"""All that a resource may ask of its surroundings."""

import re
from typing import Final, cast
from urllib.parse import quote

from flask import current_app, g, request

from registry.api.quota import Quota
from registry.domain.access import Caller
from registry.domain.calls import Call
from registry.domain.errors import Invalid, Issue
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.wiring import Registry

EXTENSION = "registry"
ON_BEHALF_OF: Final = "On-Behalf-Of-Enterprise-Number"
_LONGEST: Final = 2000  # characters of a URL that the audit trail keeps
_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))
# A name that is q for whoever reads leniently: in capitals, among spaces, after a semicolon.
_SEARCHED: Final = re.compile(
    r"(^|[&;])((?:\+|%20)*(?:q|%[57]1)(?:\+|%20)*)=[^&]*", re.ASCII | re.IGNORECASE
)


def registry() -> Registry:
    """The assembled service."""
    return cast(Registry, current_app.extensions[EXTENSION])


def quota() -> Quota:
    """The counter of requests."""
    return cast(Quota, current_app.extensions["quota"])


def caller() -> Caller:
    """Whom the bearer token stands for; set by `authentication`."""
    return cast(Caller, g.caller)


def call(status: int = 200) -> Call:
    """What is asked, for the audit trail, by the status of its answer when all goes well."""
    return Call(caller(), request.method, _url(), status)


def kind() -> EboxKind:
    """The family of e-Boxes that this base path serves: the last part of the blueprint's name."""
    return EboxKind((request.blueprint or "").rpartition("-")[2])


def ebox() -> Ebox:
    """Give the e-Box that the call is about: the caller's own, or his mandator's.

    Raises `PermissionMissing` when the token names no owner.
    """
    mandators: Ebox | None = g.get("mandators_ebox")
    return mandators or caller().ebox(kind())


def mandator() -> EnterpriseNumber | None:
    """Read in whose name the call is made, if it is another's (contract 6.16); raises `Invalid`."""
    header = request.headers.get(ON_BEHALF_OF)
    try:
        number = None if header is None else EnterpriseNumber.parse(header, check_digits=False)
    except Malformed as error:
        raise Invalid([Issue("header", ON_BEHALF_OF, f"{ON_BEHALF_OF}: {error}")]) from None
    return None if number == caller().enterprise else number


def version() -> str:
    """The version that this base path serves: the first part of the name; empty outside of any."""
    return (request.blueprint or "").partition("-")[0]


def base_url() -> str:
    """The public URL of this version for this family of e-Boxes, without a slash at its end."""
    return registry().base_url(kind(), version())


def _url() -> str:
    """Path and query as they came, but for what was searched for: it may be a person's number.

    All but visible ASCII is percent-encoded, so that "…", for what is left out, is always ours.
    """
    url = quote(request.path, safe=_VISIBLE.replace("%", ""))
    if query := quote(request.query_string, safe=_VISIBLE):
        url += "?" + _SEARCHED.sub(r"\1\2=…", query)
    return url if len(url) <= _LONGEST else f"{url[: _LONGEST - 1]}…"
