"""A database filled by COPY, in two processes, then indexed, migrated and vacuumed."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context
from typing import Final

import psycopg
from sqlalchemy import create_engine

from registry import migrations
from registry.sandbox.seeds import reference
from registry.sandbox.servers.postgres import APPLICATION_ROLE
from tests.bench.scale.eboxes import FilledEbox, Population
from tests.bench.scale.progress import Progress
from tests.bench.scale.rows import COLUMNS, StoredDocument, make_batches

# Filled before what later revisions make of the tables: so these rows need not follow each of
# them, and every run migrates a full database as operators do.
FILLED_AT: Final = "0015"
_BATCH: Final = 10_000  # messages of a transaction
_SHARE: Final = 50_000  # messages of a task, of one e-Box or many
_PROCESSES: Final = 2


def fill_database(
    owner_url: str, superuser_url: str, population: Population, document: StoredDocument,
    now: datetime,
) -> dict[str, float]:  # fmt: skip
    """Make the tables and fill them; gives the seconds of each step."""
    engine = create_engine(owner_url)
    migrations.upgrade(engine, APPLICATION_ROLE, FILLED_AT)
    with engine.begin() as connection:
        reference.plant(connection)
    engine.dispose()
    clock = _Clock()
    indexes = _drop_indexes(superuser_url)
    _copy_all(superuser_url, population, document, now)
    clock.note("copy")
    _create_indexes(superuser_url, indexes)
    clock.note("index")
    return clock.steps


def bring_up_to_date(owner_url: str, superuser_url: str, *, is_vacuumed: bool) -> dict[str, float]:
    """Migrate a full database to what this checkout needs; vacuum what is new or has changed."""
    clock = _Clock()
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        before = connection.execute(_REVISION).fetchone()
        engine = create_engine(owner_url)
        migrations.upgrade(engine, APPLICATION_ROLE)
        engine.dispose()
        clock.note("migrate")
        if not is_vacuumed or connection.execute(_REVISION).fetchone() != before:
            connection.execute("VACUUM (ANALYZE, FREEZE)")
            connection.execute("CHECKPOINT")
            clock.note("vacuum")
    return clock.steps


def share_out(eboxes: Iterable[FilledEbox], most: int) -> Iterable[list[FilledEbox]]:
    """Divide the e-Boxes, and the large ones themselves, into tasks of so many messages."""
    task: list[FilledEbox] = []
    room = most
    for ebox in eboxes:
        left = ebox.messages
        while left:
            part = min(left, room)
            task.append(FilledEbox(ebox.key, part))
            left, room = left - part, room - part
            if not room:
                yield task
                task, room = [], most
    if task:
        yield task


@contextmanager
def _leaving_at_once(pool: Executor) -> Iterator[Executor]:
    """Wait for the pool's work, but not when we are interrupted: it ends with the server."""
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


class _Clock:
    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._since = time.monotonic()

    def note(self, step: str) -> None:
        now = time.monotonic()
        self.steps[step] = round(now - self._since, 1)
        self._since = now


def _copy_all(url: str, population: Population, document: StoredDocument, now: datetime) -> None:
    progress = Progress("messages", population.total)
    with _leaving_at_once(ProcessPoolExecutor(_PROCESSES, get_context("spawn"))) as pool:
        tasks = [
            pool.submit(_copy_share, url, share, document, now, seed)
            for seed, share in enumerate(share_out(population, _SHARE))
        ]
        for task in tasks:
            progress.add(task.result())
    progress.close()


def _copy_share(
    url: str, eboxes: list[FilledEbox], document: StoredDocument, now: datetime, seed: int
) -> int:
    count = 0
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # foreign keys hold as made
        connection.commit()
        for batch in make_batches(eboxes, document, now, _BATCH, seed):
            for table, columns in COLUMNS.items():
                with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    copy.write("".join(batch.lines[table]))
            connection.commit()
            count += batch.messages
    return count


def _drop_indexes(url: str) -> list[str]:
    """Drop those that no constraint needs; gives what makes them again."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(_INDEXES, [list(COLUMNS)]).fetchall()
        for name, _ in rows:
            connection.execute(f"DROP INDEX {name}")
    # PostgreSQL writes those of partitioned tables without their partitions.
    return [definition.replace(" ON ONLY ", " ON ") for _, definition in rows]


def _create_indexes(url: str, definitions: list[str]) -> None:
    progress = Progress("indexes", len(definitions))

    def create(definition: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(definition)

    with _leaving_at_once(ThreadPoolExecutor(_PROCESSES)) as threads:
        for _ in threads.map(create, definitions):
            progress.add(1)
    progress.close()


_REVISION: Final = "SELECT version_num FROM alembic_version"
_INDEXES: Final = """
SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid
WHERE c.relkind = 'I' AND t.relname = ANY(%s)
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)
ORDER BY c.relname LIKE 'ix_search%%' DESC, c.relname
"""
