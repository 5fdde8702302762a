"""Bearer token → caller, before any resource is reached."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from flask import g, request
from flask.typing import ResponseReturnValue

from registry.api.client_address import read_client_address
from registry.api.context import ON_BEHALF_OF, caller, kind, mandator, registry
from registry.api.state import get_state
from registry.domain.access import Operation
from registry.domain.errors import PermissionMissing, TokenMissing
from registry.domain.identifiers import EboxKind

View = Callable[..., ResponseReturnValue]

_READS: Final = ("GET", "HEAD")
_PUBLISHING: Final = {Operation.PUBLISH, Operation.PUBLISH_FOR_ANOTHER}
_CONSULTING: Final = {
    Operation.READ_MESSAGES,
    Operation.UPDATE_MESSAGES,
    Operation.READ_STATISTICS,
    Operation.READ_SUMMARY,
    Operation.READ_REFERENCE,
    Operation.REPLY,
}


def authenticate() -> None:
    """Find out who calls; the only place where a token is looked at.

    Raises `TokenMissing`, `TokenInvalid`, `TokenExpired`, `TooManyRequests`, or `Unavailable`
    and `UpstreamInvalid` when the authorization server is to blame.
    """
    if request.method == "OPTIONS":  # a browser's preflight carries no token
        return
    state = get_state()
    # Writes do not trust a cached answer as long as reads do: the token may have been revoked.
    g.caller = registry().introspection.caller(
        _read_bearer(),
        read_client_address(state.trusted_proxies),
        fresh=request.method not in _READS,
    )
    # Counted only now: made-up tokens would fill the memory of the quota.
    state.quota.spend(g.caller)


def needs(*operations: Operation) -> Callable[[View], View]:
    """Let only callers through whose scope opens one of the operations; else `ScopeMissing`.

    Who calls in another's name needs a mandate, whatever he asks for (contract 6.16).
    """

    def guard(view: View) -> View:
        @wraps(view)
        def check_and_view(**arguments: object) -> ResponseReturnValue:
            _admit(operations)
            return view(**arguments)

        check_and_view.operations = operations  # type: ignore[attr-defined] # a test asks each view
        return check_and_view

    return guard


def _admit(operations: tuple[Operation, ...]) -> None:
    other = None if _PUBLISHING & set(operations) else mandator()  # senders are judged by their own
    if other is None:
        registry().scopes[kind()].check(caller(), *operations)
    elif kind() is EboxKind.ENTERPRISE and _CONSULTING & set(operations):
        g.mandators_ebox = registry().mandates.decide_ebox(caller(), other)
    else:
        raise PermissionMissing(f"{ON_BEHALF_OF} has no meaning here, and is not ignored.")


def _read_bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing
    return token
