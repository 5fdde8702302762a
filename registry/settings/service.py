"""The service: its address, its limits, and its clients."""

from typing import Literal

from pydantic import Field

from registry.settings.kinds import BasePath, Seconds, StoreUrl, Url
from registry.settings.section import SettingsSection


class ServiceSettings(SettingsSection):
    """The service: its address, its limits, and its clients."""

    environment: Literal[
        "development", "test", "integration", "acceptation", "simulation", "production"
    ] = Field(
        default="production",
        description="Which one this is; with mail of real people more is refused.",
    )
    public_url: Url = Field(description="How the world reaches the service, without a path.")
    enterprise_base_path: BasePath = Field(
        default="/REST/ebox/enterprise/messageRegistry",
        description="Path of enterprises' e-Boxes, before the version.",
    )
    citizen_base_path: BasePath = Field(
        default="/REST/ebox/citizen/messageRegistry",
        description="Path of citizens' e-Boxes, before the version.",
    )
    contact: str | None = Field(
        default=None, description="Whom to turn to, as errors of version 2.1 say it."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least that is logged."
    )
    soon_expiring_days: int = Field(
        default=15, ge=0, description="Messages that expire within so many days are marked as such."
    )
    large_ebox_messages: int = Field(
        default=2000,
        ge=1,
        description="An e-Box with so many messages has its own counts and indexes for search.",
    )
    cors_origins: tuple[Url, ...] = Field(
        default=(), description="Origins of web pages that may call us, with commas between them."
    )
    rate_limit: int = Field(
        default=1200,
        ge=0,
        description="Requests a minute of a client for an enterprise or a person; 0: no limit.",
    )
    rate_limit_url: StoreUrl | None = Field(
        default=None,
        description="Valkey or Redis that counts for all; unset: each process has its share.",
    )
    costly_requests: int = Field(
        default=2, ge=0, description="Searches and the like of a client at a time; 0: no limit."
    )
    unknown_tokens: int = Field(
        default=60,
        ge=0,
        description="Refused tokens a minute of an address that no caller had before; 0: no limit.",
    )
    trusted_proxies: int = Field(
        default=1, ge=0, description="Proxies before us, each adding to X-Forwarded-For."
    )
    stop_timeout: int = Field(
        default=30, ge=1, description="Seconds for requests under way, after SIGTERM."
    )
    traces_url: Url | None = Field(
        default=None,
        description="OTLP over HTTP of a collector, with its path /v1/traces; unset: no traces.",
    )
    traces_share: float = Field(
        default=1.0, gt=0, le=1, description="Share of the traces that it is told."
    )
    refuse_unknown_parameters: bool = Field(
        default=False, description="Refuse queries of version 3 with parameters that there are not."
    )  # contract 6.32
    doc_page: bool | None = Field(
        default=None,
        description="Serve the page /doc/ to read and try the interface; unset: but in production.",
    )
    client_grace: Seconds = Field(
        default=10, description="Seconds that a client of gunicorn has for what it sends or reads."
    )
    client_least_rate: int = Field(
        default=4 << 10, ge=1, description="Bytes a second that it must send or read beyond them."
    )
    client_long_bodies: int | None = Field(
        default=None,
        ge=1,
        description="Long bodies that a process takes at a time; unset: half its threads, and one.",
    )
    client_queue: Seconds = Field(
        default=30, description="Seconds that the others wait for their turn."
    )
    accel: bool = Field(
        default=False,
        description="Have the proxy in front, if it says that it can, fetch large documents.",
    )
