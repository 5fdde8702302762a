"""Resident memory of the workers of a gunicorn under mixed load, from minute to minute."""

import time
from typing import Final

from tests.bench.scale.bench import Bench
from tests.bench.scale.generator import Generator, Load
from tests.bench.scale.meters import resident_mib
from tests.bench.scale.profiles import script_portal, script_publishing, script_sweep
from tests.bench.scale.progress import say
from tests.bench.scale.verdicts import Comparison, Verdict

_WORKERS: Final = 2
_WARM: Final = 60.0  # seconds until everything was used once
_EVERY: Final = 60.0


def measure_memory(bench: Bench, minutes: float) -> None:
    """People, software and senders at once for so long; each worker against its own beginning."""
    database = bench.site.name_database(bench.largest)
    served = bench.site.serve(database, workers=_WORKERS)
    seconds = _WARM + 60 * minutes
    scripts = [
        *script_portal(bench.site, database, 4),
        *script_sweep(bench.site, 2),
        *script_publishing(bench.site, 2),
    ]
    with Generator() as load:
        running = load.begin(Load(served.port, scripts, seconds=seconds + 5, rate=10.0))
        time.sleep(_WARM)
        first = resident_mib(served.pid)
        values = {"after 1 min": max(first)}
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < 60 * minutes:
            time.sleep(min(_EVERY, 60 * minutes - passed))
            last = resident_mib(served.pid)
            minute = round((_WARM + time.monotonic() - begin) / 60)
            values[f"after {minute} min"] = max(last)
            say(f"minute {minute}: " + ", ".join(f"{each:.1f} MiB" for each in last))
        answers = running.result()
    served.stop()
    if answers.failures or len(first) != len(last):
        raise SystemExit(f"a worker or a request failed: {dict(answers.statuses)}")
    bench.compare(Comparison("Memory of the largest worker", "MiB", values))
    growths = [after / before for before, after in zip(first, last, strict=True)]
    parts = {"begin, MiB": max(first), "end, MiB": max(last), "requests": answers.count}
    bench.judge(Verdict("memory", max(growths), parts))
