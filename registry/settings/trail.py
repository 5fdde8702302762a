"""The audit trail."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from registry.settings.kinds import Bucket, Url
from registry.settings.section import SettingsSection


class TrailSettings(SettingsSection):
    """The audit trail."""

    hash_key: SecretStr | None = Field(
        default=None,
        description="The key of the hashes by which trail and proofs name e-Boxes.",
    )
    audit_bucket: Bucket | None = Field(
        default=None, description="The bucket of the seals over the audit trail, with Object Lock."
    )
    audit_key_path: Path | None = Field(
        default=None, description="PEM with the Ed25519 key that signs them."
    )
    audit_public_keys: Path | None = Field(
        default=None, description="PEM with the public keys of those that did before."
    )
    audit_former_hash_keys: Path | None = Field(
        default=None, description="A file with a line for each that hash_key was before."
    )
    audit_seal_every: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=60, description="Seconds after which entries are sealed; 5,000 are at once."
    )
    audit_s3_endpoint: Url | None = Field(
        default=None,
        description="Where seals are, if not where documents are; the next ones likewise.",
    )
    audit_s3_region: str | None = Field(default=None, description="The region of that store.")
    audit_s3_access_key: str | None = Field(default=None, description="Our key there.")
    audit_s3_secret_key: SecretStr | None = Field(default=None, description="Its secret.")
    audit_s3_addressing: Literal["path", "virtual", "auto"] | None = Field(
        default=None, description="Whether the bucket is named in the path or in the host."
    )
    audit_s3_ca_bundle: Path | None = Field(
        default=None,
        description="PEM with the authorities to trust there; unset: as for documents.",
    )
