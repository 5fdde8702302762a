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
from registry.sandbox.servers.processes import LOOPBACK, free_port
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
        run_lanes(service, plain_port=(plain_port := free_port())) as (front, lanes),
    ):
        bench = Bench(service, front, plain_port, lanes)
        results = [bench.download(), bench.publish(), bench.list_beside_idle()]
    return 0 if all(results) else 1


class Bench:
    """The service behind nginx, and what its clients do."""

    def __init__(self, service, front, plain_port, lanes):
        self.service, self.front, self.lanes = service, front, lanes
        self.plain_port = plain_port
        self.context = make_context()
        self.sender = service.token()
        keys = service.area / "keys"
        self.reader = fetch(service.federation.token_url, PERSONAS["enterprise-consumer"], keys)
        self.request = PublicationRequest(b"%PDF-1.7\n".ljust(_SIZE, b"x"))
        self.message_id = self._publish()

    def download(self) -> bool:
        """Compare documents through nginx with the same GETs from S3; count Python's CPU.

        nginx speaks TLS, as it does to clients, and this store does not; what nginx would reach
        without it is told beside it.
        """
        path, direct = self.service_path(), self._place_bare()
        store = self.service.objects.endpoint.removeprefix("http://")
        works = {
            "nginx": lambda: self._get(self._connect, path, self.reader),
            "plain": lambda: self._get(self._connect_plainly, path, self.reader),
            "S3": lambda: self._get(lambda: HTTPConnection(store, timeout=60), direct, None),
        }
        cpu = []

        def measure(name):
            before = cpu_seconds(self.lanes["reading"].pid)
            rate = _rate(works[name], _READERS, _DOWNLOADS)
            if name == "nginx":
                used = cpu_seconds(self.lanes["reading"].pid) - before
                cpu.append(1000 * used / _DOWNLOADS)
            return rate

        is_fast = _compare("downloads", _READERS, works, measure, _LEAST_DOWNLOADS)
        milliseconds = statistics.median(cpu[1:])
        print(f"CPU of Python for each: {milliseconds:.1f} ms (at most {_MOST_CPU})")
        return is_fast and milliseconds <= _MOST_CPU

    def publish(self) -> bool:
        """Compare publications by their lane with the same PUTs to S3, as `download` does."""
        client, bucket = self.service.objects.client(), self.service.objects.bucket
        document = self.request.document
        works = {
            "nginx": self._publish,
            "plain": lambda: self._publish(self._connect_plainly),
            "S3": lambda: client.put_object(Bucket=bucket, Key=f"bare/{uuid4()}", Body=document),
        }

        def measure(name):
            return _rate(works[name], _SENDERS, _PUBLICATIONS)

        is_fast = _compare("publications", _SENDERS, works, measure, _LEAST_PUBLICATIONS)
        client.close()
        return is_fast

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

    def _place_bare(self):
        """Put the same document into S3 past the registry; gives its signed path."""
        bucket, key = self.service.objects.bucket, f"bare/{uuid4()}"
        with closing(self.service.objects.client()) as client:
            client.put_object(Bucket=bucket, Key=key, Body=self.request.document)
            url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
        return url.removeprefix(self.service.objects.endpoint)

    def _connect_plainly(self):
        return HTTPConnection(LOOPBACK, self.plain_port, timeout=60)

    def _connect(self):
        return HTTPSConnection(LOOPBACK, self.front, timeout=60, context=self.context)

    def _get(self, connect, path, token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with closing(connect()) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            size = 0
            buffer = bytearray(MIB)
            while count := answer.readinto(buffer):
                size += count
            if (answer.status, size) != (200, _SIZE):
                raise SystemExit(f"a download was answered {answer.status} with {size} bytes")

    def _publish(self, connect=None):
        with closing((connect or self._connect)()) as connection:
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


def _compare(what, clients, works, measure, least_ratio):
    """Measure in turn; print the rates, and tell if nginx reaches so much of S3 itself."""
    rates = {name: [] for name in works}
    for number in range(_ROUNDS + 1):
        for name, measured in rates.items():
            rate = measure(name)
            if number:  # the first fills caches
                measured.append(8 * rate)
    least, median, most = ratio(rates["nginx"], rates["S3"])
    print(
        f"8-MiB {what}, {clients} at once, through nginx with TLS"
        f" {statistics.median(rates['nginx']):.0f} MiB/s, S3 itself"
        f" {statistics.median(rates['S3']):.0f} MiB/s: ratio {median:.2f}"
        f" (from {least:.2f} to {most:.2f}; at least {least_ratio});"
        f" without TLS {ratio(rates['plain'], rates['S3'])[1]:.2f}"
    )
    return median >= least_ratio


def _rate(work, clients, count):
    """How often a second it is done, by so many at once."""
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(work) for _ in range(count)]:
            done.result()
    return count / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
