"""A PostgreSQL cluster with a base backup and an archive of its WAL, from which it comes back."""

import os
import shlex
import shutil
import signal
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg.rows import class_row

from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.sandbox.servers.processes import Process, StartFailed, pause, tail

_PROGRAMS: Final = ("pg_basebackup", "pg_verifybackup")
_PATIENCE: Final = 60.0  # seconds for a backup, and until a segment is in the archive
# PostgreSQL asks for a second copy of a segment when it cannot know of the first. A segment must
# never be overwritten by another one, and must never be there in part under its name.
_ARCHIVE: Final = (
    "if test -e {place}/%f; then cmp -s %p {place}/%f;"
    " else cp %p {place}/%f.part && mv {place}/%f.part {place}/%f; fi"
)


class ArchiveFailed(Exception):
    """Backup and archive are not what a restore needs; the message says what is missing."""


class ArchiveState(NamedTuple):
    """The last file of WAL that was archived, and when; None before the first."""

    segment: str | None
    archived_at: datetime | None


class ArchivedCluster(Cluster):
    """A cluster that archives its WAL, every `archive_every` seconds at the latest.

    Archive and backup lie beside its data, in a folder that PostgreSQL's user must be able to
    reach. Commands and settings are those of PostgreSQL's manual, chapter 26.3.
    """

    def __init__(self, directory: Path, *, archive_every: int, durable: bool = True) -> None:
        super().__init__(directory, durable=durable)
        self.archive = self.directory / "archive"
        self.backup = self.directory / "backup"
        self._archive_every = archive_every
        self._target: datetime | None = None

    def start(self) -> Self:
        """Start; raises `StartFailed` also for a folder that PostgreSQL's user cannot reach."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._account.may("-x", self.directory):
            raise StartFailed(f"PostgreSQL's user cannot reach {self.directory}; choose another.")
        for program in _PROGRAMS:
            path = Path(self._command(program)[-1])
            if not path.exists():
                raise StartFailed(f"PostgreSQL has no {path.name} in {path.parent}.")
        self.archive.mkdir(exist_ok=True)
        self._give(self.archive)
        return super().start()

    def list_settings(self) -> Mapping[str, str]:
        """List the settings: those of a server that archives, and restores from its archive."""
        # In a command, % stands for a name of PostgreSQL's.
        place = shlex.quote(str(self.archive)).replace("%", "%%")
        settings = {
            **super().list_settings(),
            "archive_mode": "on",
            "archive_timeout": str(self._archive_every),
            "archive_command": _ARCHIVE.format(place=place),
            "restore_command": f"cp {place}/%f %p",
            "recovery_target_action": "promote",
            "hot_standby": "off",  # nobody is let in before recovery is at its end
        }
        if self._target is not None:
            settings["recovery_target_time"] = self._target.isoformat()
        return settings

    def back_up(self) -> None:
        """Make a base backup beside those who write, and see that its WAL is archived.

        Raises `StartFailed` when a program of PostgreSQL's fails, `ArchiveFailed` when nothing is
        archived.
        """
        self.backup.mkdir(mode=0o700)
        self._give(self.backup)
        source = self.url(SUPERUSER, "postgres")
        options = ["--checkpoint=fast"] if self.durable else ["--checkpoint=fast", "--no-sync"]
        self._run("pg_basebackup", "-d", source, "-D", self.backup, *options)
        self._run("pg_verifybackup", self.backup)
        self.await_archive()

    def await_archive(self, *, timeout: float = _PATIENCE) -> None:
        """Wait until a backup's last segment is archived, and the file that says so.

        Raises `ArchiveFailed` after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not any(self.archive.glob("*.backup")):
            if time.monotonic() > deadline:
                raise ArchiveFailed(
                    f"No backup was archived in {self.archive} for {timeout:g} seconds:\n"
                    f"{tail(self._process.log)}"
                )
            pause(0.1)

    def read_archive_state(self) -> ArchiveState:
        """Read what the archiver has done, as PostgreSQL counts it."""
        with self._connect() as connection:
            cursor = connection.cursor(row_factory=class_row(ArchiveState))
            cursor.execute(
                "SELECT last_archived_wal AS segment, last_archived_time AS archived_at"
                " FROM pg_stat_archiver"
            )
            return cursor.fetchone() or ArchiveState(None, None)

    def lose(self) -> None:
        """Kill the server at once, and delete its data with all WAL that is not archived."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()
        # In one step: processes that are just dying may still write a file.
        grave = self.directory / "gone"
        (self.directory / "data").rename(grave)
        shutil.rmtree(grave, ignore_errors=True)

    def restore(self, segment: str | None, until: datetime | None = None) -> None:
        """Lay the base backup out, recover from the archive, and start.

        `segment` is the last that the archive must have; `until` ends recovery there, else with
        the archive. Raises `ArchiveFailed`, and `StartFailed` when PostgreSQL cannot recover.
        """
        if not (self.backup / "backup_manifest").is_file():
            raise ArchiveFailed(f"There is no base backup in {self.backup}.")
        if segment is None or not (self.archive / segment).is_file():
            raise ArchiveFailed(f"The archive {self.archive} lacks WAL segment {segment}.")
        data = self._data()
        self._run("cp", "-a", f"{self.backup}/.", data)
        mark = data / "recovery.signal"
        mark.touch(mode=0o600)
        self._give(mark)
        self._target = until
        self.start()
        if until is None and not self._has_replayed(segment):
            raise ArchiveFailed(f"Recovery ended before WAL segment {segment}; see postgres.log.")

    def read_recovery_point(self) -> datetime | None:
        """Read when the last transaction that recovery brought back was committed, if any was."""
        with self._connect() as connection:
            row = connection.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
        point: datetime | None = row[0] if row else None
        return point

    def _has_replayed(self, segment: str) -> bool:
        """Tell if recovery came to something in this segment."""
        # Eight digits each: the timeline, and the two halves of a position, in steps of 16 MB.
        begin = f"{segment[8:16]}/{segment[22:24]}000000"
        with self._connect() as connection:
            statement = "SELECT pg_last_wal_replay_lsn() > %s::pg_lsn"
            row = connection.execute(statement, [begin]).fetchone()
        return bool(row and row[0])

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(SUPERUSER), autocommit=True)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = (
            self._account.command(program, *arguments)
            if program == "cp"
            else self._command(program, *arguments)
        )
        task = Process(program, self.directory / f"{program}.log")
        task.start(command, cwd=self.directory).finish(timeout=_PATIENCE)
