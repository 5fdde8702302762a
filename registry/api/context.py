"""Surroundings of a resource: the service, the caller, the e-Box, the call for the trail."""

import re
from typing import Final, cast
from urllib.parse import quote

from flask import g, request

from registry.api.place import place
from registry.api.state import get_state
from registry.domain.access import Caller
from registry.domain.calls import Call
from registry.domain.errors import Invalid, Issue
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.wiring import Registry

ON_BEHALF_OF: Final = "On-Behalf-Of-Enterprise-Number"
_LONGEST: Final = 2000  # characters of a URL that the audit trail keeps
_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))
# A name that is q for whoever reads leniently: in capitals, among spaces, after a semicolon.
_SEARCH: Final = re.compile(
    r"(^|[&;])((?:\+|%20)*(?:q|%[57]1)(?:\+|%20)*)=[^&]*", re.ASCII | re.IGNORECASE
)


def registry() -> Registry:
    """Give the assembled service."""
    return get_state().registry


def caller() -> Caller:
    """Give the party that the bearer token stands for; `authentication` has set it."""
    return cast(Caller, g.caller)


def call(status: int = 200) -> Call:
    """Describe the call for the audit trail; `status` is that of its answer if all goes well."""
    return Call(caller(), request.method, _write_url(), status)


def kind() -> EboxKind:
    """Give the family of e-Boxes that this base path serves."""
    return place().kind


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
    # An enterprise that names itself calls for itself, and needs no mandate.
    return None if number == caller().enterprise else number


def _write_url() -> str:
    """Write path and query as they came, but for the text of a search, which may name a person.

    All but visible ASCII is percent-encoded, so that "…", for what is left out, is always ours.
    """
    url = quote(request.path, safe=_VISIBLE.replace("%", ""))
    if query := quote(request.query_string, safe=_VISIBLE):
        url += "?" + _SEARCH.sub(r"\1\2=…", query)
    return url if len(url) <= _LONGEST else f"{url[: _LONGEST - 1]}…"
