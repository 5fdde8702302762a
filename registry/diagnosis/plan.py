"""The plan of an online check: whom the settings name, and how each of them is looked at."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.federal_plan import plan_federation
from registry.diagnosis.helpers import CountsInspection, ScannerInspection
from registry.diagnosis.looks import Look
from registry.diagnosis.neighbours import Neighbour
from registry.diagnosis.network_words import Place
from registry.diagnosis.public_address import PublicAddressInspection
from registry.diagnosis.stores import plan_stores
from registry.domain.diagnoses import Diagnosis
from registry.http_client.probe import Probe
from registry.settings import Settings

_PUBLIC_FIELDS: Final = ("public_url", "enterprise_base_path", "oauth_client_id", "s3_bucket")
_PUBLIC_PATIENCE: Final = 5.0  # seconds


def plan_looks(settings: Settings, readings: ClockReadings) -> Iterator[Look]:
    """Plan a look at each neighbour that the settings name; clocks that are seen are noted."""
    yield from plan_stores(settings, readings)
    yield from plan_federation(settings, readings)
    look_at_ourselves = partial(_look_at_public_address, settings, readings)
    yield Look("public address", look_at_ourselves, _PUBLIC_FIELDS)
    if settings.clamd_address:
        host, _, port = settings.clamd_address.rpartition(":")
        scanner = ScannerInspection(host, int(port))
        yield Look("malware scanner", scanner.look, ("clamd_address",))
    if settings.rate_limit_url:
        counts = CountsInspection(settings.rate_limit_url.get_secret_value())
        yield Look("store of shared counts", counts.look, ("rate_limit_url",))


def _look_at_public_address(settings: Settings, readings: ClockReadings) -> Iterator[Diagnosis]:
    name, place = "registry's public address", Place("REGISTRY_PUBLIC_URL")
    neighbour = Neighbour(name, settings.public_url, place, Probe(_PUBLIC_PATIENCE), readings)
    path = f"{settings.enterprise_base_path}/v3/health/live"
    return PublicAddressInspection(neighbour, path, settings.instance).look()
