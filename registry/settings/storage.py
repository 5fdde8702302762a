"""The document store."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from registry.settings.kinds import Bucket, Url
from registry.settings.section import SettingsSection


class StorageSettings(SettingsSection):
    """The document store."""

    s3_endpoint: Url | None = Field(
        default=None, description="URL of the document store; unset: that of AWS."
    )
    s3_region: str = Field(default="eu-west-1", description="Its region.")
    s3_bucket: Bucket = Field(description="The bucket of documents.")
    s3_access_key: str | None = Field(
        default=None, description="Our key there; unset: as boto3 finds one."
    )
    s3_secret_key: SecretStr | None = Field(default=None, description="Its secret.")
    s3_addressing: Literal["path", "virtual", "auto"] = Field(
        default="path", description="Whether the bucket is named in the path or in the host."
    )
    s3_ca_bundle: Path | None = Field(
        default=None,
        description="PEM with the authorities to trust there; unset: as the environment says.",
    )
    s3_encryption: Literal["AES256", "aws:kms"] | None = Field(
        default=None, description="Encryption on the server's side that each document asks for."
    )
    s3_encryption_key: str | None = Field(default=None, description="The key of KMS for it.")
    s3_object_lock: Literal["GOVERNANCE", "COMPLIANCE"] | None = Field(
        default=None, description="Object Lock of every document, in this mode."
    )
    s3_object_lock_days: int = Field(default=30, ge=1, description="Days for which it holds.")
    s3_versioned: bool = Field(
        default=False, description="The bucket keeps versions, without any lock."
    )
    s3_checksums: Literal["when_required", "when_supported"] = Field(
        default="when_required", description="When a CRC-32 goes with what is sent."
    )
    s3_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        default=10,
        description="Seconds for a call, and one more for each s3_least_rate bytes that it moves.",
    )
    s3_least_rate: int = Field(
        default=256 << 10, ge=1, description="Bytes a second that the store must move."
    )
    s3_slots: int | None = Field(
        default=None,
        ge=1,
        description="Threads of a process that may wait for it; unset: half of them.",
    )
    document_check_days: int = Field(
        default=30, ge=0, description="The worker reads each document in so many days; 0: never."
    )
    document_check_rate: int = Field(
        default=4 << 20, ge=1, description="Bytes a second that it reads at most."
    )
