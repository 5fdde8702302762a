"""`make bench-publish`: memory, throughput and statements of publications, on real parts."""

import base64
import hashlib
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from uuid import uuid4

import psycopg

from registry.sandbox.servers.postgres import SUPERUSER
from tests.bench.load import ratio
from tests.service import PublicationRequest, Service, head, stream

MIB = 1 << 20
_MOST_GROWTH = 48  # MiB, while one file of 1 GiB is published
_LARGE, _PIECE = 1024 * MIB, bytes(256 * 1024).replace(b"\0", b"x")
_LEAST_RATIO = 0.6  # of the throughput of bare PUTs
_CLIENTS, _ROUNDS, _EACH = 4, 7, 6
_MOST_STATEMENTS = 9


def main() -> int:
    """Measure, print, and say with the exit code whether all three hold."""
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        service.serve(workers=1)
        token = service.token()
        warm = PublicationRequest(_pdf(100_000))
        _publish(warm, service.port, token)
        growth = _growth(service, token)
        count = _statements(service, token)
        service.gunicorn.stop()
        service.serve()
        ours, bare = _throughput(service, token)
    least, median, most = ratio(ours, bare)
    print(f"RSS while 1 GiB is published: +{growth:.1f} MiB (less than {_MOST_GROWTH})")
    print(
        f"8-MiB files, {_CLIENTS} at once: {statistics.median(ours):.0f} MiB/s, bare PUTs"
        f" {statistics.median(bare):.0f} MiB/s: ratio {median:.2f}"
        f" (from {least:.2f} to {most:.2f}; at least {_LEAST_RATIO})"
    )
    print(f"SQL statements for a PDF of 100 kB: {count} (at most {_MOST_STATEMENTS})")
    holds = growth < _MOST_GROWTH and median >= _LEAST_RATIO and count <= _MOST_STATEMENTS
    return 0 if holds else 1


def _pdf(size):
    return b"%PDF-1.7\n".ljust(size, b"x")


def _publish(publication, port, token):
    status, members = publication.send(port, token, key=str(uuid4()))
    if status != 201:
        raise SystemExit(f"a publication was answered {status}: {members}")


def _growth(service, token):
    """MiB by which the worker's memory at its highest was above what it was before."""
    (worker,) = service.workers()
    frame = PublicationRequest(b"", message_first=False)
    document = [_pdf(len(_PIECE)), *repeat(_PIECE, _LARGE // len(_PIECE) - 1)]
    digest = hashlib.sha256()
    for piece in document:
        digest.update(piece)
    digest = base64.urlsafe_b64encode(digest.digest())
    opening, closing = frame.body[: frame.document_at], frame.body[frame.document_at :]
    pieces = [opening, *document, closing.replace(frame.digest.encode(), digest)]
    opening = head(token, sum(map(len, pieces)), str(uuid4()))
    Path(f"/proc/{worker}/clear_refs").write_text("5")  # forget the highest so far
    before = _memory(worker, "VmRSS")
    started = time.monotonic()
    status, members = stream(service.port, opening, pieces)
    if status != 201:
        raise SystemExit(f"the file of 1 GiB was answered {status}: {members}")
    print(f"1 GiB in {time.monotonic() - started:.1f} s", file=sys.stderr)
    return _memory(worker, "VmHWM") - before


def _memory(pid, name):
    """MiB, as the kernel counts them."""
    (line,) = re.findall(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(line) / 1024


def _statements(service, token):
    """How many PostgreSQL logs while one PDF is published; rules and rights are known."""
    log = service.cluster.directory / "postgres.log"
    with _logged(service):
        start = log.stat().st_size
        _publish(PublicationRequest(_pdf(100_000)), service.port, token)
        time.sleep(0.5)
        with log.open("rb") as file:
            file.seek(start)
            said = file.read().decode(errors="replace")
    found = [
        statement.strip()
        for line in re.findall(
            r"^registry\|LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", said, re.M
        )
        for statement in _split(line)
    ]
    for statement in found:
        print("   ", " ".join(statement.split())[:110], file=sys.stderr)
    return len(found)


def _split(line):
    """BEGIN and SET travel in one message, but are two."""
    return line.split("; ") if line.startswith("BEGIN") else [line]


@contextmanager
def _logged(service):
    url = service.cluster.url(SUPERUSER)
    changes = {"log_statement": "'all'", "log_line_prefix": "'registry|'"}
    with psycopg.connect(url, autocommit=True) as connection:
        for name, value in changes.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)
        yield
        for name in changes:
            connection.execute(f"ALTER SYSTEM RESET {name}")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)


def _throughput(service, token):
    """MiB/s of publications and of bare PUTs, in turn."""
    document = _pdf(8 * MIB)
    publication = PublicationRequest(document)
    client = service.objects.client()
    bucket = service.objects.bucket

    def publish():
        _publish(publication, service.port, token)

    def put():
        client.put_object(Bucket=bucket, Key=f"bare/{uuid4()}", Body=document)

    _rate(publish), _rate(put)  # caches, connections
    ours, bare = [], []
    for _ in range(_ROUNDS):
        ours.append(_rate(publish))
        bare.append(_rate(put))
    client.close()
    return ours, bare


def _rate(work):
    started = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        for done in [pool.submit(work) for _ in range(_CLIENTS * _EACH)]:
            done.result()
    return _CLIENTS * _EACH * 8 / (time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
