"""What the stand-ins know: everything from files but tokens, which are in memory."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin

from registry.sandbox.federation.addresses import AUDIENCE

ENTERPRISE_CLAIM = "urn:be:fgov:kbo-bce:organization:cbe-number"
PERSON_CLAIM = "urn:be:fgov:person:ssin"


class JsonFile:
    """A JSON object that is read again whenever the file changes, as data of others may."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._content: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """The member of this name, None when there is none."""
        with self._lock:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._content = json.loads(self._path.read_text())
                self._stamp = stamp
        return self._content.get(key)


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """A registration: whose key it is and what the token of this client says.

    `key` is the public key as a JWK with its `alg`. `lifetime` of its tokens is in seconds.
    """

    client_id: str
    key: dict[str, Any]
    subject: str
    scopes: tuple[str, ...]
    enterprise: str | None = None
    person: str | None = None
    audience: str = AUDIENCE
    lifetime: int = 3600

    @classmethod
    def from_json(cls, client_id: str, registration: dict[str, Any]) -> "Client":
        """Read one member of clients.json."""
        return cls(client_id, **{**registration, "scopes": tuple(registration["scopes"])})

    @property
    def principal(self) -> dict[str, list[str]]:
        """The principal attributes; the enterprise number loses leading zeros (contract 3.1)."""
        attributes: dict[str, list[str]] = {}
        if self.enterprise:
            attributes[ENTERPRISE_CLAIM] = [self.enterprise.lstrip("0")]
        if self.person:
            attributes[PERSON_CLAIM] = [self.person]
        return attributes

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's
        """Signed assertions are the only way in: no other method is ever offered."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """Client credentials are for everybody."""
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All that is granted when nothing is asked; None when too much is."""
        if not scope:
            return " ".join(self.scopes)
        asked = scope.split()
        return " ".join(asked) if set(asked) <= set(self.scopes) else None


@dataclass
class Token(TokenMixin):  # type: ignore[misc] # Authlib has no types
    """An access token, opaque to whoever holds it."""

    text: str
    client: Client
    scope: str
    expires_at: int
    issued_at: int = field(default_factory=lambda: int(time.time()))
    jti: str = field(default_factory=lambda: str(uuid.uuid4()))
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        """Whether it was issued to this client."""
        return client.client_id == self.client.client_id

    def get_scope(self) -> str:
        """The scopes, separated by spaces."""
        return self.scope

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        """Whether its client gave it back."""
        return self.revoked


class Once:
    """The ids of assertions seen, each remembered until the assertion expires."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def first(self, client_id: str, jti: str, expires_at: float) -> bool:
        """Whether this is the first use."""
        now = time.time()
        with self._lock:
            self._seen = {key: end for key, end in self._seen.items() if end > now}
            if (client_id, jti) in self._seen:
                return False
            self._seen[client_id, jti] = expires_at
            return True
