"""The others: clients of the federation's services, as the settings have them."""

from collections.abc import Callable

from registry.federation.event_service import EventServiceClient
from registry.federation.introspection import Introspection
from registry.federation.partition_api import PartitionApi
from registry.federation.preferences import PreferencesClient
from registry.federation.token_cache import Lifetimes, TokenCache
from registry.federation.token_claims import TokenRequirements
from registry.federation.unconfigured import NoEventService, NoPartitionApi, NoPreferences
from registry.http_client.access_token import Identity, OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Upstream
from registry.http_client.private_key import load_key
from registry.settings import Settings
from registry.wiring.clock import now

Observe = Callable[[str, float], None]


def introspection(settings: Settings, observe: Observe) -> Introspection:
    """What tells who is behind a token; `observe` hears of each look."""
    return Introspection(
        settings.oauth_introspect_url,
        _own_token(settings, settings.oauth_introspect_scope),
        Upstream(
            "introspection", timeout=settings.oauth_timeout, ca_bundle=settings.oauth_ca_bundle
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
            ),
            settings.token_cache_size,
            now,
        ),
        Breaker(settings.breaker_failures, settings.breaker_pause),
        now,
        observe,
    )


def partition_service(settings: Settings) -> PartitionApi | NoPartitionApi:
    """The Partition API, or what stands in for it."""
    if settings.partition_url is None:
        return NoPartitionApi()
    return PartitionApi(
        settings.partition_url,
        _own_token(settings, None),
        _upstream(settings, "partition service", settings.partition_timeout),
        Breaker(settings.breaker_failures, settings.breaker_pause),
        settings.partition_rights_path,
        settings.partition_list_path,
        settings.partition_mandate_swapped,
    )


def preferences(settings: Settings) -> PreferencesClient | NoPreferences:
    """What knows who opened his e-Box, or what stands in for it."""
    if settings.federation_url is None:
        return NoPreferences()
    return PreferencesClient(
        settings.federation_url,
        _own_token(settings, settings.federation_scope),
        _upstream(settings, "preferences", settings.federation_timeout),
        Breaker(settings.breaker_failures, settings.breaker_pause),
        settings.federation_consents,
    )


def event_service(settings: Settings) -> EventServiceClient | NoEventService:
    """The e-Box Event Service; events wait while no setting names it."""
    if settings.events_url is None:
        return NoEventService()
    return EventServiceClient(
        settings.events_url,
        _own_token(settings, settings.events_scope) if settings.events_bearer else None,
        _upstream(settings, "event service", settings.events_timeout),
        now,
    )


def _upstream(settings: Settings, name: str, timeout: float) -> Upstream:
    """A service that may want our certificate too (contract 6.20)."""
    return Upstream(
        name,
        timeout=timeout,
        ca_bundle=settings.oauth_ca_bundle,
        certificate=settings.federation_certificate,
    )


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
        now,
        scope=scope,
        timeout=settings.oauth_timeout,
        ca_bundle=settings.oauth_ca_bundle,
    )
