"""Settings that are right by themselves, and cannot be together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from registry.settings.fault import SettingFault

if TYPE_CHECKING:
    from registry.settings import Settings


def find_contradictions(settings: "Settings") -> Iterator[SettingFault]:
    """Find what would otherwise be noticed at a first request, or by whom it serves wrongly."""
    if settings.s3_access_key and not settings.s3_secret_key:
        yield SettingFault("s3_access_key", "is set without REGISTRY_S3_SECRET_KEY")
    if settings.audit_s3_access_key and not settings.audit_s3_secret_key:
        yield SettingFault("audit_s3_access_key", "is set without REGISTRY_AUDIT_S3_SECRET_KEY")
    if settings.s3_encryption_key and settings.s3_encryption != "aws:kms":
        yield SettingFault("s3_encryption_key", "needs REGISTRY_S3_ENCRYPTION=aws:kms")
    enterprise, citizen = (f"{path}/" for path in settings.base_paths.values())
    if enterprise.startswith(citizen) or citizen.startswith(enterprise):
        yield SettingFault("citizen_base_path", "lies at or below that of enterprises, or above it")
