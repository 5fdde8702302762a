"""Upkeep, which goes on by itself: workers, sealing, archive, backups; and reference data."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from registry.domain.report_lines import Grade, ReportLine
from registry.store.reference_gaps import find_reference_gaps
from registry.store.signs_of_life import read_archive_signs, read_worker_signs
from registry.store.transactions import Transactions

REFERENCE: Final = "reference data"
HEARTBEAT: Final = "worker heartbeat"
SEALS: Final = "last seal"
ARCHIVE: Final = "WAL archive"
BACKUP: Final = "last backup"
_SILENCE: Final = 300.0  # seconds in which a worker begins several jobs
_LAST_SEAL: Final = 2 * 3600.0  # a seal is made each hour, if only to say that nothing happened
_LAST_ARCHIVE: Final = 3600.0
_LAST_BACKUP: Final = 26.0  # hours: one a night, and two hours that it may take longer
_NAME: Final = re.compile(r"base-([0-9]{8}T[0-9]{6}Z)")  # as deploy/database/backup.sh names them
_MOST: Final = 5  # gaps that are named


def check_reference_data(transactions: Transactions) -> Iterator[ReportLine]:
    """Check that there are reference data, and that each text is there in three languages."""
    with transactions() as connection:
        gaps = find_reference_gaps(connection)
    remedy = "Complete the file of reference data, and run `registry refdata import`."
    if empty_names := [name for name, count in gaps.counts.items() if not count]:
        sight = f"Nothing is in {', '.join(empty_names)}."
        yield ReportLine(REFERENCE, Grade.FAIL, sight, remedy)
    elif gaps.texts:
        more = f" and {len(gaps.texts) - _MOST} more" if len(gaps.texts) > _MOST else ""
        sight = f"Texts lack a language: {'; '.join(gaps.texts[:_MOST])}{more}."
        yield ReportLine(REFERENCE, Grade.FAIL, sight, remedy)
    else:
        counts = ", ".join(f"{count} {name}" for name, count in gaps.counts.items())
        yield ReportLine(REFERENCE, Grade.PASS, f"In nl, fr and de: {counts}.")


def check_worker(transactions: Transactions) -> Iterator[ReportLine]:
    """Check that a worker is at work, and that what happens is sealed."""
    with transactions() as connection:
        signs = read_worker_signs(connection)
    start = "Start `registry worker`, and read its log: it says what it cannot do."
    yield _judge_age(HEARTBEAT, "A worker began a job", signs.since_job, _SILENCE, start)
    remedy = "Read the worker's log: deploy/runbooks/audit.md says what stops sealing."
    yield _judge_age(SEALS, "A seal was stored", signs.since_seal, _LAST_SEAL, remedy)


def check_archive(transactions: Transactions, *, is_real: bool) -> Iterator[ReportLine]:
    """Check that PostgreSQL archives its WAL; where there is nobody's mail it need not."""
    with transactions() as connection:
        signs = read_archive_signs(connection)
    remedy = "Set archive_mode and archive_command as deploy/runbooks/backup.md says."
    if not signs.is_on:
        grade = Grade.FAIL if is_real else Grade.WARN
        sight = "archive_mode is off: what came since the last backup would be lost."
        yield ReportLine(ARCHIVE, grade, sight, remedy)
    elif signs.is_failing:
        sight = "The last segment of WAL could not be archived."
        remedy = "Read PostgreSQL's log, and mend archive_command or the place that it copies to."
        yield ReportLine(ARCHIVE, Grade.FAIL, sight, remedy)
    else:
        yield _judge_age(ARCHIVE, "WAL was archived", signs.since_success, _LAST_ARCHIVE, remedy)


def check_backup(folder: Path | None) -> Iterator[ReportLine]:
    """Check the age of the newest backup in the folder of `backup.sh`; None where it is not known.

    Its names have the instant at which each was begun, and no backup has one that was not verified.
    """
    if folder is None:
        sight = "It cannot be known from here when the database was backed up."
        remedy = "Name the folder of deploy/database/backup.sh with --backups, where it is seen."
        yield ReportLine(BACKUP, Grade.WARN, sight, remedy)
        return
    try:
        names = [match[1] for each in folder.iterdir() if (match := _NAME.fullmatch(each.name))]
    except OSError as error:
        sight = f"{folder} cannot be read: {(error.strerror or 'it fails').lower()}."
        yield ReportLine(BACKUP, Grade.FAIL, sight, "Name the folder with --backups.")
        return
    remedy = "Run deploy/database/backup.sh, and see that its timer is on: systemctl list-timers."
    since = None
    if names:
        begun_at = datetime.strptime(max(names), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        since = (datetime.now(UTC) - begun_at).total_seconds()
    yield _judge_age(BACKUP, "A backup was begun", since, _LAST_BACKUP * 3600, remedy)


def _judge_age(
    subject: str, event: str, seconds: float | None, limit: float, remedy: str
) -> ReportLine:
    if seconds is None:
        return ReportLine(subject, Grade.FAIL, f"{event}: never.", remedy)
    grade = Grade.PASS if seconds <= limit else Grade.FAIL
    sight = f"{event} {describe_age(seconds)} ago."
    return ReportLine(subject, grade, sight, "" if grade is Grade.PASS else remedy)


def describe_age(seconds: float) -> str:
    """Describe a length of time in the unit that says most of it."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} seconds"
