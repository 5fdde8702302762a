"""Our own access token: client credentials with a signed assertion (private_key_jwt)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final
from uuid import uuid4

import orjson
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from registry.domain.errors import RegistryError, Unavailable, UpstreamInvalid
from registry.http_client.client import NETWORK, Answer, lied, read, translated
from registry.http_client.deadlines import arm
from registry.http_client.private_key import Key
from registry.http_client.threads import SingleFlight

BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)  # b64token, RFC 6750 section 2.1

_SERVICE: Final = "token endpoint"
_RENEWAL: Final = "renewal"
_AGAIN: Final = timedelta(seconds=5)  # after a renewal that failed while the old token holds
_LONGEST: Final = 24 * 3600  # seconds; no token is kept longer, whatever it promises
_SHORTEST: Final = 60  # seconds, for a token that does not say how long it lives
# The codes of RFC 6749 section 5.2: all that is repeated of a refusal.
_CODES: Final = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to the authorization server, and how we prove it (contract 3.1, 6.25).

    `audience` None means the token URL; `lifetime` of an assertion in seconds.
    """

    client_id: str
    key: Key = field(repr=False)
    algorithm: str = "RS256"
    key_id: str | None = None
    audience: str | None = None
    lifetime: int = 60

    def proof(self, token_url: str, now: datetime) -> PrivateKeyJWT:
        """How to sign one token request; not for a second, since its `jti` is used up."""
        issued = int(now.timestamp())
        return PrivateKeyJWT(
            self.audience or token_url,
            # Authlib's own lifetime is an hour, and the server refuses more than ten minutes
            claims={"jti": str(uuid4()), "iat": issued, "exp": issued + self.lifetime},
            headers={"kid": self.key_id} if self.key_id else {},
            alg=self.algorithm,
        )


@dataclass(frozen=True, slots=True)
class _Held:
    text: str = field(repr=False)
    renew_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Granted:
    """A checked answer, as much of a response as Authlib uses."""

    members: dict[str, Any] = field(repr=False)
    status_code: int = 200

    def json(self) -> dict[str, Any]:
        return self.members


class OwnToken:
    """An access token of ours, renewed in time; threads share it.

    `scope` is separated by spaces, None asks for all that is granted. `now` is aware UTC.
    """

    def __init__(
        self,
        identity: Identity,
        token_url: str,
        now: Callable[[], datetime],
        *,
        scope: str | None = None,
        timeout: float = 3,
        ca_bundle: Path | None = None,
    ) -> None:
        self._identity, self._url, self._now = identity, token_url, now
        self._scope, self._timeout = scope, timeout
        self._verify: bool | str = str(ca_bundle) if ca_bundle else True
        self._lock = Lock()
        self._held: _Held | None = None
        self._flights: SingleFlight[str | type[RegistryError]] = SingleFlight()

    def value(self) -> str:
        """A token that holds now; raises `Unavailable` or `UpstreamInvalid`.

        Renewed after four fifths of its life. One thread renews, the others are served what still
        holds, or wait. A renewal that fails does no harm while the old token holds.
        """
        held, now = self._held, self._now()
        if held and now < held.renew_at:
            return held.text
        holds = held is not None and now < held.ends_at
        if held and holds and self._flights.underway(_RENEWAL):
            return held.text
        outcome = self._flights.share(_RENEWAL, self._renewed, timeout=2 * self._timeout)
        if isinstance(outcome, str):
            return outcome
        if held and holds and self._postponed(held):
            return held.text
        raise outcome

    def discard(self, token: str) -> None:
        """Forget this token, which was refused; one that was renewed meanwhile stays."""
        with self._lock:
            if self._held and self._held.text == token:
                self._held = None

    def spend(self, call: Callable[[str], Answer]) -> Answer:
        """What a service answers to `call(token)`; asked again with a new token after a 401.

        Raises `UpstreamInvalid` when our token is refused (401 again, or 403), and what `call` and
        `value` raise.
        """
        token = self.value()
        answer = call(token)
        if answer.status == 401:
            self.discard(token)
            answer = call(self.value())
        if answer.status in (401, 403):
            raise lied(answer.service, f"refuses our own token with status {answer.status}")
        return answer

    def _postponed(self, held: _Held) -> bool:
        with self._lock:
            if not self._held or self._held.text != held.text:  # it was discarded meanwhile
                return False
            self._held = replace(held, renew_at=self._now() + _AGAIN)
            return True

    def _renewed(self) -> str | type[RegistryError]:
        held, asked = self._held, self._now()
        if held and asked < held.renew_at:  # the flight before this one brought it
            return held.text
        try:
            members = self._fetched(asked)
        except (Unavailable, UpstreamInvalid) as error:
            return type(error)
        life = members["expires_in"]
        # at four fifths, at least ten seconds before the end; a short life is halved
        renewal = max(min(0.8 * life, life - 10), 0.5 * life)
        new = _Held(
            members["access_token"],
            asked + timedelta(seconds=renewal),
            asked + timedelta(seconds=life),
        )
        with self._lock:
            self._held = new
        return new.text

    def _fetched(self, now: datetime) -> dict[str, Any]:
        try:
            with OAuth2Session(
                self._identity.client_id,
                self._identity.key,
                token_endpoint_auth_method=PrivateKeyJWT.name,
                scope=self._scope,
            ) as session:
                arm(session, connections=1)
                session.register_client_auth_method(self._identity.proof(self._url, now))
                session.register_compliance_hook("access_token_response", _checked)
                granted: dict[str, Any] = session.fetch_token(
                    self._url,
                    grant_type="client_credentials",
                    timeout=self._timeout,
                    verify=self._verify,
                    stream=True,
                    allow_redirects=False,
                )
                return granted
        except NETWORK as error:
            failure = translated(_SERVICE, error)
        raise failure


def _checked(response: requests.Response) -> _Granted:
    answer = read(_SERVICE, response)
    if 400 <= answer.status < 500:
        raise lied(_SERVICE, f"status {answer.status}{_code(answer.body)}")
    members = answer.members()
    token, life = members.get("access_token"), members.get("expires_in", _SHORTEST)
    if not isinstance(token, str) or not BEARER.fullmatch(token):
        raise lied(_SERVICE, "no access_token that can be a bearer token")
    if not isinstance(life, int) or isinstance(life, bool) or life <= 0:
        raise lied(_SERVICE, "expires_in is not a number of seconds")
    if str(members.get("token_type", "Bearer")).lower() != "bearer":
        raise lied(_SERVICE, "token_type is not Bearer")
    return _Granted({"access_token": token, "expires_in": min(life, _LONGEST)})


def _code(body: bytes) -> str:
    try:
        code = orjson.loads(body)["error"]
    except (ValueError, TypeError, LookupError):
        return ""
    return f", {code}" if isinstance(code, str) and code in _CODES else ""
