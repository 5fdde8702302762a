"""What operators ask of a trail of millions of entries, by the commands they type."""

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Final

from tests.bench.scale.bench import Bench
from tests.bench.scale.generator import Load, Step
from tests.bench.scale.profiles import LIST, list_contents
from tests.bench.scale.progress import Progress, say
from tests.bench.scale.verdicts import Comparison, Verdict
from tests.bench.scale.wire import make_get

_LISTINGS: Final = 25  # of the e-Box that is looked for
_OTHERS: Final = 20  # e-Boxes, whose entries are copied
_BATCH: Final = 10_000  # entries of a transaction
_TIMES: Final = 3
_ENOUGH: Final = 10.0  # seconds, after which a command is not tried again
# A program that is installed does not compile its modules each time it starts.
_ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def measure_trail(bench: Bench) -> None:
    """Fill the trail up to as many entries as there are messages, seal and file it; look for two.

    As a worker does, which never rests.
    """
    site, database = bench.site, bench.site.name_database(bench.largest)
    wanted = bench.largest.readers[-1]
    message_id = list_contents(site, database, wanted)[0]
    _list_wanted(bench, database)
    _fill(bench, database)
    (entries,) = site.cluster.ask(database, "SELECT count(*) FROM audit_entries")[0]
    for job in ("seal", "file"):
        began = time.monotonic()
        _run(bench, database, "worker", "--once", "--only", job)
        say(f"{job}: {time.monotonic() - began:.0f} s for a trail of {entries:,} entries")
    start = _time(bench, database, "audit", "reconstruct", "--help")
    for name, option, value in (
        ("reconstruct message", "--message", str(message_id)),
        ("reconstruct e-Box", "--ebox", wanted.number),
    ):
        command = ("audit", "reconstruct", option, value)
        seconds = _time(bench, database, *command)
        parts = {
            "entries": entries,
            "of them shown": _count_shown(_run(bench, database, *command, "--json")),
            "seconds of the program's start alone": start,
        }
        bench.judge(Verdict(name, seconds, parts))
    sizes = site.cluster.ask(database, _SIZES, entries)[0][0]
    values = {"goal": 400.0, "entry with its indexes": float(sizes)}
    bench.compare(Comparison("Audit trail", "bytes an entry", values))


def _list_wanted(bench: Bench, database: str) -> None:
    served = bench.site.serve(database, workers=1)
    others = bench.largest.readers[5 : 5 + _OTHERS]
    for ebox in (*others, bench.largest.readers[-1]):
        request = make_get(LIST, bench.site.callers.consumer(ebox))
        load = Load(served.port, [[Step("listing", request)]], count=_LISTINGS)
        bench.generator.run(load)
    served.stop()


def _fill(bench: Bench, database: str) -> None:
    """Copy entries of others' listings: as long as real ones, and of the form they have today."""
    ask = bench.site.cluster.ask
    ((columns,),) = ask(database, _COLUMNS)
    ask(database, "DROP TABLE IF EXISTS bench_entries")
    ask(database, _TEMPLATE.format(columns=columns))
    (present,) = ask(database, "SELECT count(*) FROM audit_entries")[0]
    missing = bench.largest.messages - present
    progress = Progress("audit entries", max(0, missing))
    for _ in range(0, missing, _BATCH):
        ask(database, _COPY.format(columns=columns), _BATCH)
        progress.add(_BATCH)
    progress.close()
    ask(database, "DROP TABLE bench_entries")
    ask(database, "VACUUM ANALYZE audit_entries")


def _time(bench: Bench, database: str, *arguments: str) -> float:
    seconds: list[float] = []
    while len(seconds) < _TIMES and sum(seconds) < _ENOUGH:
        began = time.monotonic()
        _run(bench, database, *arguments)
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def _count_shown(printed: str) -> int:
    """Count entries of what was printed: of a letter, steps with the number of entries of each."""
    return sum(item.get("times", 1) for item in json.loads(printed))


def _run(bench: Bench, database: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "registry", *arguments],
        env={**_ENVIRONMENT, **bench.site.env(database)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"registry {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return done.stdout


# All columns that are not the database's to say.
_COLUMNS: Final = """
SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns
WHERE table_name = 'audit_entries' AND column_name NOT IN ('recorded_at', 'entry_number', 'xid')
"""
# Packed entries name no e-Box that a query sees: they are those before the last, of whom is wanted.
_TEMPLATE: Final = f"""
CREATE TABLE bench_entries AS
SELECT row_number() OVER () AS bench_number, {{columns}} FROM (
  SELECT {{columns}} FROM audit_entries ORDER BY entry_number DESC
  LIMIT {_OTHERS * _LISTINGS} OFFSET {_LISTINGS}) AS entries
"""
_COPY: Final = """
INSERT INTO audit_entries ({columns})
SELECT {columns} FROM generate_series(1, %s) AS n
JOIN bench_entries ON bench_number = 1 + n %% (SELECT count(*) FROM bench_entries)
"""
_SIZES: Final = """
SELECT sum(pg_total_relation_size(inhrelid)) / %s
FROM pg_inherits WHERE inhparent = 'audit_entries'::regclass
"""
