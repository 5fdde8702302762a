"""Bearer tokens got the real way: a signed assertion against a token URL (RFC 7523)."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, RSAKey

from registry.sandbox.personas import Persona, private_key

_LIFETIME = 60  # seconds of an assertion, contract 6.25
_TIMEOUT = 10  # seconds


class TokenRefused(Exception):
    """The authorization server gave no token; the message says why."""


def fetch(token_url: str, persona: Persona, keys: Path, *, scopes: Iterable[str] = ()) -> str:
    """A fresh token of this persona, whose key is in `keys`; no scopes means all it was granted.

    Raises `TokenRefused`.
    """
    key = private_key(keys / f"{persona.name}.pem", persona.algorithm)
    return sign_in(token_url, persona.client_id, key, persona.algorithm, scopes=scopes)


def sign_in(
    token_url: str,
    client_id: str,
    key: RSAKey | ECKey,
    algorithm: str,
    *,
    scopes: Iterable[str] = (),
    claims: dict[str, Any] | None = None,
) -> str:
    """A fresh token of any client; `claims` replace those of the assertion, for tests.

    Raises `TokenRefused`.
    """
    assertion = {"exp": int(time.time()) + _LIFETIME, **(claims or {})}
    with OAuth2Session(client_id, key, token_endpoint_auth_method="private_key_jwt") as session:  # noqa: S106 - a method's name
        session.trust_env = False  # it is on loopback, whatever proxy is set
        session.register_client_auth_method(PrivateKeyJWT(token_url, assertion, alg=algorithm))
        try:
            token = session.fetch_token(
                token_url,
                grant_type="client_credentials",
                timeout=_TIMEOUT,
                **({"scope": " ".join(scopes)} if scopes else {}),
            )
        except (OAuthError, OSError) as error:
            raise TokenRefused(str(error)) from error
    return str(token["access_token"])
