"""`make bench-outbox`: how fast events are told, and what a purge costs those who read."""

import statistics
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from registry.sandbox.personas import CONSUMER, PERSONAS
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK
from registry.sandbox.tokens import fetch
from tests.service import BASE, PublicationRequest, Service

_EVENTS, _LEAST_RATE = 100_000, 2_000  # a second
_ANSWER = 0.02  # seconds that the event service takes
_MOST_GROWTH = 32  # MiB of the worker, from its first thousands of events to its last
_LONGEST_WAIT = 10.0  # seconds of a single event behind a broadcast of as many
_EXPIRED, _MOST_RATIO = 100_000, 1.5
_QUIET = 20.0  # seconds of listings on each side of the purge
_RATE = 20  # listings a second of each client
_CLIENTS = 2


def main() -> int:
    """Measure, print, and say with the exit code whether all of it holds."""
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        service.serve()
        drained = _drain(service)
        purged = _purge(service)
    return 0 if drained and purged else 1


def _drain(service) -> bool:
    """Tell a broadcast's events, with a single publication in the midst of them."""
    _execute(service, _BROADCAST, _EVENTS)
    service.control("PUT", "/sandbox/faults", {"events": "slow", "seconds": _ANSWER})
    started = time.monotonic()
    worker = service.start_worker("--only", "deliver")
    watch = _Watch(service, worker.pid)
    watch.until(_EVENTS // 10)
    early = _resident(worker.pid)
    begun, first = time.monotonic(), watch.told()
    waited = _single(service)
    watch.until(_EVENTS + 1)
    rate = (_EVENTS + 1 - first) / (time.monotonic() - begun)
    growth = _resident(worker.pid) - early
    worker.stop()
    service.control("PUT", "/sandbox/faults", {})
    total = time.monotonic() - started
    print(
        f"{_EVENTS} events told: {rate:.0f} a second (at least {_LEAST_RATE}), {total:.0f} s in all"
    )
    print(f"a single publication's event among them: {waited:.1f} s (at most {_LONGEST_WAIT:.0f})")
    print(f"the worker's memory meanwhile: {growth:+.1f} MiB (less than {_MOST_GROWTH})")
    return rate >= _LEAST_RATE and waited <= _LONGEST_WAIT and growth < _MOST_GROWTH


def _single(service) -> float:
    """Seconds from the answer to a publication to its event's arrival."""
    status, members = PublicationRequest(b"%PDF-1.7\n").send(service.port, service.token())
    if status != 201:
        raise SystemExit(f"a publication was answered {status}: {members}")
    published = time.monotonic()
    after = max(0, _told(service) - 5_000)
    while time.monotonic() < published + 60:
        events = service.control("GET", f"/sandbox/events?after={after}")
        if any(event["eventData"]["messageId"] == members["messageId"] for event in events):
            return time.monotonic() - published
        after = max([after, *(event["eventSequenceNbr"] for event in events)])
        time.sleep(0.05)
    return float("inf")


class _Watch:
    """Counts what the stand-in has received."""

    def __init__(self, service, pid):
        self._service, self._pid = service, pid

    def told(self) -> int:
        return _told(self._service)

    def until(self, count):
        deadline = time.monotonic() + 600
        while self.told() < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"only {self.told()} of {count} events were told")
            time.sleep(0.1)


def _purge(service) -> bool:
    """Read an e-Box while others' expired messages are deleted, and before and after that."""
    _execute(service, _FILLED, 500)
    _execute(service, _OUTDATED, _EXPIRED)
    token = fetch(
        service.federation.token_url,
        PERSONAS["enterprise-consumer"],
        service.area / "keys",
        scopes=[CONSUMER],
    )
    readers = [_Reader(service.port, token) for _ in range(_CLIENTS)]
    for reader in readers:
        reader.start()
    time.sleep(3)  # caches, statements
    before = _heard(readers, lambda: time.sleep(_QUIET))
    worker = service.start_worker("--only", "purge")
    took = time.monotonic()
    during = _heard(readers, lambda: _until_gone(service))
    took = time.monotonic() - took
    (left,) = _execute(service, _DOOMED)[0]
    following = _heard(readers, lambda: time.sleep(_QUIET))
    erased = left - _execute(service, _DOOMED)[0][0]
    worker.stop()
    after = _heard(readers, lambda: time.sleep(_QUIET))
    for reader in readers:
        reader.stop()
    quiet, busy = _p95(before + after), max(_p95(during), _p95(following))
    print(f"{_EXPIRED} expired messages deleted in {took:.0f} s", end="; ")
    print(f"their documents follow, {erased / _QUIET:.0f} a second")
    print(
        f"p95 of a listing: quiet {quiet:.1f} ms, meanwhile {_p95(during):.1f} ms, while documents"
        f" follow {_p95(following):.1f} ms: ratio {busy / quiet:.2f} (at most {_MOST_RATIO})"
    )
    return busy / quiet <= _MOST_RATIO


