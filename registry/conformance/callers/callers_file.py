"""The file that names the callers: TOML, a table for each part."""

import tomllib
from pathlib import Path
from typing import Any, Final

from registry.conformance.callers.access import Access, GivenToken, SignedAccess
from registry.conformance.callers.callers import Callers, Party
from registry.conformance.callers.prepared_data import PreparedData
from registry.conformance.requirement import Role

_SCENARIOS: Final = "scenarios"
_COMMON: Final = frozenset({"token_url", "revoke_url"})
_OWN: Final = frozenset(
    """
    token token_file client_id key algorithm scope token_url revoke_url number application
    message_type locked_partition
    """.split()  # noqa: SIM905 - a text to read, not a list of quotes
)
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512")


class CallersUnusable(Exception):
    """The callers cannot be used; the text says which and why, without tokens or keys."""


def read_callers(path: Path, ca_bundle: Path | None) -> Callers:
    """Read the file; paths in it are relative to its folder. Raises `CallersUnusable`."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CallersUnusable(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # both what is no TOML and what is no UTF-8
        raise CallersUnusable(f"{path} is no TOML: {error}.") from None
    common = {name: text for name, text in tables.items() if not isinstance(text, dict)}
    if surplus := sorted(set(common) - _COMMON):
        raise CallersUnusable(f"{path}: {surplus[0]} belongs into the table of a caller.")
    parties = {}
    for name, table in tables.items():
        if isinstance(table, dict) and name != _SCENARIOS:
            role = _read_role(path, name)
            parties[role] = make_party(role, {**common, **table}, path.parent, ca_bundle)
    return Callers(parties, _read_prepared(path, tables.get(_SCENARIOS, {})))


def _read_prepared(path: Path, table: dict[str, Any]) -> PreparedData:
    try:
        return PreparedData.from_table(table)
    except KeyError as error:
        raise CallersUnusable(f"{path}: [scenarios] has no {error}.") from None


def make_party(
    role: Role, facts: dict[str, Any], folder: Path, ca_bundle: Path | None = None
) -> Party:
    """Make a caller of the members of its table; raises `CallersUnusable`."""
    if surplus := sorted(set(facts) - _OWN):
        members = ", ".join(sorted(_OWN))
        raise CallersUnusable(f"[{role}] {surplus[0]}: there is no such member, only {members}.")
    if wrong := [name for name, text in facts.items() if not isinstance(text, str)]:
        raise CallersUnusable(f"[{role}] {wrong[0]} must be a text, in quotes.")
    names = ("number", "application", "message_type", "locked_partition")
    more = {name: facts[name] for name in names if name in facts}
    return Party(role=role, access=_make_access(role, facts, folder, ca_bundle), **more)


def _make_access(role: Role, facts: dict[str, str], folder: Path, ca_bundle: Path | None) -> Access:
    if "token" in facts:
        return GivenToken(facts["token"])
    if "token_file" in facts:
        content = _read(role, folder / facts["token_file"])
        return GivenToken(content.decode("ascii", "replace").strip())
    if missing := [name for name in ("token_url", "client_id", "key") if not facts.get(name)]:
        raise CallersUnusable(
            f"[{role}] {missing[0]} is missing: give token, token_file, or all of token_url,"
            " client_id and key."
        )
    algorithm = facts.get("algorithm", "RS256")
    if algorithm not in _ALGORITHMS:
        raise CallersUnusable(f"[{role}] algorithm is none of {', '.join(_ALGORITHMS)}.")
    return SignedAccess(
        token_url=facts["token_url"],
        client_id=facts["client_id"],
        key=_read(role, folder / facts["key"]),
        algorithm=algorithm,
        scope=facts.get("scope", ""),
        revoke_url=facts.get("revoke_url", ""),
        ca_bundle=ca_bundle,
    )


def _read(role: Role, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CallersUnusable(f"[{role}] {path} cannot be read: {error.strerror}.") from None


def _read_role(path: Path, name: str) -> Role:
    roles = [role for role in Role if role is not Role.READER]
    if name not in roles:
        raise CallersUnusable(f"{path}: there is no part [{name}], only {', '.join(roles)}.")
    return Role(name)
