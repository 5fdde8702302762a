"""Parts of the settings: each command reads those that it uses, and misses no others."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic import create_model

from registry.domain.errors import SettingsError
from registry.settings import Settings
from registry.settings.fault import PREFIX, SettingFault

PartName = Literal[
    "application database",
    "owner database",
    "worker database",
    "documents",
    "seals",
    "seal key",
    "hash key",
    "introspection",
    "malware scanner",
    "trail",
    "reminders",
    "partitions",
    "reference file",
    "worker",
]


class _Part(NamedTuple):
    """Fields that begin so, all of which may be unset but those that are `needed`."""

    fields: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


_OAUTH: Final = ("oauth_token_url", "oauth_client_id", "oauth_key_path")
_WORKER: Final = ("database_worker_url", "s3_bucket", "hash_key", "audit_bucket", "audit_key_path")
_PARTS: Final[Mapping[PartName, _Part]] = {
    "application database": _Part(("database_",), ("database_url",)),
    "owner database": _Part(("database_",), ("database_owner_url",)),
    # Whoever looks for an event is told since when those that were told are remembered.
    "worker database": _Part(("database_", "events_kept_days"), ("database_worker_url",)),
    "documents": _Part(("s3_", "document_check_"), ("s3_bucket",)),
    # What is not set for seals alone is as for documents.
    "seals": _Part(("audit_", "s3_"), ("audit_bucket",)),
    "seal key": _Part(needed=("audit_key_path",)),
    "hash key": _Part(needed=("hash_key",)),
    # With all that the service has of tokens; partitions are asked for where that is set.
    "introspection": _Part(
        (
            *("oauth_", "token_", "introspection_", "breaker_", "unknown_tokens", "database_pool"),
            *("enterprise_claim", "person_claim", "scopes", "citizen_scopes", "webhook_"),
            *("representative_scope", "certification_scope", "partition_", "federation_cert"),
        ),
        ("oauth_introspect_url", *_OAUTH),
    ),
    "malware scanner": _Part(("clamd_",), ("clamd_address",)),
    # Auditors have it where they search by the e-Box, and there alone.
    "trail": _Part(("audit_", "hash_key", "enterprise_base_path", "citizen_base_path")),
    "reminders": _Part(("reminder_days", "alert_days")),
    "partitions": _Part(
        ("partition_", "oauth_", "federation_certificate", "breaker_", "webhook_types"),
        ("partition_url", *_OAUTH),
    ),
    "reference file": _Part(("check_digits",)),
    # All of them: much of what the web servers have changes what the worker does, too.
    "worker": _Part(("",), _WORKER),
}
# Read only where a part names them: nobody is to have the URL of a role that is not his.
_BY_NAME_ALONE: Final = frozenset(
    {"database_url", "database_owner_url", "database_worker_url", "s3_bucket"}
)
_EVERYWHERE: Final = ("environment", "log_level")


def load_part(environ: Mapping[str, str], *names: PartName) -> Settings:
    """Load parts of the settings; all others are as if unset, whatever they are.

    Raises `SettingsError` with everything that is wrong at once, and all that is needed and unset.
    """
    parts = [_PARTS[name] for name in names]
    needed = {field for part in parts for field in part.needed}
    prefixes = (*_EVERYWHERE, *(prefix for part in parts for prefix in part.fields))
    ours = {
        field
        for field in Settings.model_fields
        if field in needed or (field.startswith(prefixes) and field not in _BY_NAME_ALONE)
    }
    values = _choose_variables(environ, ours)
    faults = _list_missing(values, needed)
    try:
        settings = _make_model().load(values)
    except SettingsError as error:
        raise SettingsError([*faults, *error.faults]) from None
    if faults:
        raise SettingsError(faults)
    return settings


def _choose_variables(environ: Mapping[str, str], fields: Collection[str]) -> dict[str, str]:
    """Choose the variables of these fields, and those of no field, which are misspelt."""
    others = {PREFIX + name.upper() for name in Settings.model_fields if name not in fields}
    return {
        name: text
        for name, text in environ.items()
        if name not in others and name.removesuffix("_FILE") not in others
    }


def _list_missing(values: Mapping[str, str], needed: Collection[str]) -> list[str]:
    faults = [SettingFault(field, "is needed here and not set") for field in sorted(needed)]
    return [
        str(fault)
        for fault in faults
        if not values.get(fault.variable) and not values.get(f"{fault.variable}_FILE")
    ]


def _make_model() -> type[Settings]:
    """Make settings that may be without those which the whole service requires."""
    optional: dict[str, Any] = {
        name: (field.rebuild_annotation(), None)
        for name, field in Settings.model_fields.items()
        if field.is_required()
    }
    return create_model("Part", __base__=Settings, **optional)
