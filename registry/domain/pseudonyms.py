"""Names of e-Boxes in records that outlive their messages, and seals: keyed hashes (4.20)."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from registry.domain.identifiers import Ebox

_SHORTEST: Final = 32  # characters of a key


class KeyTooShort(ValueError):
    """A key under 32 characters can be guessed, and with it every number of eleven digits."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """HMAC-SHA256 under one key; raises `KeyTooShort`.

    An SSIN has so few digits that a hash without a key would be undone in minutes.
    """

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < _SHORTEST:
            raise KeyTooShort(f"The hash key has less than {_SHORTEST} characters.")

    @property
    def key_id(self) -> str:
        """Eight hexadecimal digits that name the key, for the day that there are several."""
        return hashlib.sha256(f"key id/{self.key}".encode()).hexdigest()[:8]

    def seal_content(self, content: bytes) -> str:
        """Seal bytes as `key id:seal`, in hexadecimal: who has not the key cannot write others.

        No e-Box begins like what is hashed, so no seal is an e-Box's hash.
        """
        digest = hmac.digest(self.key.encode(), b"content/" + content, "sha256")
        return f"{self.key_id}:{digest.hex()}"

    def hash_ebox(self, ebox: Ebox) -> str:
        """Hash an e-Box as `key id:hash`, in hexadecimal; always the same under one key."""
        digest = hmac.digest(self.key.encode(), ebox.key.encode(), "sha256")
        return f"{self.key_id}:{digest.hex()}"
