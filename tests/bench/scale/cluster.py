"""PostgreSQL as it is measured: settings of a small server, statements counted, no fsync."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg

from registry.sandbox.servers.postgres import SUPERUSER, Cluster

SETTINGS: Final = {
    "shared_buffers": "4GB",
    "effective_cache_size": "12GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
}


class MeasuredCluster(Cluster):
    """One whose settings are those above; several databases lie in it side by side."""

    def list_settings(self) -> Mapping[str, str]:
        """List the usual ones of the sandbox, and ours."""
        return {**super().list_settings(), **SETTINGS}

    def ask(self, database: str, statement: str, *values: object) -> list[tuple]:
        """Ask or tell a database something as its superuser; gives the rows."""
        with psycopg.connect(self.url(SUPERUSER, database), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def hold_autovacuum(self) -> Iterator[None]:
        """Leave tables that are being filled to the VACUUM that follows."""
        self._alter("SET autovacuum = off")
        try:
            yield
        finally:
            self._alter("RESET autovacuum")

    def _alter(self, what: str) -> None:
        self.ask("postgres", f"ALTER SYSTEM {what}")
        self.ask("postgres", "SELECT pg_reload_conf()")

    def list_backends(self, user: str, database: str) -> list[int]:
        """List the processes that serve a user in a database."""
        rows = self.ask("postgres", _BACKENDS, user, database)
        return [pid for (pid,) in rows]


_BACKENDS: Final = "SELECT pid FROM pg_stat_activity WHERE usename = %s AND datname = %s"
