"""Assembly of the clients of the federation's services, as the settings have them."""

from collections.abc import Callable
from pathlib import Path

from registry.federation.address_limit import AddressLimit
from registry.federation.event_service import EventServiceClient
from registry.federation.introspection import Introspection
from registry.federation.member_names import MemberNames
from registry.federation.partition_api import PartitionApi
from registry.federation.preferences import PreferencesClient
from registry.federation.token_cache import Lifetimes, TokenCache
from registry.federation.token_claims import TokenRequirements
from registry.federation.unconfigured import NoEventService, NoPartitionApi, NoPreferences
from registry.federation.webhook_events import WebhookReader
from registry.http_client.access_token import Identity, OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Upstream
from registry.http_client.key_file import KeyFile
from registry.http_client.seats import Seats
from registry.settings import Settings
from registry.wiring.clock import now
from registry.wiring.readings import show_breaker, show_seats
from registry.wiring.tls_files import require_tls_files

# Each client has threads, a token and, where callers wait for it, a breaker of its own: a service
# that is ill takes none of the others with it.

Observe = Callable[[str, float], None]


def make_introspection(settings: Settings, observe: Observe) -> Introspection:
    """Make the introspection; `observe` is told how each look at a token ended.

    Raises `SettingsError` for files that TLS needs, by whichever client, and cannot use.
    """
    require_tls_files(settings)
    # one thread fewer than serve requests, so that cached callers are always served
    seats = settings.introspection_seats or max(1, settings.database_pool_size - 1)
    return Introspection(
        settings.oauth_introspect_url,
        _make_own_token(settings, settings.oauth_introspect_scope),
        Upstream(
            "introspection",
            timeout=settings.oauth_timeout,
            ca_bundle=settings.oauth_ca_bundle,
            # some more than may wait: a look-up of a name holds its thread longer than they do
            threads=2 * seats,
        ),
        TokenRequirements(
            settings.enterprise_claim,
            settings.person_claim,
            settings.token_issuer,
            settings.token_audience,
        ),
        TokenCache(
            Lifetimes(
                settings.token_cache_reads,
                settings.token_cache_writes,
                settings.token_cache_refusals,
                settings.token_cache_doubts,
            ),
            settings.token_cache_size,
            now,
        ),
        _make_breaker(settings, "introspection"),
        show_seats(Seats(seats)),
        AddressLimit(settings.unknown_tokens),
        now,
        observe,
    )


def make_partition_api(settings: Settings) -> PartitionApi | NoPartitionApi:
    """Make the client of the Partition API, or its stand-in while no setting names one."""
    if settings.partition_url is None:
        return NoPartitionApi()
    return PartitionApi(
        settings.partition_url,
        _make_own_token(settings, None),  # without a scope: all that was granted to us
        _make_upstream(
            settings,
            "partition service",
            settings.partition_timeout,
            settings.partition_ca_bundle,
        ),
        _make_breaker(settings, "partition service"),
        settings.partition_rights_path,
        settings.partition_list_path,
        settings.partition_mandate_swapped,
        MemberNames(settings.partition_members),
    )


def make_event_reader(settings: Settings) -> WebhookReader:
    """Make the reader of the webhook's events."""
    return WebhookReader(MemberNames(settings.partition_members), settings.webhook_types)


def make_preferences_client(settings: Settings) -> PreferencesClient | NoPreferences:
    """Make the client of the preferences, or its stand-in while no setting names them."""
    if settings.federation_url is None:
        return NoPreferences()
    # Half of the publications that may be under way at a time: they can do without.
    calls = max(1, (settings.s3_slots or settings.database_pool_size // 2) // 2)
    return PreferencesClient(
        settings.federation_url,
        _make_own_token(settings, settings.federation_scope),
        _make_upstream(
            settings,
            "preferences",
            settings.federation_timeout,
            settings.federation_ca_bundle,
            calls,
        ),
        _make_breaker(settings, "preferences"),
        settings.federation_consents,
    )


def make_event_service(settings: Settings) -> EventServiceClient | NoEventService:
    """Make the client of the e-Box Event Service; events wait while no setting names it."""
    if settings.events_url is None:
        return NoEventService()
    return EventServiceClient(
        settings.events_url,
        _make_own_token(settings, settings.events_scope) if settings.events_bearer else None,
        _make_upstream(
            settings, "event service", settings.events_timeout, settings.events_ca_bundle
        ),
        now,
    )


def _make_upstream(
    settings: Settings,
    name: str,
    timeout: float,
    ca_bundle: Path | None,
    calls: int | None = None,
) -> Upstream:
    """Make the connection to a service that may want our certificate too (contract 6.20).

    Whom it trusts is as for the authorization server where `ca_bundle` is None.
    At most half of the threads that serve requests wait for it, or `calls` of them. A service that
    is well gives one back soon; for one that is not, few are to wait.
    """
    return Upstream(
        name,
        timeout=timeout,
        ca_bundle=ca_bundle or settings.oauth_ca_bundle,
        certificate=settings.federation_certificate,
        threads=calls or max(1, settings.database_pool_size // 2),
        patience=0.5,
    )


def _make_breaker(settings: Settings, neighbour: str) -> Breaker:
    return show_breaker(Breaker(settings.breaker_failures, settings.breaker_pause), neighbour)


def _make_own_token(settings: Settings, scope: str | None) -> OwnToken:
    return OwnToken(
        make_identity(settings),
        settings.oauth_token_url,
        now,
        scope=scope,
        timeout=settings.oauth_timeout,
        ca_bundle=settings.oauth_ca_bundle,
    )


def make_identity(settings: Settings) -> Identity:
    """Make our registration with the authorization server; raises `KeyUnusable`."""
    password = settings.oauth_key_password
    key = KeyFile(
        settings.oauth_key_path,
        password.get_secret_value() if password else None,
        settings.oauth_algorithm,
    )
    return Identity(
        settings.oauth_client_id,
        key,
        settings.oauth_algorithm,
        settings.oauth_key_id,
        settings.oauth_audience,
        settings.oauth_assertion_lifetime,
    )
