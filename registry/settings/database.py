"""PostgreSQL: its roles, and how long it may take."""

from typing import Annotated

from pydantic import Field

from registry.settings.kinds import DatabaseUrl, Seconds
from registry.settings.section import SettingsSection


class DatabaseSettings(SettingsSection):
    """PostgreSQL: its roles, and how long it may take."""

    database_url: DatabaseUrl = Field(
        description="PostgreSQL as the web servers' role, postgresql://user:password@host:5432/database."
    )
    database_owner_url: DatabaseUrl | None = Field(
        default=None, description="The same as the owner of the tables, for migrations alone."
    )
    database_application_role: str = Field(
        default="registry_application", description="Name of the web servers' role, for migrations."
    )
    database_worker_url: DatabaseUrl | None = Field(
        default=None,
        description="The same as the worker's role, for it and for what operators type.",
    )
    database_worker_role: str = Field(
        default="registry_worker", description="Name of the worker's role, for migrations."
    )
    database_pool_size: int = Field(
        default=8, ge=1, description="Connections of a process, and threads of gunicorn's."
    )
    database_pool_timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        default=3, description="Seconds that a request waits for a connection of the pool."
    )
    database_connect_timeout: int = Field(
        default=3, ge=2, le=30, description="Seconds that connecting may take."
    )
    database_statement_timeout: Seconds = Field(
        default=7, description="Seconds that a statement may take; 0: no limit."
    )
    database_lock_timeout: Seconds = Field(
        default=5, description="Seconds that a statement waits for a lock; 0: no limit."
    )
    database_silence: int = Field(
        default=5,
        ge=2,
        le=600,
        description="Seconds without a sign of life, after which a connection is given up.",
    )
    database_pooler: bool = Field(
        default=False, description="On behind a pooler in transaction mode, as pgbouncer."
    )
