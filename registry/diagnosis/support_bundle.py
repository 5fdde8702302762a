"""The support bundle: what whoever helps needs to know, and nothing of a person or a secret."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from registry import __version__
from registry.domain.errors import RegistryError
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.shape import read_shape
from registry.store.table_figures import read_queue_depths, read_table_sizes
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine

_SERVER_SETTINGS: Final = (
    *("server_version", "max_connections", "shared_buffers", "work_mem", "archive_mode"),
    *("synchronous_commit", "wal_level", "random_page_cost", "log_min_duration_statement"),
)
_MEMORY: Final = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")


def describe_program() -> dict[str, Any]:
    """Describe the program: its version, and those of Python and of all libraries."""
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": {each.name: each.version for each in distributions() if each.name},
        "gatheredAt": datetime.now(UTC).isoformat(),
    }


def describe_system() -> dict[str, Any]:
    """Describe the machine in figures; bytes, and kilobytes where it says kB."""
    usage = shutil.disk_usage(Path.cwd())
    return {
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
        "memory": _read_memory(),
        "disk": {"total": usage.total, "free": usage.free},
        "openFiles": _count_open_files(),
    }


def describe_database(settings: Settings) -> dict[str, Any]:
    """Describe the database by the worker's role; what cannot be asked has the kind of error."""
    facts: dict[str, Any] = {}
    questions: Mapping[str, Callable[[Transactions], Any]] = {
        "shape": _ask_shape,
        "server": _ask_server,
        "tables": _ask_tables,
        "queues": _ask_queues,
    }
    if settings.database_worker_url is None:
        return {"error": "REGISTRY_DATABASE_WORKER_URL is not set"}
    with _open_worker(settings) as transactions:
        for name, ask in questions.items():
            try:
                facts[name] = ask(transactions)
            except (SQLAlchemyError, RegistryError) as error:
                # Not its words, which could repeat what is in a row.
                facts[name] = {"error": type(error).__name__}
    return facts


@contextmanager
def _open_worker(settings: Settings) -> Iterator[Transactions]:
    engine = make_engine(settings, "worker")
    try:
        yield Transactions(engine, find_worker_fault)
    finally:
        engine.dispose()


def _ask_shape(transactions: Transactions) -> dict[str, Any]:
    with transactions() as connection:
        return read_shape(connection)._asdict()


def _ask_server(transactions: Transactions) -> dict[str, str]:
    with transactions() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) AS name",
            (list(_SERVER_SETTINGS),),
        )
        return dict(tuple(row) for row in rows)


def _ask_tables(transactions: Transactions) -> list[dict[str, Any]]:
    with transactions() as connection:
        return [each._asdict() for each in read_table_sizes(connection)]


def _ask_queues(transactions: Transactions) -> dict[str, Any]:
    with transactions() as connection:
        return read_queue_depths(connection)._asdict()


def _read_memory() -> dict[str, str]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:  # no Linux
        return {}
    members = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in members if name in _MEMORY}


def _count_open_files() -> int | None:
    try:
        return len(list(Path("/proc/self/fd").iterdir()))
    except OSError:
        return None
