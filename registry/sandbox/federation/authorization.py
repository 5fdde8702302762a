"""OAuth v5 as a Document Provider meets it (contract 3.1), on Authlib's authorization server."""

import time
from typing import Any, Final

from authlib.common.security import generate_token
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Blueprint, Flask, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from registry.sandbox.federation.access_tokens import AccessToken, AssertionIds
from registry.sandbox.federation.addresses import INTROSPECT_SCOPE, OAUTH
from registry.sandbox.federation.clients import ClientRegister, RegisteredClient

LONGEST_ASSERTION: Final = 600  # seconds, contract 6.25
_METHOD: Final = JWTBearerClientAssertion.CLIENT_AUTH_METHOD


class Authority:
    """The clients that may have a token, and all tokens; `issuer` is our own base URL."""

    def __init__(self, clients: ClientRegister, issuer: str) -> None:
        self.issuer = issuer
        self.tokens: dict[str, AccessToken] = {}
        self.clients = clients

    @property
    def token_url(self) -> str:
        """The audience of every assertion."""
        return f"{self.issuer}/token"

    def keep(self, token: dict[str, Any], request: Any) -> None:
        """Remember a token that was just issued."""
        self.tokens[token["access_token"]] = AccessToken(
            text=token["access_token"],
            client=request.client,
            scope=token.get("scope", ""),
            expires_at=int(time.time()) + token["expires_in"],
        )


def install(app: Flask, authority: Authority) -> ResourceProtector:
    """Serve the three operations; returns what other services check bearer tokens with."""
    server = AuthorizationServer(app, authority.clients.find_client, authority.keep)
    server.register_token_generator(
        "default",
        BearerTokenGenerator(
            lambda **_: generate_token(48), expires_generator=lambda client, _: client.lifetime
        ),
    )
    server.register_client_auth_method(_METHOD, _Assertion(authority))
    server.register_grant(_Grant)
    protector = ResourceProtector()
    protector.register_token_validator(_Bearer(authority))
    server.register_endpoint(_Introspection(server, authority, protector))
    server.register_endpoint(_Revocation(server, authority))
    app.register_blueprint(_blueprint(server), url_prefix=OAUTH)
    return protector


def _blueprint(server: AuthorizationServer) -> Blueprint:
    blueprint = Blueprint("oauth", __name__)

    @blueprint.post("/token")
    def token() -> Response:
        answer: Response = server.create_token_response()
        return answer

    @blueprint.post("/introspect")
    def introspect() -> Response:
        answer: Response = server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME)
        return answer

    @blueprint.post("/revoke")
    def revoke() -> Response:
        answer: Response = server.create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME)
        return answer

    return blueprint


class _Grant(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = (_METHOD,)


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc] # Authlib has no types
    """private_key_jwt, with the algorithm that the client registered and a short life."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(leeway=0)
        self._authority = authority
        self._ids = AssertionIds()

    def get_audiences(self) -> list[str]:
        return [self._authority.token_url]

    def resolve_client_public_key(self, client: RegisteredClient) -> Key:
        return import_key(client.key)

    def process_assertion_claims(self, assertion: str, resolve_key: Key) -> Any:
        # Authlib's own takes the library's recommended algorithms, which lack ES384 and ES512.
        algorithm = resolve_key.get("alg")
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=[str(algorithm)])
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description=f"Invalid assertion: {error}") from error
        self.verify_claims(token.claims)
        return token.claims

    def verify_claims(self, claims: Any) -> None:
        super().verify_claims(claims)
        now = time.time()
        if claims["exp"] - min(now, claims.get("iat", now)) > LONGEST_ASSERTION:
            raise InvalidClientError(description="The assertion lives longer than 10 minutes.")

    def validate_jti(self, claims: Any, jti: str) -> bool:
        return self._ids.add(claims["sub"], str(jti), claims["exp"])


class _Bearer(BearerTokenValidator):  # type: ignore[misc] # Authlib has no types
    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority

    def authenticate_token(self, token_string: str) -> AccessToken | None:
        return self._authority.tokens.get(token_string)


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc] # Authlib has no types
    """RFC 7662 for whoever bears a token that allows it, instead of a client's credentials."""

    def __init__(
        self, server: AuthorizationServer, authority: Authority, protector: ResourceProtector
    ) -> None:
        super().__init__(server)
        self._authority = authority
        self._protector = protector

    def authenticate_endpoint_client(self, request: Any) -> RegisteredClient:
        client: RegisteredClient = self._protector.validate_request(
            [INTROSPECT_SCOPE], request
        ).client
        return client

    def check_permission(self, *_: Any) -> bool:
        return True  # the bearer's scope was permission enough

    def query_token(self, token_string: str, *_: Any) -> AccessToken | None:
        return self._authority.tokens.get(token_string)

    def introspect_token(self, token: AccessToken) -> dict[str, Any]:
        return {
            "active": True,
            "client_id": token.client.client_id,
            "token_type": "Bearer",
            "sub": token.client.subject,
            "aud": token.client.audience,
            "iss": self._authority.issuer,
            "jti": token.jti,
            "principalAttributes": token.client.principal,
            "iat": token.issued_at,
            "exp": token.expires_at,
            "nbf": token.issued_at,
            "scope": token.scope,
        }


class _Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib has no types
    CLIENT_AUTH_METHODS = (_METHOD,)

    def __init__(self, server: AuthorizationServer, authority: Authority) -> None:
        super().__init__(server)
        self._authority = authority

    def query_token(self, token_string: str, *_: Any) -> AccessToken | None:
        return self._authority.tokens.get(token_string)

    def revoke_token(self, token: AccessToken, *_: Any) -> None:
        token.is_given_back = True
