"""Assembly of the document store and the store of seals."""

from typing import Any

import boto3
from botocore.config import Config

from registry.audit.store.seal_bucket import S3Seals
from registry.blobs import Retention
from registry.blobs.bounded_calls import CallLimits, add_base, bound_calls
from registry.blobs.s3 import S3Blobs
from registry.blobs.waits import WaitSlots
from registry.domain.errors import SettingsError
from registry.settings import Settings
from registry.wiring.clock import now
from registry.wiring.readings import show_breaker, show_slots


def make_s3_client(settings: Settings) -> Any:
    """Make a client for the document store, shared by all threads; its calls have limits."""
    secret, ca_bundle = settings.s3_secret_key, settings.s3_ca_bundle
    session = boto3.session.Session()
    session.events.register("creating-client-class.s3", add_base)
    client = session.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        verify=str(ca_bundle) if ca_bundle else None,  # None: as the environment says
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            signature_version="s3v4",  # of paths that a proxy fetches, too
            s3={"addressing_style": settings.s3_addressing},
            request_checksum_calculation=settings.s3_checksums,
            response_checksum_validation=settings.s3_checksums,
            retries={"mode": "standard", "total_max_attempts": 1},
            # Documents are streamed while no transaction is open, so that more may be under way.
            max_pool_connections=4 * settings.database_pool_size,
        ),
    )
    # gunicorn has as many threads as the pool has connections: at most half of them wait for S3.
    slots = settings.s3_slots or max(1, settings.database_pool_size // 2)
    wait_slots = show_slots(WaitSlots(slots), "storage")
    limits = CallLimits(wait_slots, settings.s3_timeout, settings.s3_least_rate)
    show_breaker(limits.breaker, "storage")
    bound_calls(client, limits)
    return client


def make_document_store(settings: Settings) -> S3Blobs:
    """Make the document store; under Object Lock when the settings say so."""
    mode = settings.s3_object_lock
    return S3Blobs(
        make_s3_client(settings),
        settings.s3_bucket,
        _make_encryption(settings),
        retention=Retention(mode, settings.s3_object_lock_days) if mode else None,
        is_versioned=settings.s3_versioned,
        now=now,
    )


def make_seal_store(settings: Settings) -> S3Seals:
    """Make the store of the audit trail's seals; raises `SettingsError` when none is set."""
    if settings.audit_bucket is None:
        raise SettingsError(["REGISTRY_AUDIT_BUCKET: is needed here and not set"])
    client = make_s3_client(choose_seal_settings(settings))
    return S3Seals(client, settings.audit_bucket)


def choose_seal_settings(settings: Settings) -> Settings:
    """Give the settings with those of the seals' store in the place of the documents'."""
    names = ("endpoint", "region", "access_key", "secret_key", "addressing", "ca_bundle")
    own = {f"s3_{name}": getattr(settings, f"audit_s3_{name}") for name in names}
    # What is not set for seals alone is as it is for documents.
    changes = {name: value for name, value in own.items() if value is not None}
    return settings.model_copy(update=changes)


def _make_encryption(settings: Settings) -> dict[str, str]:
    """Make the arguments that ask for server-side encryption, and name its key."""
    arguments = {
        "ServerSideEncryption": settings.s3_encryption,
        "SSEKMSKeyId": settings.s3_encryption_key,
    }
    return {name: value for name, value in arguments.items() if value}
