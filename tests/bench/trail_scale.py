"""A trail of BENCH_ENTRIES entries: what each takes, and how long all of it and some of it take."""

import json
import os
import subprocess
import sys
import time

import psycopg

from registry.audit.store.packing import unpack
from registry.settings import Settings
from registry.wiring.worker import assemble_worker
from tests.bench.trail import fill, find_ebox

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "200000"))
_MOST_BYTES = 400  # an entry, in its table and in sheaves, with all indexes
_LEAST_RATE = 2_000  # entries a second, sealed and filed
_LONGEST_SEARCH = 2.0  # seconds, the start of the command among them
_EBOX = ENTRIES // 100  # one of those in the middle, of a few sessions a year
_FAMILIES = ("audit_entries", "audit_sheaves", "audit_seals")


def measure_scale(service) -> bool:
    """Fill a new service's trail, then seal, file, verify and search it; says whether all hold."""
    began = time.monotonic()
    for count in fill(service.cluster.url("owner"), ENTRIES, service.env["REGISTRY_HASH_KEY"]):
        print(f"\r{count} of {ENTRIES} entries", end="", file=sys.stderr, flush=True)
    print(f"\r{ENTRIES} entries in {time.monotonic() - began:.0f} s", file=sys.stderr)
    services = assemble_worker(Settings.load(service.env))
    sealed = _measure_rate("sealed", services.sealer.seal)
    filed = _measure_rate("filed", services.filing.file)
    services.dispose()
    size = _measure_size(service)
    verified = _time_command(service, "verify")
    print(f"{ENTRIES} entries verified in {verified:.1f} s")
    searches = _measure_searches(service)
    return sealed and filed and size and searches


def _measure_rate(deed, act) -> bool:
    """Work until nothing is left; the first tenth and the last tell whether it grows slower."""
    times, counts = [time.monotonic()], []
    while count := act():
        times.append(time.monotonic())
        counts.append(count)
    tenth = max(1, len(counts) // 10)
    first = sum(counts[:tenth]) / (times[tenth] - times[0])
    last = sum(counts[-tenth:]) / (times[-1] - times[-1 - tenth])
    rate = sum(counts) / (times[-1] - times[0])
    print(
        f"{sum(counts)} entries {deed}: {rate:.0f} a second (at least {_LEAST_RATE});"
        f" the first tenth {first:.0f}, the last {last:.0f}"
    )
    return rate >= _LEAST_RATE


def _measure_size(service) -> bool:
    with psycopg.connect(service.cluster.url("owner"), autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE audit_entries, audit_sheaves, audit_seals")
        sizes = {name: owner.execute(_SIZE, (name, name)).fetchone()[0] for name in _FAMILIES}
    each = {name: size / ENTRIES for name, size in sizes.items()}
    entry = each["audit_entries"] + each["audit_sheaves"]
    print(
        f"bytes an entry: {entry:.0f} (at most {_MOST_BYTES}), of which {each['audit_sheaves']:.0f}"
        f" are sheaves; beside them {each['audit_seals']:.0f} of seals"
    )
    return entry <= _MOST_BYTES


def _measure_searches(service) -> bool:
    message, token = _find_opened_letter(service)
    searches = {
        "message": ("--message", message, "--all"),
        "e-Box": ("--ebox", f"enterprise:{find_ebox(_EBOX).number}"),
        "token": ("--token-hash", token),
    }
    took = {name: _time_command(service, "reconstruct", *words) for name, words in searches.items()}
    evidence = _time_command(
        service, "evidence", "--message", message, "--output", str(service.area / "letter.zip")
    )
    for name, seconds in took.items():
        print(f"reconstructed by {name} in {seconds:.2f} s (at most {_LONGEST_SEARCH:.0f})")
    print(f"evidence of a message in {evidence:.2f} s")
    return max(took.values()) <= _LONGEST_SEARCH


def _find_opened_letter(service) -> tuple[str, str]:
    """A message of which somebody read a document, in the middle of the trail, and his token."""
    with psycopg.connect(service.cluster.url("owner")) as owner:
        for (parcel,) in owner.execute(_ENTRIES_IN_THE_MIDDLE):
            text, *_ = unpack(parcel)
            entry = json.loads(text)
            _, is_document, rest = entry["API_CALL_REQUEST_URL"].partition("/ebox/messages/")
            if is_document and "/attachments/" in rest:
                return rest.partition("/")[0], entry["SUBJECT_TOKEN_HASHED"]
    raise SystemExit("No document was read in the middle of the trail.")


def _time_command(service, *words) -> float:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "registry", "audit", *words],
        env={**os.environ, **service.env},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}")
    return time.monotonic() - began


_ENTRIES_IN_THE_MIDDLE = f"""
SELECT packed FROM audit_entries WHERE xid BETWEEN '{ENTRIES // 2}' AND '{ENTRIES // 2 + 500}'
ORDER BY xid
"""
# Of a table and all its partitions, with what is stored apart and all indexes.
_SIZE = """
SELECT CAST(sum(pg_total_relation_size(inhrelid)) AS bigint) FROM (
  SELECT inhrelid FROM pg_inherits WHERE inhparent = CAST(%s AS regclass)
  UNION ALL SELECT CAST(%s AS regclass)
) AS parts
"""
