"""Registrations at the authorization server: who may ask it for tokens, and with which key."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from authlib.oauth2.rfc6749 import ClientMixin

from registry.sandbox.federation.addresses import AUDIENCE
from registry.sandbox.federation.records import JsonFile
from registry.sandbox.files import write_private

ENTERPRISE_CLAIM: Final = "urn:be:fgov:kbo-bce:organization:cbe-number"
PERSON_CLAIM: Final = "urn:be:fgov:person:ssin"
# A client_id comes from whoever asks for a token: none of these can lead out of the folder.
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


@dataclass(frozen=True)
class RegisteredClient(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """A registration: the public key of a client, and the claims of its tokens.

    `key` is a JWK with its `alg`. `lifetime` of the tokens is in seconds.
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
    def from_json(cls, client_id: str, registration: dict[str, Any]) -> "RegisteredClient":
        """Read one member of clients.json, or the content of a file of `clients`."""
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
        """All granted scopes when none is requested; None when one too many is."""
        if not scope:
            return " ".join(self.scopes)
        scopes = scope.split()
        return " ".join(scopes) if set(scopes) <= set(self.scopes) else None


class ClientRegister:
    """All registrations in a directory: members of clients.json, and files of `clients`.

    The personas are in clients.json. `clients/CLIENT_ID.json` holds one client more, so that
    adding the thousandth costs as little as adding the first; it precedes a member of that name.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = _client_folder(directory)
        self._personas = JsonFile(directory / "clients.json")

    def find_client(self, client_id: str) -> RegisteredClient | None:
        """Look the registration up; None when this client is unknown."""
        registration = self._load_file(client_id) or self._personas.get(client_id)
        return RegisteredClient.from_json(client_id, registration) if registration else None

    def _load_file(self, client_id: str) -> Any:
        if not _FILE_NAME.fullmatch(client_id):
            return None
        try:
            return json.loads((self._folder / f"{client_id}.json").read_text())
        except FileNotFoundError:
            return None


def add_client(directory: Path, client_id: str, registration: dict[str, Any]) -> None:
    """Register one client with the stand-in over `directory`, at once and while it runs.

    `registration` has the members of `RegisteredClient` but `client_id`. Raises `ValueError` for
    an id that is no file name.
    """
    if not _FILE_NAME.fullmatch(client_id):
        raise ValueError(f"{client_id!r} cannot be the name of a file.")
    write_private(_client_folder(directory) / f"{client_id}.json", json.dumps(registration))


def _client_folder(directory: Path) -> Path:
    return directory / "clients"
