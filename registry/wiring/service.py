"""Assembly of the service, as the web servers have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from registry.audit.log import AuditLog
from registry.blobs.s3 import S3Blobs
from registry.domain.access import ScopeTable
from registry.domain.identifiers import EboxKind
from registry.federation.introspection import Introspection
from registry.federation.partition_api import PartitionApi
from registry.federation.unconfigured import NoPartitionApi
from registry.services.consultation.consultation import Consultation
from registry.services.consultation.message_updates import MessageUpdates
from registry.services.consultation.partition_rights import PartitionRights
from registry.services.health_monitor import HealthMonitor
from registry.services.mandates import Mandates
from registry.services.publication.broadcast import Broadcast
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.services.publication.filing import Filing, PreferenceService
from registry.services.publication.publication import Publication
from registry.services.publication.records import PublicationRecords
from registry.services.publication.routing import Routing
from registry.services.publication.uploads import Uploads
from registry.services.readiness import Readiness
from registry.services.reference_data import ReferenceData
from registry.settings import Settings
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.transactions import Transactions
from registry.wiring.clock import now
from registry.wiring.database import make_engine
from registry.wiring.federation import (
    Observe,
    make_event_reader,
    make_introspection,
    make_partition_api,
    make_preferences_client,
)
from registry.wiring.pseudonyms import make_pseudonyms
from registry.wiring.scanner import make_scanner
from registry.wiring.storage import make_document_store


@dataclass(frozen=True)
class Registry:
    """The assembled service. `roots` are the public URLs of the two families of e-Boxes."""

    introspection: Introspection
    scopes: Mapping[EboxKind, ScopeTable]
    mandates: Mandates
    consultation: Consultation
    message_updates: MessageUpdates
    reference_data: ReferenceData
    uploads: Uploads
    publication: Publication
    broadcast: Broadcast
    routing: Routing
    health: HealthMonitor
    roots: Mapping[EboxKind, str]
    dispose: Callable[[], None]

    @property
    def readiness(self) -> Readiness:
        """The checks of all that calls need."""
        return self.health.readiness

    def base_url(self, kind: EboxKind, version: str) -> str:
        """The public URL of a version for a family of e-Boxes, without a slash at its end."""
        return f"{self.roots[kind]}/{version}"


def assemble(settings: Settings, observe: Observe) -> Registry:
    """Build the service; connections are made on first use.

    `observe` is told of each introspection how it ended, and its seconds. Raises `KeyUnusable`
    when our key cannot be used, and `SettingsError` for a hash key that will not do.
    """
    transactions = Transactions(make_engine(settings))
    blobs = make_document_store(settings)
    introspection = make_introspection(settings, observe)
    partition_api, preferences = make_partition_api(settings), make_preferences_client(settings)
    scopes = settings.scope_tables
    # Only enterprises have mandates, whichever family of e-Boxes they publish to.
    mandates = Mandates(partition_api, scopes[EboxKind.ENTERPRISE], settings.mandate_consultation)
    partition_rights = _make_partition_rights(settings, transactions, partition_api)
    audit_log = AuditLog(make_pseudonyms(settings), now)
    consultation = _make_consultation(settings, transactions, partition_rights, audit_log, blobs)
    routing = Routing(transactions, partition_api, audit_log, make_event_reader(settings), now)
    filing = _make_filing(transactions, routing, audit_log, preferences, blobs)
    health = _make_health(settings, transactions, audit_log, blobs, introspection)

    def dispose() -> None:
        # These first: what they still do may want a connection to the database.
        for part in (health, introspection, partition_api, preferences):
            part.close()
        transactions.engine.dispose()

    return Registry(
        introspection=introspection,
        scopes=scopes,
        mandates=mandates,
        consultation=consultation,
        message_updates=MessageUpdates(partition_rights, audit_log, now),
        reference_data=ReferenceData(transactions, audit_log),
        uploads=Uploads(transactions, blobs, make_scanner(settings)),
        publication=Publication(
            consultation, filing, mandates, scopes[EboxKind.ENTERPRISE], settings.single_language
        ),
        broadcast=_make_broadcast(settings, transactions, audit_log),
        routing=routing,
        health=health,
        roots=_make_roots(settings),
        dispose=dispose,
    )


def _make_consultation(
    settings: Settings,
    transactions: Transactions,
    partition_rights: PartitionRights,
    audit_log: AuditLog,
    blobs: S3Blobs,
) -> Consultation:
    sizes, soon = KnownSizes(settings.large_ebox_messages), settings.soon_expiring_days
    return Consultation(transactions, partition_rights, audit_log, blobs, now, soon, sizes)


def _make_filing(
    transactions: Transactions,
    routing: Routing,
    audit_log: AuditLog,
    preferences: PreferenceService,
    blobs: S3Blobs,
) -> Filing:
    records = PublicationRecords(blobs, audit_log.pseudonyms)
    return Filing(transactions, routing, audit_log, preferences, records, now)


def _make_health(
    settings: Settings,
    transactions: Transactions,
    audit_log: AuditLog,
    blobs: S3Blobs,
    introspection: Introspection,
) -> HealthMonitor:
    memory = settings.token_cache_reads
    return HealthMonitor(Readiness.assemble(transactions, audit_log, blobs, introspection, memory))


def _make_roots(settings: Settings) -> dict[EboxKind, str]:
    return {
        EboxKind.ENTERPRISE: settings.public_url + settings.enterprise_base_path,
        EboxKind.CITIZEN: settings.public_url + settings.citizen_base_path,
    }


def _make_broadcast(
    settings: Settings, transactions: Transactions, audit_log: AuditLog
) -> Broadcast:
    filing = BroadcastFiling(transactions, audit_log, now)
    return Broadcast(transactions, filing, audit_log, now, settings.checks_digits)


def _make_partition_rights(
    settings: Settings,
    transactions: Transactions,
    partition_api: PartitionApi | NoPartitionApi,
) -> PartitionRights:
    return PartitionRights(
        transactions,
        partition_api,
        settings.scope_tables[EboxKind.ENTERPRISE],
        fresh_for=timedelta(seconds=settings.partition_rights_ttl),
        grace=timedelta(seconds=settings.partition_rights_grace),
        now=now,
    )
