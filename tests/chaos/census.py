"""Files, threads and connections of the registry's processes, to see what is not given back."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.chaos.stack import ChaosService

# What a process's pools may hold more of after their first bad days: 32 connections to S3 and 8 to
# PostgreSQL, and threads for all neighbours. A leak is one an ill answer: more.
_SLACK: Final = {"files": 60, "threads": 30, "connections": 16}

Census = Mapping[str, int]


def count(service: ChaosService) -> Census:
    """What the processes hold now, as `web 1 files` or `connections of worker`."""
    pids = {f"web {n}": pid for n, pid in enumerate(service.workers(), 1)}
    if service.worker:
        pids["worker"] = service.worker.pid
    counts = {}
    for name, pid in pids.items():
        for what, folder in (("files", "fd"), ("threads", "task")):
            counts[f"{name} {what}"] = len(list(Path(f"/proc/{pid}/{folder}").iterdir()))
    for user, number in service.execute(_CONNECTIONS):
        counts[f"{user} connections"] = number
    return counts


def find_leaks(before: Census, after: Census) -> Iterator[str]:
    """Say what there is more of than pools and caches explain."""
    for name, number in after.items():
        more = number - before.get(name, 0)
        if more > _SLACK[name.rpartition(" ")[2]]:
            yield f"{name}: {before.get(name, 0)} before, {number} after"


_CONNECTIONS: Final = """
SELECT usename, count(*) FROM pg_stat_activity WHERE usename IN ('application', 'worker')
GROUP BY usename
"""
