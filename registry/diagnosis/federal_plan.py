"""The plan for the federal services: which of them the settings name, and what each is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from registry.diagnosis.authorization import IntrospectionInspection, TokenDesk
from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.federation import ASKED_ABOUT, FederalService, Question
from registry.diagnosis.looks import Look
from registry.diagnosis.neighbours import Neighbour
from registry.diagnosis.network_words import CERTIFICATE_VARIABLE, Place
from registry.domain.errors import KeyUnusable
from registry.federation.token_claims import TokenRequirements
from registry.http_client.probe import Probe
from registry.settings import Settings
from registry.settings.fault import PREFIX
from registry.wiring.certificates import read_certificates
from registry.wiring.federation import make_identity


class _Fields(NamedTuple):
    """The settings of a service; `is_mutual` says that it may want our certificate."""

    name: str
    url: str
    ca_bundle: str
    timeout: str
    is_mutual: bool = True


_OAUTH: Final = ("oauth_ca_bundle", "oauth_timeout")
_TOKENS: Final = _Fields("authorization server", "oauth_token_url", *_OAUTH, is_mutual=False)
_INTROSPECTION: Final = _Fields("introspection", "oauth_introspect_url", *_OAUTH, is_mutual=False)
_PARTITIONS: Final = _Fields(
    "Partition API", "partition_url", "partition_ca_bundle", "partition_timeout"
)
_PREFERENCES: Final = _Fields(
    "preferences", "federation_url", "federation_ca_bundle", "federation_timeout"
)
_EVENTS: Final = _Fields("event service", "events_url", "events_ca_bundle", "events_timeout")
_TOKEN_FIELDS: Final = ("oauth_token_url", "oauth_client_id", "oauth_key_path")


def plan_federation(settings: Settings, readings: ClockReadings) -> Iterator[Look]:
    """Plan a look at each service; with a key that cannot be used, all that is seen is its door."""
    server = _make_neighbour(settings, readings, _TOKENS)
    desk = _make_desk(settings, server)
    if desk is None:
        yield Look(server.name, server.reach, _TOKEN_FIELDS)
    else:
        scopes = _list_scopes(settings)
        yield Look(server.name, lambda: desk.diagnose(scopes), _TOKEN_FIELDS)
    yield _plan_introspection(settings, readings, desk)
    for fields, question in _list_questions(settings).items():
        neighbour = _make_neighbour(settings, readings, fields)
        service = FederalService(neighbour, desk, question)
        is_deaf = desk is None and question.has_bearer
        yield Look(fields.name, neighbour.reach if is_deaf else service.look, (fields.url,))


def make_token_desk(settings: Settings, readings: ClockReadings) -> TokenDesk | None:
    """Make what gets tokens of our own; None with a key that cannot be used."""
    return _make_desk(settings, _make_neighbour(settings, readings, _TOKENS))


def _list_questions(settings: Settings) -> dict[_Fields, Question]:
    """List what the services that are set are asked; nothing of it changes or tells anything."""
    questions: dict[_Fields, Question] = {}
    if settings.partition_url:
        path = settings.partition_list_path.replace("{enterpriseNumber}", ASKED_ABOUT)
        questions[_PARTITIONS] = Question("GET", path, may_be_empty=True)
    if settings.federation_url:
        content: dict[str, Any] = {
            "eboxType": "ENTERPRISE",
            "eboxIdType": "EnterpriseNumber",
            "eboxIdValueList": [ASKED_ABOUT],
        }
        scope, variable = settings.federation_scope, "REGISTRY_FEDERATION_SCOPE"
        questions[_PREFERENCES] = Question(
            "POST", "/eboxPreferences/search", {"json": content}, scope, variable
        )
    if settings.events_url:
        # No event at all: whoever answers has let us in, and was told nothing.
        questions[_EVENTS] = Question(
            "POST",
            "",
            {"json": []},
            settings.events_scope if settings.events_bearer else None,
            "REGISTRY_EVENTS_SCOPE" if settings.events_bearer else CERTIFICATE_VARIABLE,
            has_bearer=settings.events_bearer,
        )
    return questions


def _list_scopes(settings: Settings) -> dict[str, str | None]:
    """List the scopes of our tokens, by the variables that name them."""
    scopes: dict[str, str | None] = {
        "REGISTRY_OAUTH_INTROSPECT_SCOPE": settings.oauth_introspect_scope
    }
    for fields, question in _list_questions(settings).items():
        if question.has_bearer:
            scopes[question.scope_variable or PREFIX + fields.url.upper()] = question.scope
    return scopes


def _plan_introspection(
    settings: Settings, readings: ClockReadings, desk: TokenDesk | None
) -> Look:
    service = _make_neighbour(settings, readings, _INTROSPECTION)
    if desk is None:
        return Look(service.name, service.reach, (_INTROSPECTION.url,))
    certificate = read_certificates(settings).get("REGISTRY_OAUTH_KEY_PATH")
    inspection = IntrospectionInspection(
        service,
        desk,
        settings.oauth_introspect_scope,
        TokenRequirements(settings.enterprise_claim, settings.person_claim),
        certificate.number if certificate else None,
    )
    return Look(service.name, inspection.look, (_INTROSPECTION.url,))


def _make_desk(settings: Settings, server: Neighbour) -> TokenDesk | None:
    """Make what gets tokens, unless the settings have no key that can be used: that is told."""
    path: Path | None = settings.oauth_key_path
    if path is None:  # it could not be read
        return None
    certificate = read_certificates(settings).get("REGISTRY_OAUTH_KEY_PATH")
    key_name = str(path)
    if certificate:
        key_name += f" (certificate with SHA-256 {certificate.fingerprint})"
    try:
        return TokenDesk(server, make_identity(settings), key_name)
    except KeyUnusable:
        return None


def _make_neighbour(settings: Settings, readings: ClockReadings, fields: _Fields) -> Neighbour:
    """Describe a service; whom it trusts is as for the authorization server, unless it is set."""
    own_bundle, shared_bundle = getattr(settings, fields.ca_bundle), settings.oauth_ca_bundle
    is_shared = own_bundle is None and shared_bundle is not None
    ca_field = "oauth_ca_bundle" if is_shared else fields.ca_bundle
    bundle = own_bundle or shared_bundle
    certificate = settings.federation_certificate if fields.is_mutual else None
    place = Place(PREFIX + fields.url.upper(), PREFIX + ca_field.upper(), bundle, certificate)
    probe = Probe(getattr(settings, fields.timeout), bundle, certificate)
    return Neighbour(fields.name, getattr(settings, fields.url) or "", place, probe, readings)
