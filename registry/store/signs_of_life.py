"""Signs of life in the database: of workers, of sealing, and of what PostgreSQL archives."""

from typing import NamedTuple

from sqlalchemy import Connection


class WorkerSigns(NamedTuple):
    """Signs of workers: when one last began a job, and last stored a seal, by the database's clock.

    Seconds; None where it never was.
    """

    since_job: float | None
    since_seal: float | None


class ArchiveSigns(NamedTuple):
    """Signs of the archive of WAL: is it on, when did it last work, and did the last try fail?

    Seconds; None where it never did.
    """

    is_on: bool
    since_success: float | None
    is_failing: bool


def read_worker_signs(connection: Connection) -> WorkerSigns:
    """Read the signs of workers; for the worker's role."""
    row = connection.exec_driver_sql(
        "SELECT (SELECT extract(epoch FROM clock_timestamp() - max(taken_at))"
        "::double precision FROM turns),"
        " (SELECT extract(epoch FROM clock_timestamp() - max(stored_at))"
        "::double precision FROM audit_seals)"
    ).one()
    return WorkerSigns(*row)


def read_archive_signs(connection: Connection) -> ArchiveSigns:
    """Read the signs of the archive; any role may."""
    row = connection.exec_driver_sql(
        "SELECT current_setting('archive_mode') <> 'off',"
        " extract(epoch FROM clock_timestamp() - last_archived_time)::double precision,"
        " coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)"
        " FROM pg_stat_archiver"
    ).one()
    return ArchiveSigns(*row)
