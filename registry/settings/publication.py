"""Publications: what they may be, and who looks at their files."""

from typing import Annotated, Literal

from pydantic import Field

from registry.settings.kinds import Address
from registry.settings.section import SettingsSection


class PublicationSettings(SettingsSection):
    """Publications: what they may be, and who looks at their files."""

    check_digits: bool | None = Field(
        default=None,
        description="Look at check digits of numbers in publications; unset: where mail is real.",
    )  # contract 6.31
    single_language: bool = Field(
        default=False, description="Refuse publications in more than one language."
    )  # contract 6.30
    publication_files: int = Field(
        default=20, ge=1, description="Files that a publication may have."
    )
    publication_files_v2: int = Field(default=6, ge=1, description="The same in version 2.1.")
    publication_file_size: int = Field(
        default=1 << 30, ge=1, description="Bytes that a file may have."
    )
    publication_request_size: int = Field(
        default=2 << 30, ge=1, description="Bytes that a publication may have in all."
    )
    publication_message_size: int = Field(
        default=1 << 20, ge=1, description="Bytes that its JSON may have."
    )
    publication_subject_length: int = Field(
        default=400, ge=1, description="Characters that a subject may have."
    )
    publication_value_length: int = Field(
        default=256, ge=1, description="Characters that a value of business data may have."
    )
    publication_label_length: int = Field(
        default=100, ge=1, description="Characters that a label of business data may have."
    )
    publication_business_data: int = Field(
        default=100, ge=1, description="Business data that a message may have."
    )
    publication_business_data_size: int = Field(
        default=64 << 10, ge=1, description="Bytes that they may have in all."
    )
    clamd_address: Address | None = Field(
        default=None,
        description="host:port of a clamd that looks at every file; unset: nobody does.",
    )
    clamd_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        default=60, description="Seconds that a scan may lose on it in all."
    )
    clamd_slots: int | None = Field(
        default=None,
        ge=1,
        description="Threads of a process that may wait for it; unset: half of them.",
    )
    clamd_file_size: int = Field(
        default=100 << 20, ge=1, description="Bytes of a file that it looks at: its MaxFileSize."
    )
    clamd_unscanned: Literal["refuse", "accept"] = Field(
        default="refuse", description="What becomes of a file that it saw in part."
    )
