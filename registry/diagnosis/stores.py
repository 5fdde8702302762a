"""The plan for the stores: databases by their roles, and buckets."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from registry.audit.log import AuditLog
from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.database import DatabaseInspection
from registry.diagnosis.looks import Look
from registry.diagnosis.network_words import Place
from registry.diagnosis.storage import BucketInspection, BucketVariables
from registry.domain.diagnoses import Diagnosis
from registry.services.readiness import DatabaseCheck
from registry.settings import Settings
from registry.settings.fault import PREFIX
from registry.store.transactions import Transactions
from registry.wiring.clock import now
from registry.wiring.database import Role, make_engine
from registry.wiring.pseudonyms import NoPseudonyms
from registry.wiring.storage import choose_seal_settings, make_s3_client

_DATABASES: Final[dict[Role, str]] = {
    "application": "database_url",
    "owner": "database_owner_url",
    "worker": "database_worker_url",
}
_DOCUMENT_FIELDS: Final = ("s3_bucket", "s3_endpoint", "s3_access_key", "s3_secret_key")
_SEAL_FIELDS: Final = ("audit_bucket", *(f"audit_{name}" for name in _DOCUMENT_FIELDS[1:]))


def plan_stores(settings: Settings, readings: ClockReadings) -> Iterator[Look]:
    """Plan a look at each store that the settings name; clients are made when it begins."""
    for role, field in _DATABASES.items():
        if getattr(settings, field) is not None:
            look = partial(_look_at_database, settings, role, field)
            yield Look(f"database ({role})", look, (field,))
    look_at_documents = partial(_look_at_documents, settings, readings)
    yield Look("document store", look_at_documents, _DOCUMENT_FIELDS)
    if settings.audit_bucket:
        look_at_seals = partial(_look_at_seals, settings, settings.audit_bucket, readings)
        yield Look("seal store", look_at_seals, (*_SEAL_FIELDS, *_DOCUMENT_FIELDS[1:]))


def _look_at_database(settings: Settings, role: Role, field: str) -> Iterator[Diagnosis]:
    url = getattr(settings, field).get_secret_value()
    seconds = settings.database_connect_timeout
    engine = make_engine(settings, role)
    rehearse = None
    if role == "application":
        # No e-Box is named in what is rehearsed.
        audit_log = AuditLog(NoPseudonyms(), now)
        rehearse = DatabaseCheck(Transactions(engine), audit_log).check
    variable = PREFIX + field.upper()
    return DatabaseInspection(engine, role, variable, url, seconds, rehearse).look()


def _look_at_documents(settings: Settings, readings: ClockReadings) -> Iterator[Diagnosis]:
    variables = _name_variables({}, "REGISTRY_S3_BUCKET", "REGISTRY_S3_OBJECT_LOCK")
    return BucketInspection(
        "document store",
        make_s3_client(settings),
        settings.s3_bucket,
        Place("REGISTRY_S3_ENDPOINT", "REGISTRY_S3_CA_BUNDLE", settings.s3_ca_bundle),
        variables,
        settings.s3_timeout,
        readings,
        needs_lock=settings.s3_object_lock is not None,
        is_versioned=settings.s3_versioned or settings.s3_object_lock is not None,
    ).look()


def _look_at_seals(settings: Settings, bucket: str, readings: ClockReadings) -> Iterator[Diagnosis]:
    names = ("endpoint", "region", "access_key", "secret_key", "ca_bundle")
    own = {name: "AUDIT_S3" for name in names if getattr(settings, f"audit_s3_{name}")}
    seals = choose_seal_settings(settings)
    return BucketInspection(
        "seal store",
        make_s3_client(seals),
        bucket,
        Place(
            f"REGISTRY_{own.get('endpoint', 'S3')}_ENDPOINT",
            f"REGISTRY_{own.get('ca_bundle', 'S3')}_CA_BUNDLE",
            seals.s3_ca_bundle,
        ),
        _name_variables(own, "REGISTRY_AUDIT_BUCKET"),
        settings.s3_timeout,
        readings,
        needs_lock=True,
        is_versioned=None,
    ).look()


def _name_variables(own: dict[str, str], bucket: str, *locks: str) -> BucketVariables:
    """Name the variables of a bucket; `own` has the prefix of those that are for it alone."""
    access_key, secret_key, region = (
        f"REGISTRY_{own.get(name, 'S3')}_{name.upper()}"
        for name in ("access_key", "secret_key", "region")
    )
    return BucketVariables(bucket, access_key, secret_key, region, locks)
