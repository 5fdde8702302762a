"""Assembly of what runs by the clock, and of what operators type about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from registry.federation.rules import read_rules
from registry.services.delivering import Delivering
from registry.services.holding import Holding
from registry.services.monitoring import WorkerMonitoring
from registry.services.proving import Proving
from registry.services.recording import Recording
from registry.services.reminding import Reminding
from registry.services.retaining import Retaining
from registry.services.routing import Routing
from registry.services.sealing import Sealing
from registry.services.staging import Staging
from registry.services.tending import Tending
from registry.services.turns import Turns
from registry.settings import PREFIX, Settings, SettingsError
from registry.store.base import Transactions
from registry.wiring import federal, signing
from registry.wiring.clock import now
from registry.wiring.naming import pseudonyms
from registry.wiring.proving import proving
from registry.wiring.storage import database, documents, seal_store


@dataclass(frozen=True)
class Clockwork:
    """The services that look across e-Boxes, through the worker's role."""

    delivering: Delivering
    reminding: Reminding
    retaining: Retaining
    holding: Holding
    tending: Tending
    routing: Routing
    staging: Staging
    turns: Turns
    sealing: Sealing
    proving: Proving
    monitoring: WorkerMonitoring
    dispose: Callable[[], None]


def assemble_clockwork(settings: Settings) -> Clockwork:
    """Build them; connections are made on first use.

    Raises `SettingsError` for what the worker needs and is not set, and `KeyUnusable`.
    """
    _demand(settings)
    names = pseudonyms(settings)
    recording = Recording(names, now)
    private_key = signing.private_key(settings)
    seals = seal_store(settings)
    transactions = Transactions(database(settings, "worker"))
    blobs = documents(settings)
    events, partitions = federal.event_service(settings), federal.partition_service(settings)

    def dispose() -> None:
        events.close()
        partitions.close()
        transactions.engine.dispose()

    return Clockwork(
        delivering=Delivering(
            transactions, events, now, settings.events_batch, settings.events_subject
        ),
        reminding=Reminding(
            transactions,
            now,
            timedelta(days=settings.reminder_days),
            timedelta(days=settings.alert_days),
        ),
        retaining=Retaining(transactions, blobs, recording, names, now),
        holding=Holding(transactions, blobs, recording, now),
        tending=Tending(transactions, recording, now),
        routing=Routing(transactions, partitions, recording, read_rules, now),
        staging=Staging(transactions, blobs, None, now),
        turns=Turns(transactions),
        sealing=Sealing(transactions, seals, private_key, now),
        proving=proving(settings, transactions, recording),
        monitoring=WorkerMonitoring(transactions, blobs, seals),
        dispose=dispose,
    )


def _demand(settings: Settings) -> None:
    """Raise `SettingsError` with all that is needed here alone and missing."""
    names = ("database_worker_url", "hash_key", "audit_bucket", "audit_key_path")
    missing = [name for name in names if getattr(settings, name) is None]
    if missing:
        raise SettingsError(
            [f"{PREFIX}{name.upper()}: is needed here and not set" for name in missing]
        )
