"""Assembly of the audit trail: its keys, the pseudonyms in it, and its investigation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.audit.investigation import Investigation
from registry.audit.log import AuditLog
from registry.audit.resumption import Resumption
from registry.audit.sealer import Sealer
from registry.audit.store.seal_bucket import SealStore
from registry.audit.trail import keys
from registry.domain.errors import SettingsError
from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring.clock import now
from registry.wiring.database import make_engine
from registry.wiring.pseudonyms import NoPseudonyms, make_pseudonyms
from registry.wiring.storage import make_seal_store
from registry.wiring.tls_files import require_tls_files

_END: Final = b"-----END PUBLIC KEY-----"


@dataclass(frozen=True)
class AuditServices:
    """What looks at the trail, through the worker's role."""

    investigation: Investigation
    dispose: Callable[[], None]


def assemble_audit(settings: Settings, operator: str | None = None) -> AuditServices:
    """Build them; public keys are enough. Connections are made on first use.

    Raises `SettingsError` for absent settings, and `KeyUnusable`.
    """
    require_tls_files(settings)
    keyring = load_keyring(settings)
    if not keyring:
        raise SettingsError(["REGISTRY_AUDIT_PUBLIC_KEYS: is needed here and not set"])
    store = make_seal_store(settings)
    pseudonyms = make_pseudonyms(settings) if settings.hash_key else NoPseudonyms()
    transactions = Transactions(make_engine(settings, "worker"), find_worker_fault)
    investigation = Investigation(
        transactions,
        store,
        keyring,
        load_private_key(settings) if settings.audit_key_path else None,
        AuditLog(pseudonyms, now, operator),
        load_former_pseudonyms(settings),
        now,
    )
    return AuditServices(investigation, transactions.engine.dispose)


def make_sealer(
    settings: Settings,
    transactions: Transactions,
    store: SealStore,
    now: Callable[[], datetime],
) -> Sealer:
    """Make the sealer; raises `SettingsError` when no key is set, and `KeyUnusable`."""
    return Sealer(
        transactions,
        store,
        load_private_key(settings),
        now,
        every=timedelta(seconds=settings.audit_seal_every),
        former_keys=load_keyring(settings),
    )


def assemble_resumption(settings: Settings, operator: str | None = None) -> Resumption:
    """Build what has sealing go on, through the owner's role; raises as `assemble_audit` does."""
    require_tls_files(settings)
    private_key, store = load_private_key(settings), make_seal_store(settings)
    # No e-Box is named in what it records.
    audit_log = AuditLog(NoPseudonyms(), now, operator)
    engine = make_engine(settings, "owner")
    return Resumption(engine, store, private_key, load_keyring(settings), audit_log, now)


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
