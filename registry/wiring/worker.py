"""Assembly of what runs by the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from registry.audit.filing import TrailFiling
from registry.audit.sealer import Sealer
from registry.domain.errors import SettingsError
from registry.services.clock_check import ClockCheck
from registry.services.consultation.ebox_sizes import EboxSizes
from registry.services.documents.adoption import Adoption
from registry.services.documents.check import StorageCheck
from registry.services.documents.repair import StorageRepair
from registry.services.events.administration import EventAdministration
from registry.services.events.delivery import EventDelivery
from registry.services.events.event_memory import EventMemory
from registry.services.events.reminders import Reminders
from registry.services.job_leases import JobLease
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.services.publication.routing import Routing
from registry.services.publication.sweep import Sweep
from registry.services.readiness import WorkerReadiness
from registry.services.retention.deletion_proofs import DeletionProofs
from registry.services.retention.document_check import DocumentCheck
from registry.services.retention.legal_holds import LegalHolds
from registry.services.retention.purge import Purge
from registry.settings import Settings
from registry.settings.fault import PREFIX
from registry.wiring import clock
from registry.wiring.audit import make_sealer
from registry.wiring.certificate_ends import find_certificate_ends
from registry.wiring.federation import make_event_reader, make_event_service, make_partition_api
from registry.wiring.operators import OperatorServices
from registry.wiring.storage import make_seal_store
from registry.wiring.tls_files import require_tls_files
from registry.wiring.traces import start_tracing

# Settings that the worker needs, and the web servers do not.
WORKER_FIELDS: Final = ("database_worker_url", "hash_key", "audit_bucket", "audit_key_path")


@dataclass(frozen=True)
class WorkerServices:
    """The services that look across e-Boxes, through the worker's role."""

    event_delivery: EventDelivery
    reminders: Reminders
    purge: Purge
    legal_holds: LegalHolds
    document_check: DocumentCheck
    event_administration: EventAdministration
    event_memory: EventMemory
    deletion_proofs: DeletionProofs
    routing: Routing
    broadcast_filing: BroadcastFiling
    sweep: Sweep
    storage_check: StorageCheck
    storage_repair: StorageRepair
    adoption: Adoption
    job_leases: JobLease
    clock_check: ClockCheck
    ebox_sizes: EboxSizes
    sealer: Sealer
    filing: TrailFiling
    readiness: WorkerReadiness
    find_certificate_ends: Callable[[], Mapping[str, datetime | None]]
    dispose: Callable[[], None]


def assemble_worker(settings: Settings, now: Callable[[], datetime] = clock.now) -> WorkerServices:
    """Build them; connections are made on first use.

    Raises `SettingsError` for what the worker needs and is not set, and `KeyUnusable`.
    """
    _require_settings(settings)
    require_tls_files(settings)
    start_tracing(settings)
    services = OperatorServices(settings, None, now)
    transactions, blobs, audit_log = services.transactions, services.blobs, services.audit_log
    seals = make_seal_store(settings)
    event_service, partition_api = make_event_service(settings), make_partition_api(settings)

    def dispose() -> None:
        event_service.close()
        partition_api.close()
        services.dispose()

    return WorkerServices(
        event_delivery=EventDelivery(
            transactions, event_service, now, settings.events_batch, settings.events_subject
        ),
        reminders=services.reminders,
        purge=services.purge,
        legal_holds=services.legal_holds,
        document_check=services.document_check,
        event_administration=services.event_administration,
        event_memory=services.event_memory,
        deletion_proofs=services.deletion_proofs,
        routing=Routing(transactions, partition_api, audit_log, make_event_reader(settings), now),
        broadcast_filing=BroadcastFiling(transactions, audit_log, now),
        sweep=services.sweep,
        storage_check=services.storage_check,
        storage_repair=services.storage_repair,
        adoption=services.adoption,
        job_leases=JobLease(transactions),
        clock_check=services.clock_check,
        ebox_sizes=EboxSizes(transactions, now),
        sealer=make_sealer(settings, transactions, seals, now),
        filing=TrailFiling(transactions),
        readiness=WorkerReadiness(transactions, blobs, seals),
        find_certificate_ends=partial(find_certificate_ends, settings),
        dispose=dispose,
    )


def _require_settings(settings: Settings) -> None:
    """Raise `SettingsError` with all that is needed here alone and missing."""
    missing = [name for name in WORKER_FIELDS if getattr(settings, name) is None]
    if missing:
        raise SettingsError(
            [f"{PREFIX}{name.upper()}: is needed here and not set" for name in missing]
        )
