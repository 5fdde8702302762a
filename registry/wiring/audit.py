"""Assembly of the audit trail: its keys, its names for people, and what investigates it."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.audit.investigation import Investigation
from registry.audit.log import AuditLog
from registry.audit.trail import keys
from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings, SettingsError
from registry.store.schema import Transactions
from registry.wiring.clock import now
from registry.wiring.storage import seal_store

_END: Final = b"-----END PUBLIC KEY-----"


def pseudonyms(settings: Settings) -> Pseudonyms:
    """Keyed hashes under the key of the settings; raises `SettingsError` when it will not do."""
    if settings.hash_key is None:
        raise SettingsError(["REGISTRY_HASH_KEY: is needed and not set"])
    try:
        return Pseudonyms(settings.hash_key.get_secret_value())
    except KeyTooShort as error:
        raise SettingsError([f"REGISTRY_HASH_KEY: {error}"]) from None


def investigation(
    settings: Settings, transactions: Transactions, audit_log: AuditLog
) -> Investigation:
    """Build it; raises `SettingsError` for what is not set, and `KeyUnusable`."""
    return Investigation(
        transactions,
        seal_store(settings),
        keyring(settings),
        private_key(settings),
        audit_log,
        _former(settings),
        now,
    )


def _former(settings: Settings) -> tuple[Pseudonyms, ...]:
    """The keys that the hash key was before: the lines of a file."""
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
