"""What an introspection answer says: a caller, a refusal, or nonsense."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from registry.domain.access import Caller
from registry.domain.errors import RegistryError, TokenExpired, TokenInvalid, UpstreamInvalid
from registry.domain.identifiers import EnterpriseNumber, Malformed, Ssin
from registry.http_client.client import lied

Outcome = Caller | type[RegistryError]
Claims = dict[str, Any]
T = TypeVar("T")

SKEW: Final = timedelta(seconds=5)  # a token may be used at once, wherever clocks differ a little


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a token carries its owner's numbers, and who must have issued it for whom, if set."""

    enterprise_claim: str = "principalAttributes.urn:be:fgov:kbo-bce:organization:cbe-number"
    person_claim: str = "principalAttributes.urn:be:fgov:person:ssin"
    issuer: str | None = None
    audience: str | None = None


def verdict(claims: Claims, token_hash: str, expected: Expected, now: datetime) -> Outcome:
    """The caller, or the error that refuses the token (RFC 7662 section 2.2, contract 3.1).

    Optional members may be absent; present, they must have their type, and null is not one. `nbf`
    may be `SKEW` ahead of us, `exp` not a moment behind. Raises `UpstreamInvalid` on any doubt.
    """
    active = claims.get("active")
    if active is False:
        return TokenInvalid
    if active is not True:
        raise _nonsense("active")
    subject = _ssin(_member(claims, "sub", str) or "")
    person = _person(claims, expected.person_claim)
    if subject is not None and person is not None and subject != person:
        return TokenInvalid  # of two people nobody knows which one calls (contract 6.36)
    caller = _caller(claims, token_hash, expected, subject or person)
    begins = _instant(claims, "nbf")
    if (begins is not None and begins > now + SKEW) or not _meant(claims, expected):
        return TokenInvalid
    if caller.expires_at is not None and caller.expires_at <= now:
        return TokenExpired
    return caller


def _caller(claims: Claims, token_hash: str, expected: Expected, person: Ssin | None) -> Caller:
    client = _member(claims, "client_id", str)
    if not client:
        raise _nonsense("client_id")
    return Caller(
        client_id=client,
        scopes=frozenset((_member(claims, "scope", str) or "").split(" ")) - {""},
        token_hash=token_hash,
        enterprise=_enterprise(claims, expected.enterprise_claim),
        person=person,
        expires_at=_instant(claims, "exp"),
    )


def _meant(claims: Claims, expected: Expected) -> bool:
    issuer = _member(claims, "iss", str)
    audience = claims.get("aud", [])
    audiences = [audience] if isinstance(audience, str) else _strings(audience, "aud")
    return expected.issuer in (None, issuer) and (
        expected.audience is None or expected.audience in audiences
    )


def _enterprise(claims: Claims, path: str) -> EnterpriseNumber | None:
    text = _find_text(claims, path)
    if text is None:
        return None
    try:
        return EnterpriseNumber.from_claim(text or "none")  # padding would make "" a number
    except Malformed:
        raise _nonsense("enterprise number") from None


def _person(claims: Claims, path: str) -> Ssin | None:
    text = _find_text(claims, path)
    if text is None:
        return None
    person = _ssin(text)
    if person is None:
        raise _nonsense("SSIN")
    return person


def _ssin(text: str) -> Ssin | None:
    try:
        return Ssin.parse(text, checked=False)  # the authorization server vouches for it
    except Malformed:
        return None


def _find_text(claims: Claims, path: str) -> str | None:
    """Find the text, or the first of several, under a dotted path of claims (contract 6.37).

    The name of a claim may hold dots itself: the longest name that is there goes first.
    """
    if path in claims:
        values = claims[path]
        if isinstance(values, str):
            return values
        texts = _strings(values, path)
        return texts[0] if texts else None
    head, dot, rest = path.partition(".")
    if not dot or head not in claims:
        return None
    members: dict[str, Any] = _member(claims, head, dict) or {}
    return _find_text(members, rest)


def _strings(values: Any, what: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _nonsense(what)
    return values


def _instant(claims: Claims, name: str) -> datetime | None:
    if name not in claims:
        return None
    seconds = claims[name]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise _nonsense(name)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise _nonsense(name) from None


def _member(claims: Claims, name: str, kind: type[T]) -> T | None:
    if name not in claims:
        return None
    value = claims[name]
    if not isinstance(value, kind):
        raise _nonsense(name)
    return value


def _nonsense(what: str) -> UpstreamInvalid:
    return lied("introspection", f"{what} is missing or not what it should be")
