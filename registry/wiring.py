"""Assembly: the only room that knows every concrete class, and the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import orjson
from botocore.config import Config
from sqlalchemy import Engine, create_engine

from registry.blobs.clamd import Clamd
from registry.blobs.s3 import S3Blobs
from registry.domain.access import ScopeTable
from registry.domain.identifiers import EboxKind
from registry.federation.breaker import Breaker
from registry.federation.claims import Expected
from registry.federation.http import Upstream
from registry.federation.introspection import Introspection
from registry.federation.keys import load_key
from registry.federation.memory import Lifetimes, Memory
from registry.federation.oauth import Identity, OwnToken
from registry.federation.partitions import PartitionService
from registry.federation.preferences import Preferences
from registry.federation.rules import read_rules
from registry.federation.unconfigured import NoPartitionService, NoPreferences
from registry.services.broadcasting import Broadcasting
from registry.services.cataloguing import Cataloguing
from registry.services.consulting import Consulting
from registry.services.filing import Filing
from registry.services.monitoring import Monitoring
from registry.services.permitting import Permitting
from registry.services.publishing import Publishing
from registry.services.routing import Routing
from registry.services.staging import Staging
from registry.settings import Settings
from registry.store.base import Transactions

Observe = Callable[[str, float], None]

_APPLICATION: Final = "ebox-message-registry"  # how PostgreSQL's views name our connections


@dataclass(frozen=True)
class Registry:
    """The assembled service. `roots` are the public URLs of the two families of e-Boxes."""

    introspection: Introspection
    scopes: ScopeTable
    consulting: Consulting
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


def assemble(settings: Settings, observe: Observe) -> Registry:
    """Build the service; connections are made on first use.

    `observe` hears of each introspection. Raises `KeyUnusable` when our key cannot be used.
    """
    transactions = Transactions(database(settings))
    blobs = S3Blobs(s3_client(settings), settings.s3_bucket, _encryption(settings))
    introspection = _introspection(settings, observe)
    federation, preferences = _partition_service(settings), _preferences(settings)
    scopes = settings.scope_table
    permitting = _permitting(settings, transactions, federation)
    consulting = Consulting(transactions, permitting, blobs, _now, settings.soon_expiring_days)
    routing = Routing(transactions, federation, read_rules, _now)
    filing = Filing(transactions, routing, preferences, _now)

    def dispose() -> None:
        introspection.close()
        federation.close()
        preferences.close()
        transactions.engine.dispose()

    return Registry(
        introspection=introspection,
        scopes=scopes,
        consulting=consulting,
        cataloguing=Cataloguing(transactions),
        staging=Staging(transactions, blobs, _scanner(settings), _now),
        publishing=Publishing(consulting, filing, federation, scopes, settings.single_language),
        broadcasting=Broadcasting(transactions, routing, _now, settings.checks_digits),
        routing=routing,
        monitoring=Monitoring(transactions, blobs),
        roots=_roots(settings),
        dispose=dispose,
    )


def database(settings: Settings, *, owner: bool = False) -> Engine:
    """PostgreSQL through the application's role, for `Transactions`, or the owner's."""
    url = settings.database_owner_url if owner else settings.database_url
    if url is None:
        raise ValueError("REGISTRY_DATABASE_OWNER_URL is not set")
    timeout = int(settings.database_statement_timeout * 1000)
    options: dict[str, Any] = {} if owner else {"options": f"-c statement_timeout={timeout}"}
    if not settings.database_prepare:
        options["prepare_threshold"] = None
    return create_engine(
        url.get_secret_value(),
        isolation_level=None if owner else "AUTOCOMMIT",
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.database_pool_timeout,
        connect_args={"application_name": _APPLICATION, "connect_timeout": 5, **options},
        json_deserializer=orjson.loads,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        hide_parameters=True,  # an error's text must not carry an SSIN or a text searched for
    )


def s3_client(settings: Settings) -> Any:
    """A client for the document store, shared by all threads."""
    secret = settings.s3_secret_key
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            s3={"addressing_style": settings.s3_addressing},
            request_checksum_calculation=settings.s3_checksums,
            response_checksum_validation=settings.s3_checksums,
            connect_timeout=settings.s3_timeout,
            read_timeout=settings.s3_timeout,
            retries={"mode": "standard", "max_attempts": 2},
            max_pool_connections=4 * settings.database_pool_size,
        ),
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
        now=_now,
    )


def _encryption(settings: Settings) -> dict[str, str]:
    """What asks for server-side encryption, with whose key."""
    asked = {
        "ServerSideEncryption": settings.s3_encryption,
        "SSEKMSKeyId": settings.s3_encryption_key,
    }
    return {name: value for name, value in asked.items() if value}


def _introspection(settings: Settings, observe: Observe) -> Introspection:
    return Introspection(
        settings.oauth_introspect_url,
        _own_token(settings, settings.oauth_introspect_scope),
        Upstream(
            "introspection", timeout=settings.oauth_timeout, ca_bundle=settings.oauth_ca_bundle
        ),
        Expected(
            settings.enterprise_claim,
            settings.person_claim,
            settings.token_issuer,
            settings.token_audience,
        ),
        Memory(
            Lifetimes(
                settings.token_cache_reads,
                settings.token_cache_writes,
                settings.token_cache_refusals,
            ),
            settings.token_cache_size,
            _now,
        ),
        Breaker(settings.breaker_failures, settings.breaker_pause),
        _now,
        observe,
    )


def _partition_service(settings: Settings) -> PartitionService | NoPartitionService:
    if settings.partition_url is None:
        return NoPartitionService()
    return PartitionService(
        settings.partition_url,
        _own_token(settings, None),
        Upstream(
            "partition service",
            timeout=settings.partition_timeout,
            ca_bundle=settings.oauth_ca_bundle,
            certificate=settings.federation_certificate,
        ),
        Breaker(settings.breaker_failures, settings.breaker_pause),
        settings.partition_rights_path,
        settings.partition_list_path,
        settings.partition_mandate_swapped,
    )


def _preferences(settings: Settings) -> Preferences | NoPreferences:
    if settings.federation_url is None:
        return NoPreferences()
    return Preferences(
        settings.federation_url,
        _own_token(settings, settings.federation_scope),
        Upstream(
            "preferences",
            timeout=settings.federation_timeout,
            ca_bundle=settings.oauth_ca_bundle,
            certificate=settings.federation_certificate,
        ),
        Breaker(settings.breaker_failures, settings.breaker_pause),
        settings.federation_consents,
    )


def _scanner(settings: Settings) -> Clamd | None:
    address = settings.clamd_address
    return Clamd.at(address, settings.clamd_timeout) if address else None


def _own_token(settings: Settings, scope: str | None) -> OwnToken:
    password = settings.oauth_key_password
    key = load_key(
        settings.oauth_key_path,
        password.get_secret_value() if password else None,
        algorithm=settings.oauth_algorithm,
    )
    identity = Identity(
        settings.oauth_client_id,
        key,
        settings.oauth_algorithm,
        settings.oauth_key_id,
        settings.oauth_audience,
        settings.oauth_assertion_lifetime,
    )
    return OwnToken(
        identity,
        settings.oauth_token_url,
        _now,
        scope=scope,
        timeout=settings.oauth_timeout,
        ca_bundle=settings.oauth_ca_bundle,
    )


def _now() -> datetime:
    return datetime.now(UTC)
