"""Bytes: downloads and publications of 8 MiB beside direct S3, nginx alone, and giftless."""

import statistics
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Final

from registry.sandbox.servers.processes import LOOPBACK, Process, answers, free_port
from tests.bench.scale.bench import Bench
from tests.bench.scale.generator import Load, Step
from tests.bench.scale.peers.giftless import ENVIRONMENT, Giftless
from tests.bench.scale.profiles import LIST, list_contents, script_publishing
from tests.bench.scale.verdicts import Comparison
from tests.bench.scale.wire import make_get, make_request
from tests.lanes import run_lanes
from tests.nginx import NGINX

_MIB: Final = 1 << 20
_CONTENT: Final = b"%PDF-1.7\n".ljust(8 * _MIB, b"x")
_AT_ONCE: Final = (1, 4, 16)
_SENDERS: Final = 4
_KEY: Final = "documents/bench-large"

Requests = dict[str, tuple[int, list[list[Step]]]]  # by name: port, and a script of each client


def measure_documents(bench: Bench) -> None:
    """Behind nginx as it is deployed, without TLS on either side, and peers beside it, in turn."""
    if NGINX is None:
        raise SystemExit("documents are served through nginx: apt-get install nginx-light")
    site, database = bench.site, bench.site.name_database(bench.largest)
    version = ENVIRONMENT.make()
    path = _place_document(bench, database)
    area = site.folder / "lanes"
    area.mkdir(exist_ok=True)
    service = SimpleNamespace(area=area, env=site.env(database), objects=site.objects)
    with (
        run_lanes(service, workers=2, plain_port=(front := free_port())),
        Giftless(site.folder, _CONTENT, workers=2, threads=8) as giftless,
        _serve_file(bench) as file_port,
    ):
        token = site.callers.consumer(bench.largest.readers[0])
        s3_port, s3_path = _sign(bench, "get_object", _KEY)
        downloads = {
            "direct S3": (s3_port, make_get(s3_path)),
            "registry": (front, make_get(path, token)),
            "nginx, a file": (file_port, make_get("/document")),
            f"giftless {version}": (giftless.port, giftless.request),
        }
        for count in _AT_ONCE:
            requests = {
                name: (port, [[Step(name, request)]] * count)
                for name, (port, request) in downloads.items()
            }
            _compare(bench, f"Downloads of 8 MiB, {count} at once", requests)
        _compare(bench, f"Publications of 8 MiB, {_SENDERS} at once", _list_uploads(bench, front))


def _list_uploads(bench: Bench, front: int) -> Requests:
    puts = []
    for number in range(_SENDERS):
        s3_port, path = _sign(bench, "put_object", f"bare/{number}")
        puts.append([Step("direct S3", make_request("PUT", path, body=_CONTENT))])
    scripts = script_publishing(bench.site, _SENDERS, size=len(_CONTENT), eboxes=1)
    return {"direct S3": (s3_port, puts), "registry": (front, scripts)}


def _compare(bench: Bench, title: str, requests: Requests) -> None:
    rates: dict[str, list[float]] = {name: [] for name in requests}
    rounds = max(2, bench.rounds - 2)
    for number in range(rounds + 1):
        for name, (port, scripts) in requests.items():
            seconds = bench.seconds if number else bench.seconds / 4
            answered = bench.generator.run(Load(port, scripts, seconds=seconds))
            if number:
                rates[name].append(answered.rate * len(_CONTENT) / _MIB)
    values = {name: statistics.median(each) for name, each in rates.items()}
    bench.compare(Comparison(title, "MiB/s", values))


def _place_document(bench: Bench, database: str) -> str:
    """Have the first message that a reader sees lead to a large document; gives its path."""
    site, reader = bench.site, bench.largest.readers[0]
    document = site.put_document(_KEY, _CONTENT)
    message_id = list_contents(site, database, reader)[0]
    values = (document.key, document.size, document.digest, reader.key, message_id)
    site.cluster.ask(database, _PLACE, *values)
    return f"{LIST}/{message_id}/attachments/1/content"


def _sign(bench: Bench, operation: str, key: str) -> tuple[int, str]:
    """The port and the path of a request to storage that needs no more headers."""
    objects = bench.site.objects
    with closing(objects.client()) as client:
        named = {"Bucket": objects.bucket, "Key": key}
        url = client.generate_presigned_url(operation, named, ExpiresIn=86_400)
    host, _, path = url.removeprefix("http://").partition("/")
    return int(host.rpartition(":")[2]), f"/{path}"


@contextmanager
def _serve_file(bench: Bench) -> Iterator[int]:
    """Nginx with the document in a folder, and nothing else."""
    folder, port = bench.folder / "nginx-alone", free_port()
    folder.mkdir(exist_ok=True)
    (folder / "document").write_bytes(_CONTENT)
    conf = folder / "nginx.conf"
    conf.write_text(_CONF.format(folder=folder, port=port, address=LOOPBACK))
    process = Process("nginx", folder / "log")
    process.start([str(NGINX), "-p", f"{folder}/", "-c", conf])
    try:
        process.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/document"), timeout=30)
        yield port
    finally:
        process.stop()


_CONF: Final = """
daemon off; user root; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; keepalive_requests 100000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen {address}:{port}; root {folder}; }}
}}
"""
_PLACE: Final = """
UPDATE attachments SET blob_key = %s, size = %s, digest = %s
WHERE ebox = %s AND message_id = %s AND attachment_id = '1'
"""
