"""A token explained: what its claims make of it, and what it opens."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from registry.cli.options import in_json
from registry.cli.output import print_json, print_members, print_table, write_local_time
from registry.cli.services import errors_in_one_line, load_settings
from registry.cli.token.claims import list_claims
from registry.domain.errors import RegistryError, TokenExpired, TokenInvalid, UpstreamInvalid
from registry.domain.identifiers import EboxKind

if TYPE_CHECKING:
    from registry.domain.access import Caller
    from registry.services.token_explanation import AccessVerdict
    from registry.settings import Settings
    from registry.wiring.token_inspection import TokenInspection

_LONGEST: Final = 1 << 16  # characters that are read
_HEADINGS: Final = ("version", "family", "operation", "", "rule")
_WORDS: Final = {True: "allowed", False: "refused"}
_REASONS: Final = {
    TokenInvalid: "The authorization server does not know it, or it is not meant for this registry"
    " (issuer, audience, not valid yet, two persons).",
    TokenExpired: "It has expired.",
    UpstreamInvalid: "The answer of the authorization server cannot be right: a claim is missing or"
    " not what it should be.",
}


class _Resource(NamedTuple):
    """A resource of a version below the path of a family, with what is said of it."""

    version: str
    kind: EboxKind
    operation: str
    verdict: "AccessVerdict"


@click.command()
@click.argument("typed", metavar="TOKEN|-")
@in_json
def explain(*, typed: str, is_json: bool) -> None:
    """Say why a token gets what it gets, operation by operation.

    The authorization server is asked about it as the service asks. Its claims are listed by name,
    persons masked; then its scopes, whose e-Box it opens, the partitions that the Partition API
    lets its person read, and for each operation of both versions whether it is allowed, and by
    which rule. The token is neither shown nor kept; - reads it from standard input, where no list
    of processes has it. Nothing is recorded and no e-Box is opened.

    Exit code 1 when the token is refused, or nobody can say.

    Example: registry token explain - < token.txt
    """
    settings = load_settings("introspection")
    token = sys.stdin.read(_LONGEST) if typed == "-" else typed
    with errors_in_one_line():
        _explain(settings, token.strip(), is_json=is_json)


def _explain(settings: "Settings", token: str, *, is_json: bool) -> None:
    from registry.wiring.token_inspection import TokenInspection

    with TokenInspection.open(settings) as inspection:
        claims = inspection.read_claims(token)
        caller = inspection.judge(claims)
        names = list_claims(claims, settings.enterprise_claim)
        resources = [] if isinstance(caller, type) else list(_list_resources(inspection, caller))
        rights = None if isinstance(caller, type) else _describe_rights(inspection, caller)
    if is_json:
        print_json(_make_json(caller, names, rights, resources))
    else:
        _print_explanation(caller, names, rights, resources)
    if isinstance(caller, type):
        raise click.ClickException(f"The token is refused. {_REASONS.get(caller, '')}".strip())


def _list_resources(inspection: "TokenInspection", caller: "Caller") -> Iterator[_Resource]:
    from registry.api.inventory import list_guarded_resources

    for each in list_guarded_resources():
        verdict = inspection.explanation.judge(caller, each.kind, each.operations)
        yield _Resource(each.version, each.kind, f"{each.method} {each.path}", verdict)


def _describe_rights(inspection: "TokenInspection", caller: "Caller") -> str | None:
    """Describe the partitions that the token's person may read; None where it does not matter."""
    try:
        partitions = inspection.find_partitions(caller)
    except RegistryError as error:
        return f"unknown: {error.detail}"
    return None if partitions is None else ", ".join(sorted(partitions)) or "none"


def _describe_owner(caller: "Caller") -> str:
    if caller.enterprise is not None:
        person = " for a person" if caller.person is not None else ""
        return f"enterprise {caller.enterprise}{person}"
    return "citizen …" if caller.person is not None else "nobody's"


def _print_explanation(
    caller: "Caller | type[RegistryError]",
    names: dict[str, str],
    rights: str | None,
    resources: list[_Resource],
) -> None:
    print_members({f"claim {name}": value for name, value in names.items()})
    if isinstance(caller, type):
        return
    click.echo()
    expiry = write_local_time(caller.expires_at) if caller.expires_at else ""
    members = {
        "client": caller.client_id,
        "scopes": " ".join(sorted(caller.scopes)) or "none",
        "e-Box": _describe_owner(caller),
        "partitions": rights or "",
        "expires": expiry,
    }
    print_members(members)
    click.echo()
    rows = [
        (each.version, str(each.kind), each.operation, _WORDS[each.verdict.is_allowed],
         each.verdict.rule)
        for each in resources
    ]  # fmt: skip
    print_table(_HEADINGS, rows)


def _make_json(
    caller: "Caller | type[RegistryError]",
    names: dict[str, str],
    rights: str | None,
    resources: list[_Resource],
) -> dict[str, Any]:
    """Make JSON of it; what is not known is left out."""
    if isinstance(caller, type):
        return {"isActive": False, "claims": names, "reason": _REASONS.get(caller)}
    members = {
        "isActive": True,
        "claims": names,
        "clientId": caller.client_id,
        "scopes": sorted(caller.scopes),
        "enterpriseNumber": caller.enterprise and caller.enterprise.digits,
        "isForPerson": caller.person is not None,
        "partitions": rights,
        "expiresAt": caller.expires_at,
        "operations": [
            {
                "version": each.version,
                "eboxType": each.kind.value,
                "operation": each.operation,
                "isAllowed": each.verdict.is_allowed,
                "rule": each.verdict.rule,
            }
            for each in resources
        ],
    }
    return {name: value for name, value in members.items() if value is not None}
