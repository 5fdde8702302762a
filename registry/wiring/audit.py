"""Assembly of the audit trail: its keys, the pseudonyms in it, and its investigation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.audit.investigation import Investigation
from registry.audit.log import AuditLog
from registry.audit.resumption import Resumption
from registry.audit.sealer import Sealer
from registry.audit.store.seal_bucket import SealStore
from registry.domain.errors import SettingsError
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions, refuse_operators
from registry.wiring.clock import now
from registry.wiring.database import make_engine
from registry.wiring.pseudonyms import NoPseudonyms, make_pseudonyms
from registry.wiring.storage import make_seal_store
from registry.wiring.tls_files import require_tls_files
from registry.wiring.trail_keys import load_former_pseudonyms, load_keyring, load_private_key


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
    transactions = Transactions(
        make_engine(settings, "worker"), find_worker_fault, refuse_operators
    )
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
