"""Our own access token: client credentials with a signed assertion (private_key_jwt)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final
from uuid import uuid4

import orjson
import requests
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE

from registry.domain.errors import RegistryError, Unavailable, UpstreamInvalid
from registry.http_client.client import (
    NETWORK,
    SLACK,
    Answer,
    Bearer,
    read_answer,
    report_invalid,
    translate_network_error,
)
from registry.http_client.deadlines import Deadline, harden_session
from registry.http_client.key_file import KeyFile
from registry.http_client.private_key import Key
from registry.http_client.threads import SingleFlight
from registry.telemetry.watch import Watch

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
    """Our registration with the authorization server, and its proof (contract 3.1, 6.25).

    A key in a `KeyFile` may be replaced. `audience` None means the token URL; `lifetime` of an
    assertion in seconds.
    """

    client_id: str
    key: Key | KeyFile = field(repr=False)
    algorithm: str = "RS256"
    key_id: str | None = None
    audience: str | None = None
    lifetime: int = 60

    def sign_assertion(self, token_url: str, now: datetime) -> str:
        """Sign an assertion for one token request; its `jti` serves no second one."""
        seconds = int(now.timestamp())
        assertion: str = private_key_jwt_sign(
            self.key.get() if isinstance(self.key, KeyFile) else self.key,
            self.client_id,
            self.audience or token_url,
            self.algorithm,
            # Authlib's own lifetime is an hour, and the server refuses more than ten minutes
            claims={"jti": str(uuid4()), "iat": seconds, "exp": seconds + self.lifetime},
            header={"kid": self.key_id} if self.key_id else {},
        )
        return assertion


@dataclass(frozen=True, slots=True)
class _Token:
    """A token with its life: renewed at the first instant, of no use from the second."""

    text: str = field(repr=False)
    renew_at: datetime
    ends_at: datetime


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
        self._token: _Token | None = None
        self._flights: SingleFlight[str | type[RegistryError]] = SingleFlight()

    def value(self) -> str:
        """Get a token that holds now; raises `Unavailable` or `UpstreamInvalid`.

        Renewed after four fifths of its life. One thread renews, the others are served what still
        holds, or wait. A renewal that fails does no harm while the old token holds.
        """
        token, now = self._token, self._now()
        if token and now < token.renew_at:
            return token.text
        holds = token is not None and now < token.ends_at
        if token and holds and self._flights.is_underway(_RENEWAL):
            return token.text
        outcome = self._flights.share(_RENEWAL, self._renew, timeout=self._timeout + SLACK)
        if isinstance(outcome, str):
            return outcome
        if token and holds and self._postpone_renewal(token):
            return token.text
        raise outcome

    def discard(self, token: str) -> None:
        """Forget this token, which was refused; one that was renewed meanwhile stays."""
        with self._lock:
            if self._token and self._token.text == token:
                self._token = None

    def call_with_token(self, call: Callable[[str], Answer]) -> Answer:
        """Do `call(token)`, and once more with a new token when the service answers 401.

        Raises `UpstreamInvalid` when our token is refused (401 again, or 403), and what `call` and
        `value` raise.
        """
        token = self.value()
        answer = call(token)
        if answer.status == 401:
            self.discard(token)
            answer = call(self.value())
        if answer.status in (401, 403):
            raise report_invalid(
                answer.service, f"refuses our own token with status {answer.status}"
            )
        return answer

    def _postpone_renewal(self, token: _Token) -> bool:
        with self._lock:
            if not self._token or self._token.text != token.text:  # it was discarded meanwhile
                return False
            self._token = replace(token, renew_at=self._now() + _AGAIN)
            return True

    def _renew(self) -> str | type[RegistryError]:
        # Errors are returned as types: many threads share the outcome, and the traceback of an
        # error that is raised in all of them would grow and hold their tokens.
        token, now = self._token, self._now()
        if token and now < token.renew_at:  # the flight before this one brought it
            return token.text
        try:
            with Watch(_SERVICE, "token"):
                text, life = self._request_token(now)
        except (Unavailable, UpstreamInvalid) as error:
            return type(error)
        # at four fifths, at least ten seconds before the end; a short life is halved
        renewal = max(min(0.8 * life, life - 10), 0.5 * life)
        token = _Token(text, now + timedelta(seconds=renewal), now + timedelta(seconds=life))
        with self._lock:
            self._token = token
        return text

    def _request_token(self, now: datetime) -> tuple[str, int]:
        """Ask for a token, and once only: an assertion may not be used again (RFC 7523 section 3).

        The token, and its life in seconds.
        """
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._identity.sign_assertion(self._url, now),
        }
        if self._scope:
            form["scope"] = self._scope
        try:
            with requests.Session() as session:
                session.headers["Accept"] = "application/json"
                harden_session(session, connections=1)
                response = session.post(
                    self._url,
                    data=form,
                    auth=Bearer(None),
                    timeout=Deadline.after(self._timeout).as_timeout(),  # type: ignore[arg-type]  # the stubs know floats
                    verify=self._verify,
                    stream=True,
                    allow_redirects=False,
                )
                return _read_token(response)
        except NETWORK as error:
            failure = translate_network_error(_SERVICE, error)
        # outside the `except` block, so that no traceback leads to the assertion
        raise failure


def _read_token(response: requests.Response) -> tuple[str, int]:
    """Read and check the answer (RFC 6749 section 5): the token, and its life in seconds."""
    answer = read_answer(_SERVICE, response)
    if 400 <= answer.status < 500:
        raise report_invalid(_SERVICE, f"status {answer.status}{_read_code(answer.body)}")
    members = answer.members()
    token, life = members.get("access_token"), members.get("expires_in", _SHORTEST)
    if not isinstance(token, str) or not BEARER.fullmatch(token):
        raise report_invalid(_SERVICE, "no access_token that can be a bearer token")
    if not isinstance(life, int) or isinstance(life, bool) or life <= 0:
        raise report_invalid(_SERVICE, "expires_in is not a number of seconds")
    if str(members.get("token_type", "Bearer")).lower() != "bearer":
        raise report_invalid(_SERVICE, "token_type is not Bearer")
    return token, min(life, _LONGEST)


def _read_code(body: bytes) -> str:
    try:
        code = orjson.loads(body)["error"]
    except (ValueError, TypeError, LookupError):
        return ""
    return f", {code}" if isinstance(code, str) and code in _CODES else ""