class _Reader(threading.Thread):
    """Lists at a steady pace, whatever the answers take."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self._port, self._headers = port, {"Authorization": f"Bearer {token}"}
        self._done = threading.Event()
        self.times: list[float] = []

    def run(self):
        connection = HTTPConnection(LOOPBACK, self._port, timeout=30)
        due = time.monotonic()
        while not self._done.is_set():
            due += 1 / _RATE
            time.sleep(max(0, due - time.monotonic()))
            began = time.monotonic()
            connection.request("GET", f"{BASE}/ebox/messages", headers=self._headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"a listing was answered {answer.status}")
            self.times.append(1000 * (time.monotonic() - began))
        connection.close()

    def stop(self):
        self._done.set()
        self.join()


def _heard(readers, meanwhile) -> list[float]:
    """How long listings took while something happened, in ms."""
    begun = [len(reader.times) for reader in readers]
    meanwhile()
    return [
        time
        for reader, first in zip(readers, begun, strict=True)
        for time in list(reader.times)[first:]
    ]


def _p95(times) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _until_gone(service):
    deadline = time.monotonic() + 1800
    while any(_execute(service, _LEFT)[0]):
        if time.monotonic() > deadline:
            raise SystemExit("the purge does not come to an end")
        time.sleep(0.5)


def _told(service) -> int:
    return service.control("GET", "/sandbox/events?count=true")["count"]


def _execute(service, statement, *values):
    url = service.cluster.url(SUPERUSER)
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
        if statement not in (_LEFT, _DOOMED):
            connection.execute("ANALYZE")
    return rows


def _resident(pid) -> float:
    """MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the worker is gone")


_COLUMNS = (
    "(ebox, message_id, received_at, expires_at, is_registered, is_reply_authorized, partition,"
    " message_type_id, sender, sender_application_id, subject"
)
_VALUES = (
    "false, false, 'GENERAL', 'tax-assessment', '0308357159', 'my-minfin',"
    ' \'{"nl": "Aanslagbiljet"}\''
)
_BROADCAST = f"""
WITH recipients AS (
  SELECT 'enterprise:' || lpad(n::text, 10, '0') AS ebox FROM generate_series(1, %s) AS n
), filed AS (
  INSERT INTO messages {_COLUMNS})
  SELECT ebox, '11111111-1111-4111-8111-111111111111', now(), now() + interval '90 days', {_VALUES}
  FROM recipients RETURNING ebox, message_id, received_at
)
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, is_bulk)
SELECT ebox, gen_random_uuid(), 'newDocument', message_id, received_at, true FROM filed
"""
_FILLED = f"""
INSERT INTO messages {_COLUMNS})
SELECT 'enterprise:{PERSONAS["enterprise-consumer"].enterprise.digits}', gen_random_uuid(),
  now() - n * interval '1 minute', now() + interval '90 days', {_VALUES}
FROM generate_series(1, %s) AS n
"""
# Their documents' keys are of nothing in storage, which is asked to delete them all the same.
_OUTDATED = f"""
WITH filed AS (
  INSERT INTO messages {_COLUMNS})
  SELECT 'enterprise:' || lpad((n %% 5000)::text, 10, '1'), gen_random_uuid(),
    now() - interval '91 days', now() - n * interval '1 second', {_VALUES}
  FROM generate_series(1, %s) AS n RETURNING ebox, message_id
), searched AS (
  INSERT INTO search_texts (ebox, message_id, nl, fr, de)
  SELECT ebox, message_id, 'aanslagbiljet', 'aanslagbiljet', 'aanslagbiljet' FROM filed
)
INSERT INTO attachments (ebox, message_id, attachment_id, position, file_name, is_main,
  media_type, size, digest, is_signed, blob_key)
SELECT ebox, message_id, '1', 0, 'aanslag.pdf', true, 'application/pdf', 1000, 'x', false,
  'documents/' || gen_random_uuid() FROM filed
"""
_LEFT = "SELECT EXISTS (SELECT FROM messages WHERE expires_at < now())"
_DOOMED = "SELECT count(*) FROM doomed_documents"


if __name__ == "__main__":
    sys.exit(main())
