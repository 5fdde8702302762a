"""Assembly of the care for buckets: one for documents, one for seals, each with its own key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from registry.blobs.bucket_canary import LockMode
from registry.blobs.bucket_care import BucketCare, BucketPlan
from registry.blobs.bucket_rights import BucketRights
from registry.domain.errors import SettingsError
from registry.settings import Settings
from registry.wiring.storage import choose_seal_settings, make_s3_client

Store = Literal["documents", "seals"]

_SEAL_LOCK: Final[LockMode] = "COMPLIANCE"  # which not even the owner of the account can shorten


@dataclass(frozen=True)
class BucketAccess:
    """A bucket that the service uses, and the client with the key that the settings name."""

    client: Any
    plan: BucketPlan
    lock_mode: LockMode | None
    deletes: bool

    def look_after(self, *, may_change: bool) -> BucketCare:
        """Give what looks after its properties."""
        return BucketCare(self.client, self.plan, may_change)

    def try_rights(self, wait: Callable[[float], None]) -> BucketRights:
        """Give what tries the key's rights."""
        return BucketRights(self.client, self.plan.name, self.lock_mode, self.deletes, wait)


def open_bucket(settings: Settings, store: Store) -> BucketAccess:
    """Give the bucket of a store; raises `SettingsError` when none is set."""
    if store == "documents":
        return BucketAccess(
            make_s3_client(settings),
            _make_plan(settings, settings.s3_bucket, has_lock=settings.s3_object_lock is not None),
            settings.s3_object_lock,
            deletes=True,
        )
    if settings.audit_bucket is None:
        raise SettingsError(["REGISTRY_AUDIT_BUCKET: is needed here and not set"])
    own = choose_seal_settings(settings)
    plan = _make_plan(own, settings.audit_bucket, has_lock=True)
    return BucketAccess(make_s3_client(own), plan, _SEAL_LOCK, deletes=False)


def _make_plan(settings: Settings, name: str, *, has_lock: bool) -> BucketPlan:
    return BucketPlan(
        name=name,
        has_lock=has_lock,
        encryption=settings.s3_encryption or "AES256",
        encryption_key=settings.s3_encryption_key,
        # Stores other than AWS have one region, and some refuse the name of any.
        region=settings.s3_region if settings.s3_endpoint is None else None,
    )
