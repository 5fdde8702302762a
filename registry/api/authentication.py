"""Bearer token → caller, before any resource is reached."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Final

from flask import g, request
from flask.typing import ResponseReturnValue

from registry.api.context import caller, quota, registry
from registry.domain.access import Operation
from registry.domain.errors import TokenInvalid, TokenMissing

View = Callable[..., ResponseReturnValue]

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]{1,8192}=*")  # RFC 6750, section 2.1
_READS: Final = ("GET", "HEAD")


def authenticate() -> None:
    """Find out who calls; the only place where a token is looked at.

    Raises `TokenMissing`, `TokenInvalid`, `TokenExpired`, `TooManyRequests`, or `Unavailable`
    and `UpstreamInvalid` when the authorization server is to blame.
    """
    if request.method == "OPTIONS":  # a browser's preflight carries no token
        return
    g.caller = registry().introspection.caller(_bearer(), fresh=request.method not in _READS)
    quota().spend(g.caller.token_hash)


def needs(*operations: Operation) -> Callable[[View], View]:
    """Let only callers through whose scope opens one of the operations; else `ScopeMissing`."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: object) -> ResponseReturnValue:
            registry().scopes.check(caller(), *operations)
            return view(**arguments)

        guarded.operations = operations  # type: ignore[attr-defined] # a test asks each view
        return guarded

    return guard


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing
    if not _TOKEN.fullmatch(token):
        raise TokenInvalid
    return token
