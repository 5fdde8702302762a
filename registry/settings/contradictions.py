"""Settings that are right by themselves, and cannot be together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from registry.settings.fault import SettingFault

if TYPE_CHECKING:
    from registry.settings import Settings

_BOTH: Final = "Set the secret key too, or take the access key out."


def find_contradictions(settings: "Settings") -> Iterator[SettingFault]:
    """Find what would otherwise be noticed at a first request, or by whom it serves wrongly."""
    if settings.s3_access_key and not settings.s3_secret_key:
        yield SettingFault("s3_access_key", "is set without REGISTRY_S3_SECRET_KEY", _BOTH)
    if settings.audit_s3_access_key and not settings.audit_s3_secret_key:
        text = "is set without REGISTRY_AUDIT_S3_SECRET_KEY"
        yield SettingFault("audit_s3_access_key", text, _BOTH)
    if settings.s3_encryption_key and settings.s3_encryption != "aws:kms":
        text = "needs REGISTRY_S3_ENCRYPTION=aws:kms"
        yield SettingFault("s3_encryption_key", text, "Set both, or neither.")
    yield from _find_missing_client(settings)
    enterprise, citizen = (f"{path}/" for path in settings.base_paths.values())
    if enterprise.startswith(citizen) or citizen.startswith(enterprise):
        text = "lies at or below that of enterprises, or above it"
        yield SettingFault("citizen_base_path", text, "Give each family a path of its own.")


def _find_missing_client(settings: "Settings") -> Iterator[SettingFault]:
    """Find what our tokens need and is not set: not every part of the settings has it."""
    needs_tokens = {
        "partition_url": True,
        "federation_url": True,
        "events_url": settings.events_bearer,
    }
    for service, needs_token in needs_tokens.items():
        if needs_token and getattr(settings, service):
            for field in ("oauth_token_url", "oauth_client_id", "oauth_key_path"):
                if getattr(settings, field) is None:
                    text = f"is not set, and REGISTRY_{service.upper()} needs it"
                    yield SettingFault(field, text, "Set it, as registered with that server.")
            return
