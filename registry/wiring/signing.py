"""The keys of the audit trail: ours that signs, and all that ever did."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.domain.audit import keys
from registry.federation.keys import KeyUnusable
from registry.settings import Settings, SettingsError

_END: Final = b"-----END PUBLIC KEY-----"


def private_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that signs; raises `SettingsError` when none is set, and `KeyUnusable`."""
    path = settings.audit_key_path
    if path is None:
        raise SettingsError(["REGISTRY_AUDIT_KEY_PATH: is needed here and not set"])
    try:
        return keys.read_private(_content(path))
    except keys.NoKey:
        raise KeyUnusable(path, "it is not an Ed25519 private key in PEM") from None


def keyring(settings: Settings) -> keys.Keys:
    """The public keys to verify with: of ours, where it is set, and those that signed before.

    Raises `KeyUnusable`.
    """
    ours = [private_key(settings).public_key()] if settings.audit_key_path else []
    former = settings.audit_public_keys
    return keys.keyring([*ours, *(_public_keys(former) if former else [])])


def _public_keys(path: Path) -> list[Ed25519PublicKey]:
    """All of a file with PEM blocks one after the other."""
    blocks = [block + _END for block in _content(path).split(_END)[:-1]]
    try:
        found = [keys.read_public(block) for block in blocks]
    except keys.NoKey:
        found = []
    if not found:
        raise KeyUnusable(path, "it has no, or not only, Ed25519 public keys in PEM")
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyUnusable(path, (error.strerror or "it is unreadable").lower()) from None
