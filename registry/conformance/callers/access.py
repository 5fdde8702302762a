"""Access tokens: given, or got by signing with a private key (RFC 7523, private_key_jwt)."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

_LIFETIME: Final = 60  # seconds of an assertion
_TIMEOUT: Final = 15  # seconds
_METHOD: Final = "private_key_jwt"


class NoAccess(Exception):
    """A caller has no token; the text says why, without the key."""


class Access(Protocol):
    """A way to get a token."""

    def get_token(self) -> str:
        """Get one that holds now; raises `NoAccess`."""
        ...


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token from somewhere else."""

    text: str = field(repr=False)

    def get_token(self) -> str:
        """Give it."""
        return self.text


@dataclass(slots=True, kw_only=True)
class SignedAccess:
    """A client of an authorization server, with its key as PEM; the token is fetched once.

    `revoke_url` is where tokens are given back (RFC 7009), if there is such a place.
    """

    token_url: str
    client_id: str
    key: bytes = field(repr=False)
    algorithm: str = "RS256"
    scope: str = ""
    revoke_url: str = ""
    ca_bundle: Path | None = None
    _token: str = field(default="", repr=False)
    _expires_at: float = 0

    def get_token(self) -> str:
        """Get the token, fetching another shortly before it expires; raises `NoAccess`."""
        if not self._token or time.time() > self._expires_at - 30:
            self._token, self._expires_at = self.fetch_token()
        return self._token

    def fetch_token(self) -> tuple[str, float]:
        """Fetch another token, and tell when it expires; raises `NoAccess`."""
        wish = {"scope": self.scope} if self.scope else {}
        with self._start_session() as session:
            try:
                answer: dict[str, Any] = session.fetch_token(
                    self.token_url, grant_type="client_credentials", timeout=_TIMEOUT, **wish
                )
            except (OAuthError, OSError, ValueError) as error:
                raise NoAccess(f"{self.client_id} gets no token: {_explain(error)}.") from None
        return str(answer["access_token"]), time.time() + int(answer.get("expires_in", 300))

    def revoke(self, token: str) -> None:
        """Give a token back; raises `NoAccess` when the server does not take it."""
        with self._start_session() as session:
            try:
                answer = session.revoke_token(self.revoke_url, token=token, timeout=_TIMEOUT)
            except (OAuthError, OSError, ValueError) as error:
                raise NoAccess(f"A token cannot be revoked: {_explain(error)}.") from None
        if answer.status_code != 200:
            raise NoAccess(f"A token cannot be revoked: {answer.status_code}.")

    def _start_session(self) -> Any:
        try:
            key = load_key(self.key, self.algorithm)
        except (JoseError, ValueError, TypeError):
            raise NoAccess(f"The key of {self.client_id} is no key for {self.algorithm}.") from None
        session = OAuth2Session(
            self.client_id,
            key,
            token_endpoint_auth_method=_METHOD,
            revocation_endpoint_auth_method=_METHOD,
        )
        if self.ca_bundle:
            session.verify = str(self.ca_bundle)
        claims = {"exp": int(time.time()) + _LIFETIME}
        session.register_client_auth_method(
            PrivateKeyJWT(self.token_url, claims, alg=self.algorithm)
        )
        return session


def load_key(pem: bytes, algorithm: str) -> RSAKey | ECKey:
    """Load a private key for this algorithm; raises `JoseError` or `ValueError`."""
    kind = RSAKey if algorithm.startswith(("RS", "PS")) else ECKey
    return kind.import_key(pem, {"alg": algorithm, "use": "sig"})


def _explain(error: Exception) -> str:
    code = getattr(error, "error", None)
    return str(code) if code else type(error).__name__
