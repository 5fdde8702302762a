"""Access tokens of the stand-in, and the assertions that were spent on them; all in memory."""

import threading
import time
import uuid
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749 import TokenMixin

from registry.sandbox.federation.clients import RegisteredClient


@dataclass
class AccessToken(TokenMixin):  # type: ignore[misc] # Authlib has no types
    """An access token, opaque to whoever holds it."""

    text: str
    client: RegisteredClient
    scope: str
    expires_at: int
    issued_at: int = field(default_factory=lambda: int(time.time()))
    jti: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_given_back: bool = False

    def check_client(self, client: RegisteredClient) -> bool:
        """Tell if this token was issued to this client."""
        return client.client_id == self.client.client_id

    def get_scope(self) -> str:
        """Give the scopes, separated by spaces."""
        return self.scope

    def is_expired(self) -> bool:
        """Tell if the token has expired."""
        return time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        """Tell if its client gave the token back (RFC 7009)."""
        return self.is_given_back


class AssertionIds:
    """The ids of the assertions of each client, each remembered until the assertion expires."""

    def __init__(self) -> None:
        self._expiries: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def add(self, client_id: str, jti: str, expires_at: float) -> bool:
        """Remember this id; False when it was used before."""
        now = time.time()
        with self._lock:
            self._expiries = {key: end for key, end in self._expiries.items() if end > now}
            if (client_id, jti) in self._expiries:
                return False
            self._expiries[client_id, jti] = expires_at
            return True
