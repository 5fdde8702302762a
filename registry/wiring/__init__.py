"""Assembly: the only room that knows every concrete class, and the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from registry.blobs.clamd import Clamd
from registry.domain.access import ScopeTable
from registry.domain.identifiers import EboxKind
from registry.federation.introspection import Introspection
from registry.federation.partitions import PartitionService
from registry.federation.rules import read_rules
from registry.federation.unconfigured import NoPartitionService
from registry.services.broadcasting import Broadcasting
from registry.services.cataloguing import Cataloguing
from registry.services.consulting import Consulting
from registry.services.filing import Filing
from registry.services.marking import Marking
from registry.services.monitoring import Monitoring
from registry.services.permitting import Permitting
from registry.services.publishing import Publishing
from registry.services.recording import Recording
from registry.services.routing import Routing
from registry.services.staging import Staging
from registry.settings import Settings
from registry.store.base import Transactions
from registry.wiring import federal
from registry.wiring.clock import now
from registry.wiring.naming import pseudonyms
from registry.wiring.storage import database, documents, s3_client

__all__ = ["Registry", "assemble", "database", "documents", "s3_client"]


@dataclass(frozen=True)
class Registry:
    """The assembled service. `roots` are the public URLs of the two families of e-Boxes."""

    introspection: Introspection
    scopes: ScopeTable
    consulting: Consulting
    marking: Marking
    cataloguing: Cataloguing
    staging: Staging
    publishing: Publishing
    broadcasting: Broadcasting
    routing: Routing
    monitoring: Monitoring
    roots: Mapping[EboxKind, str]
    dispose: Callable[[], None]

    def base_url(self, kind: EboxKind, version: str) -> str:
        """The public URL of a version for a family of e-Boxes, without a slash at its end."""
        return f"{self.roots[kind]}/{version}"


def assemble(settings: Settings, observe: federal.Observe) -> Registry:
    """Build the service; connections are made on first use.

    `observe` hears of each introspection. Raises `KeyUnusable` when our key cannot be used, and
    `SettingsError` for a hash key that will not do.
    """
    transactions = Transactions(database(settings))
    blobs = documents(settings)
    introspection = federal.introspection(settings, observe)
    federation, preferences = federal.partition_service(settings), federal.preferences(settings)
    scopes = settings.scope_table
    permitting = _permitting(settings, transactions, federation)
    recording = Recording(pseudonyms(settings), now)
    consulting = Consulting(
        transactions, permitting, recording, blobs, now, settings.soon_expiring_days
    )
    routing = Routing(transactions, federation, recording, read_rules, now)
    filing = Filing(transactions, routing, recording, preferences, now)

    def dispose() -> None:
        introspection.close()
        federation.close()
        preferences.close()
        transactions.engine.dispose()

    return Registry(
        introspection=introspection,
        scopes=scopes,
        consulting=consulting,
        marking=Marking(permitting, recording, federation, now),
        cataloguing=Cataloguing(transactions, recording),
        staging=Staging(transactions, blobs, _scanner(settings), now),
        publishing=Publishing(consulting, filing, federation, scopes, settings.single_language),
        broadcasting=Broadcasting(transactions, routing, recording, now, settings.checks_digits),
        routing=routing,
        monitoring=Monitoring(transactions, blobs),
        roots=_roots(settings),
        dispose=dispose,
    )


def _roots(settings: Settings) -> dict[EboxKind, str]:
    return {
        EboxKind.ENTERPRISE: settings.public_url + settings.enterprise_base_path,
        EboxKind.CITIZEN: settings.public_url + settings.citizen_base_path,
    }


def _permitting(
    settings: Settings,
    transactions: Transactions,
    federation: PartitionService | NoPartitionService,
) -> Permitting:
    return Permitting(
        transactions,
        federation,
        settings.scope_table,
        fresh_for=timedelta(seconds=settings.partition_rights_ttl),
        grace=timedelta(seconds=settings.partition_rights_grace),
        now=now,
    )


def _scanner(settings: Settings) -> Clamd | None:
    address = settings.clamd_address
    return Clamd.at(address, settings.clamd_timeout) if address else None
