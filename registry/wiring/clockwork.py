"""Assembly of what runs by the clock, and of what operators type about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.federation.rules import read_rules
from registry.services.delivering import Delivering
from registry.services.holding import Holding
from registry.services.monitoring import WorkerMonitoring
from registry.services.reminding import Reminding
from registry.services.retaining import Retaining
from registry.services.routing import Routing
from registry.services.staging import Staging
from registry.services.tending import Tending
from registry.services.turns import Turns
from registry.settings import Settings, SettingsError
from registry.store.base import Transactions
from registry.wiring import federal
from registry.wiring.clock import now
from registry.wiring.storage import database, documents


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
    monitoring: WorkerMonitoring
    dispose: Callable[[], None]


def assemble_clockwork(settings: Settings) -> Clockwork:
    """Build them; connections are made on first use.

    Raises `SettingsError` for what the worker needs and is not set, and `KeyUnusable`.
    """
    pseudonyms = _pseudonyms(settings)
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
        retaining=Retaining(transactions, blobs, pseudonyms, now),
        holding=Holding(transactions, blobs, now),
        tending=Tending(transactions, now),
        routing=Routing(transactions, partitions, read_rules, now),
        staging=Staging(transactions, blobs, None, now),
        turns=Turns(transactions),
        monitoring=WorkerMonitoring(transactions, blobs),
        dispose=dispose,
    )


def _pseudonyms(settings: Settings) -> Pseudonyms:
    if settings.hash_key is None:
        raise SettingsError(["REGISTRY_HASH_KEY: is needed here and not set"])
    try:
        return Pseudonyms(settings.hash_key.get_secret_value())
    except KeyTooShort as error:
        raise SettingsError([f"REGISTRY_HASH_KEY: {error}"]) from None
