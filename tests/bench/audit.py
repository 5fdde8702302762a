"""`make bench-audit`: what the trail costs a listing, and how fast it is sealed and verified."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg

from registry.audit.inspection_pool import InspectionPool, count_processors
from registry.audit.log import write_timestamp
from registry.audit.period import EVER
from registry.audit.store.entries import pack_entry
from registry.audit.store.seal_bucket import pack_seal
from registry.audit.trail.entry import Entry
from registry.cli.services import open_trail
from registry.sandbox.personas import CONSUMER, PERSONAS
from registry.sandbox.tokens import fetch
from registry.settings import Settings
from registry.wiring.audit import assemble_audit
from registry.wiring.worker import assemble_worker
from tests.bench.load import Target, compare, ratio
from tests.bench.trail_scale import measure_scale
from tests.service import BASE, CONF, Service

_MESSAGES = 500
_ROUNDS, _REQUESTS = 5, 1000
_MOST_RATIO = 1.25
_SEALED, _LEAST_RATE = 100_000, 2_000  # entries, and entries a second
_VERIFIED, _LONGEST = 1_000_000, 60.0  # entries, and seconds
# Seals of so many entries each; a year of them, one a minute, has ten minutes.
_SEALS, _ENTRIES_A_SEAL = 5_000, 20
_YEAR, _LONGEST_YEAR = 365 * 24 * 60, 600.0


def main() -> int:
    """Measure, print, and say with the exit code whether all hold."""
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        years = _verifying_seals(service)
        listed = _listing(service)
        sealed = _sealing(service)
        verified = _verifying(service)
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        scaled = measure_scale(service)
    return 0 if years and listed and sealed and verified and scaled else 1


def _verifying_seals(service) -> bool:
    """A year of seals, from some: first all from the bucket, and then up to a checkpoint.

    By as many processes as there are processors, from the first seal on that they are done with:
    their start takes two seconds, of a year as of these.
    """
    _make_seals(service)
    os.environ.update(service.env)  # which the processes inherit
    audit = assemble_audit(Settings.load(service.env))
    pool = InspectionPool(open_trail, count_processors())
    checkpoint, years = None, []
    for name in ("all from the bucket", "up to a checkpoint"):
        times: list[float] = []
        began = time.monotonic()
        verification, findings = audit.investigation.verify(
            EVER, lambda *_, times=times: times.append(time.monotonic()), checkpoint, pool
        )
        if faults := list(findings):
            raise SystemExit("\n".join(map(str, faults)))
        checkpoint = verification.checkpoint
        rate = (len(times) - pool.seals) / (times[-1] - times[pool.seals - 1])
        years.append(times[0] - began + _YEAR / rate)
        print(
            f"{_SEALS} seals of {_ENTRIES_A_SEAL} entries verified: {rate:.0f} a second by"
            f" {pool.jobs} processes, a year in {years[-1] / 60:.1f} minutes, {name}"
            f" (at most {_LONGEST_YEAR / 60:.0f})"
        )
    audit.dispose()
    return max(years) <= _LONGEST_YEAR


def _make_seals(service):
    """Seals made one after the other, and stored side by side, which takes the longest."""
    services = assemble_worker(Settings.load(service.env))
    stored_seals = []
    with (
        psycopg.connect(service.cluster.url("worker"), autocommit=True) as worker,
        psycopg.connect(service.cluster.url("owner"), autocommit=True) as owner,
        ThreadPoolExecutor(4) as threads,
    ):
        for _ in range(_SEALS):
            worker.execute(_ENTRIES, (_pack_entries(_ENTRIES_A_SEAL),))
            while services.sealer.prepare() is None:  # some transaction of the server is open
                time.sleep(0.01)
            number, seal, signature, until = owner.execute(_CALL_STORED).fetchone()
            stored_seals.append(
                threads.submit(services.sealer.store.put, number, pack_seal(seal, signature), until)
            )
        for each in stored_seals:
            each.result()
        owner.execute("ANALYZE")
    services.dispose()


def _listing(service) -> bool:
    """CPU of a listing with the trail and without, in turn."""
    persona = PERSONAS["enterprise-consumer"]
    _execute(service, _FILL, (f"enterprise:{persona.enterprise.digits}", _MESSAGES))
    token = fetch(service.federation.token_url, persona, service.area / "keys", scopes=[CONSUMER])
    bearer = {"Authorization": f"Bearer {token}"}
    env = {**service.env, "REGISTRY_TOKEN_CACHE_READS": "3600"}
    path = f"{BASE}/ebox/messages"
    targets = [
        Target("audited", "registry.app:create_app()", path, bearer, env, CONF),
        Target("unaudited", "tests.bench.handlers:unaudited()", path, bearer, env, CONF),
    ]
    try:
        for target in targets:
            target.start(service.area)
        measured = compare(targets, rounds=_ROUNDS, requests=_REQUESTS)
    finally:
        for target in targets:
            target.stop()
    least, median, most = ratio(measured["audited"], measured["unaudited"])
    for name, figures in measured.items():
        print(f"{name:>9}: {statistics.median(figures):.2f} ms CPU per listing")
    print(
        f"with the trail / without: {median:.2f}"
        f" (from {least:.2f} to {most:.2f}; at most {_MOST_RATIO})"
    )
    return median <= _MOST_RATIO


def _sealing(service) -> bool:
    """CPU of the sealer, in this process, and of the clock."""
    _entries(service, _SEALED)
    worker_services = assemble_worker(Settings.load(service.env))
    began, used = time.monotonic(), time.process_time()
    sealed = 0
    while sealed < _SEALED:
        sealed += worker_services.sealer.seal()
    took, used = time.monotonic() - began, time.process_time() - used
    worker_services.dispose()
    rate = sealed / took
    print(
        f"{sealed} entries sealed: {rate:.0f} a second (at least {_LEAST_RATE}),"
        f" {1e6 * used / sealed:.0f} µs CPU each"
    )
    return rate >= _LEAST_RATE


def _verifying(service) -> bool:
    """`registry audit verify`, once all is sealed."""
    _entries(service, _VERIFIED - _SEALED)
    worker_services = assemble_worker(Settings.load(service.env))
    while worker_services.sealer.seal():
        pass
    worker_services.dispose()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "registry", "audit", "verify"],
        env={**os.environ, **service.env},
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - began
    print(done.stdout.strip())
    if done.returncode:
        raise SystemExit(done.stderr)
    print(f"{_VERIFIED} entries verified in {took:.1f} s (under {_LONGEST:.0f})")
    return took < _LONGEST


def _entries(service, count):
    """Entries of listings, a thousand in a transaction."""
    url = service.cluster.url("worker")
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(count // 1000):
            connection.execute(_ENTRIES, (_pack_entries(1000),))


def _pack_entries(count):
    """Entries of lists of ten messages."""
    common = {
        "timestamp": write_timestamp(datetime.now(UTC)),
        "token_hash": "cd" * 32,
        "client_id": "bench",
        "method": "GET",
        "url": f"{BASE}/ebox/messages?page=1&pageSize=10",
        "status": 200,
        "ebox": f"01234567:{'ab' * 32}",
    }
    return [
        pack_entry(Entry(**common, details={"messageIds": [str(uuid4()) for _ in range(10)]}))
        for _ in range(count)
    ]


def _execute(service, statement, values):
    with psycopg.connect(service.cluster.url("owner"), autocommit=True) as connection:
        connection.execute(statement, values)
        connection.execute("ANALYZE")


_FILL = """
INSERT INTO messages (ebox, message_id, received_at, expires_at, is_registered,
  is_reply_authorized, partition, message_type_id, sender, sender_application_id, subject)
SELECT %s, gen_random_uuid(), now() - n * interval '1 minute', now() + interval '90 days', false,
  false, 'GENERAL', 'tax-assessment', '0308357159', 'my-minfin',
  '{"nl": "Aanslagbiljet", "fr": "Avertissement"}'
FROM generate_series(1, %s) AS n
"""
_ENTRIES = "INSERT INTO audit_entries (packed) SELECT unnest(CAST(%s AS bytea[]))"


_CALL_STORED = """
UPDATE audit_seals SET stored_at = now() WHERE stored_at IS NULL
RETURNING seal_number, seal, signature, kept_until
"""


if __name__ == "__main__":
    sys.exit(main())
