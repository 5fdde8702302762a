"""Assembly of the keys of the audit trail, out of the files that settings name."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.audit.trail import keys
from registry.domain.errors import KeyUnusable, SettingsError
from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.settings import Settings

_END: Final = b"-----END PUBLIC KEY-----"


def load_former_pseudonyms(settings: Settings) -> tuple[Pseudonyms, ...]:
    """Load the keys that the hash key was before: the lines of a file."""
    path = settings.audit_former_hash_keys
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(Pseudonyms(line.strip()) for line in lines if line.strip())
    except OSError as error:
        raise KeyUnusable(path, (error.strerror or "it is unreadable").lower()) from None
    except UnicodeDecodeError:
        raise KeyUnusable(path, "it is not UTF-8") from None
    except KeyTooShort:
        raise KeyUnusable(path, "one of its lines is too short for a key") from None


def load_private_key(settings: Settings) -> Ed25519PrivateKey:
    """Load the key that signs; raises `SettingsError` when none is set, and `KeyUnusable`."""
    path = settings.audit_key_path
    if path is None:
        raise SettingsError(["REGISTRY_AUDIT_KEY_PATH: is needed here and not set"])
    try:
        return keys.parse_private_key(_read_file(path))
    except keys.NoKey:
        raise KeyUnusable(path, "it is not an Ed25519 private key in PEM") from None


def load_keyring(settings: Settings) -> keys.Keys:
    """Load the public keys to verify with: ours, where it is set, and those that signed before.

    Raises `KeyUnusable`.
    """
    ours = [load_private_key(settings).public_key()] if settings.audit_key_path else []
    former = settings.audit_public_keys
    return keys.make_keyring([*ours, *(_load_public_keys(former) if former else [])])


def _load_public_keys(path: Path) -> list[Ed25519PublicKey]:
    """Load all keys of a file with PEM blocks one after the other."""
    # What comes after the last block is left out, such as the line break at the end.
    blocks = [block + _END for block in _read_file(path).split(_END)[:-1]]
    try:
        public_keys = [keys.parse_public_key(block) for block in blocks]
    except keys.NoKey:
        public_keys = []
    if not public_keys:
        raise KeyUnusable(path, "it has no, or not only, Ed25519 public keys in PEM")
    return public_keys


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyUnusable(path, (error.strerror or "it is unreadable").lower()) from None
