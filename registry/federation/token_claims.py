"""Claims of an introspection answer: they make a caller, a refusal, or nonsense."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from registry.domain.access import Caller
from registry.domain.errors import RegistryError, TokenExpired, TokenInvalid, UpstreamInvalid
from registry.domain.identifiers import EnterpriseNumber, Malformed, Ssin
from registry.http_client.client import report_invalid

TokenOutcome = Caller | type[RegistryError]
Claims = dict[str, Any]
T = TypeVar("T")

SKEW: Final = timedelta(seconds=5)  # a token may be used at once, wherever clocks differ a little


@dataclass(frozen=True, slots=True)
class TokenRequirements:
    """The claims that carry its owner's numbers; its issuer and audience, where those are set."""

    enterprise_claim: str = "principalAttributes.urn:be:fgov:kbo-bce:organization:cbe-number"
    person_claim: str = "principalAttributes.urn:be:fgov:person:ssin"
    issuer: str | None = None
    audience: str | None = None


def judge_claims(
    claims: Claims, token_hash: str, requirements: TokenRequirements, now: datetime
) -> TokenOutcome:
    """Make the caller of the claims, or find the error that refuses the token.

    Optional members may be absent; present, they must have their type, and null is not one. `nbf`
    may be `SKEW` ahead of us, `exp` not a moment behind. Raises `UpstreamInvalid` on any doubt.
    Source: RFC 7662 section 2.2, contract 3.1.
    """
    active = claims.get("active")
    if active is False:
        return TokenInvalid
    if active is not True:
        raise _report_nonsense("active")
    subject = _parse_ssin(_read_member(claims, "sub", str) or "")
    person = _read_person(claims, requirements.person_claim)
    if subject is not None and person is not None and subject != person:
        return TokenInvalid  # of two people nobody knows which one calls (contract 6.36)
    caller = _make_caller(claims, token_hash, requirements, subject or person)
    begins = _read_instant(claims, "nbf")
    if (begins is not None and begins > now + SKEW) or not _is_meant_for_us(claims, requirements):
        return TokenInvalid
    if caller.expires_at is not None and caller.expires_at <= now:
        return TokenExpired
    return caller


def _make_caller(
    claims: Claims, token_hash: str, requirements: TokenRequirements, person: Ssin | None
) -> Caller:
    client = _read_member(claims, "client_id", str)
    if not client:
        raise _report_nonsense("client_id")
    return Caller(
        client_id=client,
        scopes=frozenset((_read_member(claims, "scope", str) or "").split(" ")) - {""},
        token_hash=token_hash,
        enterprise=_read_enterprise(claims, requirements.enterprise_claim),
        person=person,
        expires_at=_read_instant(claims, "exp"),
    )


def _is_meant_for_us(claims: Claims, requirements: TokenRequirements) -> bool:
    issuer = _read_member(claims, "iss", str)
    audience = claims.get("aud", [])
    audiences = [audience] if isinstance(audience, str) else _read_strings(audience, "aud")
    return requirements.issuer in (None, issuer) and (
        requirements.audience is None or requirements.audience in audiences
    )


def _read_enterprise(claims: Claims, path: str) -> EnterpriseNumber | None:
    text = _find_text(claims, path)
    if text is None:
        return None
    try:
        return EnterpriseNumber.from_claim(text or "none")  # padding would make "" a number
    except Malformed:
        raise _report_nonsense("enterprise number") from None


def _read_person(claims: Claims, path: str) -> Ssin | None:
    text = _find_text(claims, path)
    if text is None:
        return None
    person = _parse_ssin(text)
    if person is None:
        raise _report_nonsense("SSIN")
    return person


def _parse_ssin(text: str) -> Ssin | None:
    try:
        return Ssin.parse(text, check_digits=False)  # the authorization server vouches for it
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
        texts = _read_strings(values, path)
        return texts[0] if texts else None
    head, dot, rest = path.partition(".")
    if not dot or head not in claims:
        return None
    members: dict[str, Any] = _read_member(claims, head, dict) or {}
    return _find_text(members, rest)


def _read_strings(values: Any, what: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _report_nonsense(what)
    return values


def _read_instant(claims: Claims, name: str) -> datetime | None:
    if name not in claims:
        return None
    seconds = claims[name]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise _report_nonsense(name)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise _report_nonsense(name) from None


def _read_member(claims: Claims, name: str, kind: type[T]) -> T | None:
    if name not in claims:
        return None
    value = claims[name]
    if not isinstance(value, kind):
        raise _report_nonsense(name)
    return value


def _report_nonsense(what: str) -> UpstreamInvalid:
    return report_invalid("introspection", f"{what} is missing or not what it should be")
