"""Assembly of what runs by the clock, and of what operators type about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from registry.audit.log import AuditLog
from registry.audit.sealer import Sealer
from registry.blobs.objects import StoredObjects
from registry.blobs.s3 import S3Blobs
from registry.domain.errors import SettingsError
from registry.domain.pseudonyms import Pseudonyms
from registry.services.clock_check import ClockCheck
from registry.services.documents.adoption import Adoption
from registry.services.documents.check import StorageCheck
from registry.services.documents.repair import StorageRepair
from registry.services.events.administration import EventAdministration
from registry.services.events.delivery import EventDelivery
from registry.services.events.reminders import Reminders
from registry.services.job_leases import JobLease
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.services.publication.records import PublicationRecords
from registry.services.publication.routing import Routing
from registry.services.publication.sweep import Sweep
from registry.services.readiness import WorkerReadiness
from registry.services.retention.document_check import DocumentCheck
from registry.services.retention.legal_holds import LegalHolds
from registry.services.retention.purge import Purge
from registry.settings import Settings
from registry.settings.fault import PREFIX
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring import clock
from registry.wiring.audit import make_pseudonyms, make_sealer
from registry.wiring.database import make_engine
from registry.wiring.federation import make_event_reader, make_event_service, make_partition_api
from registry.wiring.storage import make_document_store, make_seal_store
from registry.wiring.tls_files import require_tls_files

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
    routing: Routing
    broadcast_filing: BroadcastFiling
    sweep: Sweep
    storage_check: StorageCheck
    storage_repair: StorageRepair
    adoption: Adoption
    job_leases: JobLease
    clock_check: ClockCheck
    sealer: Sealer
    readiness: WorkerReadiness
    dispose: Callable[[], None]


def assemble_worker(
    settings: Settings, now: Callable[[], datetime] = clock.now, *, operator: str | None = None
) -> WorkerServices:
    """Build them; connections are made on first use. `operator` is who types a command.

    Raises `SettingsError` for what the worker needs and is not set, and `KeyUnusable`.
    """
    _require_settings(settings)
    require_tls_files(settings)
    pseudonyms = make_pseudonyms(settings)
    audit_log = AuditLog(pseudonyms, now, operator)
    seals = make_seal_store(settings)
    transactions = Transactions(make_engine(settings, "worker"), find_worker_fault)
    blobs = make_document_store(settings)
    event_service, partition_api = make_event_service(settings), make_partition_api(settings)

    def dispose() -> None:
        event_service.close()
        partition_api.close()
        transactions.engine.dispose()

    return WorkerServices(
        event_delivery=EventDelivery(
            transactions, event_service, now, settings.events_batch, settings.events_subject
        ),
        reminders=_make_reminders(settings, transactions, now),
        purge=Purge(transactions, blobs, audit_log, pseudonyms, now),
        legal_holds=LegalHolds(transactions, blobs, audit_log, now),
        document_check=_make_document_check(settings, transactions, blobs),
        event_administration=EventAdministration(transactions, audit_log, now),
        routing=Routing(transactions, partition_api, audit_log, make_event_reader(settings), now),
        broadcast_filing=BroadcastFiling(transactions, audit_log, now),
        sweep=Sweep(transactions, blobs),
        storage_check=_make_storage_check(transactions, blobs, pseudonyms, now),
        storage_repair=StorageRepair(transactions, StoredObjects(blobs), audit_log, now),
        adoption=_make_adoption(transactions, blobs, audit_log, now),
        job_leases=JobLease(transactions),
        clock_check=ClockCheck(transactions, now),
        sealer=make_sealer(settings, transactions, seals, now),
        readiness=WorkerReadiness(transactions, blobs, seals),
        dispose=dispose,
    )


def _make_reminders(
    settings: Settings, transactions: Transactions, now: Callable[[], datetime]
) -> Reminders:
    days = timedelta(days=settings.reminder_days), timedelta(days=settings.alert_days)
    return Reminders(transactions, now, *days)


def _make_document_check(
    settings: Settings, transactions: Transactions, blobs: S3Blobs
) -> DocumentCheck:
    days, rate = settings.document_check_days, settings.document_check_rate
    return DocumentCheck(transactions, blobs, days, rate)


def _make_storage_check(
    transactions: Transactions,
    blobs: S3Blobs,
    pseudonyms: Pseudonyms,
    now: Callable[[], datetime],
) -> StorageCheck:
    needs_lock = blobs.retention is not None
    return StorageCheck(transactions, StoredObjects(blobs), needs_lock, pseudonyms, now)


def _make_adoption(
    transactions: Transactions, blobs: S3Blobs, audit_log: AuditLog, now: Callable[[], datetime]
) -> Adoption:
    records = PublicationRecords(blobs, audit_log.pseudonyms)
    return Adoption(transactions, StoredObjects(blobs), records, audit_log, now)


def _require_settings(settings: Settings) -> None:
    """Raise `SettingsError` with all that is needed here alone and missing."""
    missing = [name for name in WORKER_FIELDS if getattr(settings, name) is None]
    if missing:
        raise SettingsError(
            [f"{PREFIX}{name.upper()}: is needed here and not set" for name in missing]
        )
