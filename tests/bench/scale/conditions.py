"""Under what a run was made: machine, program, settings, and how busy others kept it."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.scale.cluster import SETTINGS
from tests.bench.scale.meters import load_average
from tests.bench.scale.site import Site


@dataclass(frozen=True, slots=True)
class Conditions:
    """Load averages at the beginning, before each part and at the end; ours is in them."""

    beginning: float
    parts: dict[str, float]

    def as_members(self, site: Site, remark: str) -> dict[str, Any]:
        """What the JSON file has of it."""
        version = site.cluster.ask("postgres", "SHOW server_version")[0][0]
        return {
            "remark": remark,
            "processors": os.cpu_count(),
            "processor": _read_processor(),
            "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "python": platform.python_version(),
            "postgres": version,
            "postgresSettings": {**SETTINGS, **_list_durability(site)},
            "commit": _read_commit(),
            "loadAverage": {"beginning": self.beginning, **self.parts, "end": load_average()},
            "databases": {
                name: {
                    "messages": population.total,
                    "whale": population.whale.messages,
                    "bytesAMessage": _weigh(site, name, population.total),
                    "secondsToMake": site.steps[name],
                }
                for population in site.populations
                for name in [site.name_database(population)]
            },
        }


def _list_durability(site: Site) -> dict[str, str]:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    return {name: site.cluster.ask("postgres", f"SHOW {name}")[0][0] for name in names}


def _weigh(site: Site, database: str, messages: int) -> dict[str, int]:
    """Bytes of each table for a message, its indexes included; small tables are left out."""
    rows = site.cluster.ask(database, _TABLES)
    return {name: round(size / messages) for name, size in rows if size / messages >= 1}


def _read_processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _read_commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - whichever git there is
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


_TABLES: Final = """
SELECT parent.relname, sum(pg_total_relation_size(part.oid)) AS size
FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid
JOIN pg_class parent ON parent.oid = inhparent
WHERE part.relkind = 'r' AND parent.relname NOT LIKE 'audit%%'
GROUP BY parent.relname ORDER BY size DESC
"""
