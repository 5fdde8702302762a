"""Surroundings of a resource: the service, the caller, the e-Box, the call for the trail."""

from typing import Final, cast
from urllib.parse import quote

from flask import g, request

from registry.api.place import place
from registry.api.state import get_state
from registry.domain.access import Caller
from registry.domain.calls import Call
from registry.domain.errors import Invalid, Issue
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.domain.personal_data import mask_personal_numbers
from registry.wiring.service import Registry

ON_BEHALF_OF: Final = "On-Behalf-Of-Enterprise-Number"
_LONGEST: Final = 2000  # characters of a URL that the audit trail keeps
_LEFT_OUT: Final = "…"
# All that is visible in ASCII, but for what parts a query, and the sign of an encoding.
_VISIBLE: Final = "".join(c for c in map(chr, range(0x21, 0x7F)) if c not in "%&?#+;=")


def registry() -> Registry:
    """Give the assembled service."""
    return get_state().registry


def caller() -> Caller:
    """Give the party that the bearer token stands for; `authentication` has set it."""
    return cast(Caller, g.caller)


def call(status: int = 200) -> Call:
    """Describe the call for the audit trail; `status` is that of its answer if all goes well."""
    return Call(caller(), request.method, _write_url(), status, g.trace)


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
    except Malformed:
        fault = f"{mask_personal_numbers(header or '')[:20]} is not a valid company"
        raise Invalid([Issue("header", ON_BEHALF_OF, fault)]) from None
    # An enterprise that names itself calls for itself, and needs no mandate.
    return None if number == caller().enterprise else number


def _write_url() -> str:
    """Write the path, and those query parameters that are known and passed their check.

    Whatever else clients write may name a person, and an entry stays for ten years; so may the text
    of a search, which is left out. All but visible ASCII is percent-encoded, so that "…", for what
    is left out, is always ours.
    """
    url = _quote(request.path)
    pairs: list[tuple[str, str]] = g.get("checked_parameters", [])
    if query := "&".join(f"{name}={_LEFT_OUT if name == 'q' else _quote(v)}" for name, v in pairs):
        url += f"?{query}"
    return url if len(url) <= _LONGEST else url[: _LONGEST - 1] + _LEFT_OUT


def _quote(text: str) -> str:
    return quote(mask_personal_numbers(text), safe=_VISIBLE)
