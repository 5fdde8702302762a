"""`make bench-serve`: documents through nginx, publications by their lane, and idle readers."""

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from uuid import uuid4

from registry.sandbox.personas import PERSONAS
from registry.sandbox.servers.processes import LOOPBACK
from registry.sandbox.tokens import fetch
from tests.bench.load import cpu_seconds, ratio
from tests.lanes import run_lanes
from tests.nginx import NGINX, connect_to, make_context
from tests.service import BASE, BOUNDARY, PublicationRequest, Service

MIB = 1 << 20
_SIZE = 8 * MIB
_ROUNDS = 7
_READERS, _DOWNLOADS = 8, 48  # at once, and of a round
_LEAST_DOWNLOADS, _MOST_CPU = 0.5, 5.0  # of direct GETs; milliseconds of Python each
_SENDERS, _PUBLICATIONS = 4, 24
_LEAST_PUBLICATIONS = 0.6  # of direct PUTs
_IDLE, _LISTINGS = 2000, 400
_MOST_SLOWER = 1.10  # listings beside idle downloads against quiet ones


def main() -> int:
    """Measure, print, and say with the exit code whether all of it holds."""
    if NGINX is None:
        raise SystemExit("bench-serve needs nginx: apt-get install nginx-light")
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(Path(folder)) as service,
        run_lanes(service) as (front, lanes),
    ):
        bench = Bench(service, front, lanes)
        results = [bench.download(), bench.publish(), bench.list_beside_idle()]
    return 0 if all(results) else 1


class Bench:
    """The service behind nginx, and what its clients do."""

    def __init__(self, service, front, lanes):
        self.service, self.front, self.lanes = service, front, lanes
        self.context = make_context()
        self.sender = service.token()
        keys = service.area / "keys"
        self.reader = fetch(service.federation.token_url, PERSONAS["enterprise-consumer"], keys)
        self.request = PublicationRequest(b"%PDF-1.7\n".ljust(_SIZE, b"x"))
        self.message_id = self._publish()

    def download(self) -> bool:
        """Compare documents through nginx with the same GETs from S3; count Python's CPU."""
        path = self.service_path()
        key = f"bare/{uuid4()}"
        client = self.service.objects.client()
        bucket = self.service.objects.bucket
        with closing(client):
            client.put_object(Bucket=bucket, Key=key, Body=self.request.document)
            url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
        direct = url.removeprefix(self.service.objects.endpoint)
        place = self.service.objects.endpoint.removeprefix("http://")

        def ours():
            return self._get(self._connect(), path, self.reader)

        def bare():
            return self._get(HTTPConnection(place, timeout=60), direct, None)

        _rate(ours, _READERS, _DOWNLOADS), _rate(bare, _READERS, _DOWNLOADS)
        through, straight, cpu = [], [], []
        for _ in range(_ROUNDS):
            before = cpu_seconds(self.lanes["reading"].pid)
            through.append(_rate(ours, _READERS, _DOWNLOADS))
            cpu.append(1000 * (cpu_seconds(self.lanes["reading"].pid) - before) / _DOWNLOADS)
            straight.append(_rate(bare, _READERS, _DOWNLOADS))
        least, median, most = ratio(through, straight)
        milliseconds = statistics.median(cpu)
        print(
            f"8-MiB downloads, {_READERS} at once, through nginx with TLS:"
            f" {8 * statistics.median(through):.0f} MiB/s, from S3 itself"
            f" {8 * statistics.median(straight):.0f} MiB/s: ratio {median:.2f}"
            f" (from {least:.2f} to {most:.2f}; at least {_LEAST_DOWNLOADS})"
        )
        print(f"CPU of Python for each: {milliseconds:.1f} ms (at most {_MOST_CPU})")
        return median >= _LEAST_DOWNLOADS and milliseconds <= _MOST_CPU

    def publish(self) -> bool:
        """Compare publications by their lane with the same PUTs to S3."""
        client, bucket = self.service.objects.client(), self.service.objects.bucket
        document = self.request.document

        def put():
            client.put_object(Bucket=bucket, Key=f"bare/{uuid4()}", Body=document)

        _rate(self._publish, _SENDERS, _PUBLICATIONS), _rate(put, _SENDERS, _PUBLICATIONS)
        ours, bare = [], []
        for _ in range(_ROUNDS):
            ours.append(_rate(self._publish, _SENDERS, _PUBLICATIONS))
            bare.append(_rate(put, _SENDERS, _PUBLICATIONS))
        client.close()
        least, median, most = ratio(ours, bare)
        print(
            f"8-MiB publications, {_SENDERS} at once, through nginx with TLS:"
            f" {8 * statistics.median(ours):.0f} MiB/s, bare PUTs"
            f" {8 * statistics.median(bare):.0f} MiB/s: ratio {median:.2f}"
            f" (from {least:.2f} to {most:.2f}; at least {_LEAST_PUBLICATIONS})"
        )
        return median >= _LEAST_PUBLICATIONS

    def list_beside_idle(self) -> bool:
        """Compare listings beside thousands of downloads that nobody reads with quiet ones."""
        self._list(_LISTINGS)
        quiet = self._list(_LISTINGS)
        with ExitStack() as stack:
            for _ in range(_IDLE):
                stack.enter_context(self._begin_download())
            time.sleep(2)
            busy = self._list(_LISTINGS)
        time.sleep(2)
        quiet = (quiet + self._list(_LISTINGS)) / 2
        print(
            f"listings beside {_IDLE} idle downloads: {1000 * busy:.2f} ms, quiet"
            f" {1000 * quiet:.2f} ms: ratio {busy / quiet:.2f} (at most {_MOST_SLOWER})"
        )
        return busy / quiet <= _MOST_SLOWER

    def service_path(self):
        """Where the document of the message is, in version 3."""
        return f"{BASE}/ebox/messages/{self.message_id}/attachments/1/content"

    def _connect(self):
        return HTTPSConnection(LOOPBACK, self.front, timeout=60, context=self.context)

    def _get(self, connection, path, token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            size = 0
            buffer = bytearray(MIB)
            while count := answer.readinto(buffer):
                size += count
            if (answer.status, size) != (200, _SIZE):
                raise SystemExit(f"a download was answered {answer.status} with {size} bytes")

    def _publish(self):
        with closing(self._connect()) as connection:
            headers = {
                "Authorization": f"Bearer {self.sender}",
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                "Idempotency-Key": f'"{uuid4()}"',
            }
            connection.request("POST", f"{BASE}/ebox/messages", self.request.body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 201:
                raise SystemExit(f"a publication was answered {answer.status}: {content}")
            return answer.headers["Location"].rpartition("/")[2]

    def _list(self, count):
        """Seconds that a listing takes, the median of so many."""
        times = []
        with closing(self._connect()) as connection:
            for _ in range(count):
                began = time.perf_counter()
                connection.request(
                    "GET",
                    f"{BASE}/ebox/messages",
                    headers={"Authorization": f"Bearer {self.reader}"},
                )
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise SystemExit(f"a listing was answered {answer.status}")
                times.append(time.perf_counter() - began)
        return statistics.median(times)

    def _begin_download(self):
        """Begin a download and read nothing of it."""
        connection = connect_to(self.front)
        lines = [f"GET {self.service_path()} HTTP/1.1", "Host: localhost"]
        lines += [f"Authorization: Bearer {self.reader}", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        if not connection.recv(12).endswith(b"200"):
            raise SystemExit("a download was refused")
        return connection


def _rate(work, clients, count):
    """How often a second it is done, by so many at once."""
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(work) for _ in range(count)]:
            done.result()
    return count / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
