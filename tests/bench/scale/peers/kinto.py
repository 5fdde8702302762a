"""Kinto on PostgreSQL: a list of 25 of the records that our own listing shows."""

import base64
import json
import signal
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Self

from registry.sandbox.servers.processes import LOOPBACK, Process, answers, free_port
from tests.bench.scale.peers.environment import PeerEnvironment

ENVIRONMENT: Final = PeerEnvironment("kinto", ("kinto[postgresql]==26.5.0", "gunicorn>=25"))
_COLLECTION: Final = "/v1/buckets/ebox/collections/messages"
LIST: Final = f"{_COLLECTION}/records?_limit=25"
_CALLER: Final = base64.b64encode(b"bench:bench").decode()
HEADERS: Final = {"Authorization": f"Basic {_CALLER}", "Content-Type": "application/json"}
_INI: Final = """
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {url}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {url}
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = of a bench
kinto.bucket_create_principals = system.Everyone
multiauth.policies = basicauth
multiauth.policy.basicauth.use = kinto.core.authentication.BasicAuthAuthenticationPolicy
"""
_BATCH: Final = 25  # most requests of Kinto's /batch


class Kinto:
    """Kinto in gunicorn, with as many workers and threads as the registry beside it has."""

    def __init__(self, folder: Path, database_url: str, *, workers: int, threads: int) -> None:
        self._folder = folder / "kinto"
        self._ini = self._folder / "kinto.ini"
        self._url = database_url
        self._size = ("-w", str(workers), "-k", "gthread", "--threads", str(threads))
        self.port = free_port()
        self._process = Process("Kinto", self._folder / "kinto.log", signal.SIGQUIT)

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        self._ini.write_text(_INI.format(url=self._url))
        program = ENVIRONMENT.python.with_name("kinto")
        making = Process("kinto migrate", self._folder / "migrate.log")
        making.start([program, "migrate", "--ini", self._ini]).finish(timeout=60)
        command = [ENVIRONMENT.python, "-m", "gunicorn", "--no-control-socket", *self._size]
        command += ["-b", f"{LOOPBACK}:{self.port}", "--paste", self._ini]
        self._process.start(command)
        url = f"http://{LOOPBACK}:{self.port}/v1/"
        try:
            self._process.wait_until(lambda: answers(url), timeout=180)
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    @property
    def pid(self) -> int:
        """The group of its gunicorn."""
        return self._process.pid

    def fill(self, records: Iterable[dict[str, Any]]) -> None:
        """Put records into its collection."""
        with closing(HTTPConnection(LOOPBACK, self.port, timeout=60)) as connection:
            _ask(connection, "PUT", "/v1/buckets/ebox", {})
            _ask(connection, "PUT", _COLLECTION, {})
            batch: list[dict[str, Any]] = []
            for record in records:
                path = f"{_COLLECTION}/records"
                batch.append({"method": "POST", "path": path, "body": {"data": record}})
                if len(batch) == _BATCH:
                    _ask(connection, "POST", "/v1/batch", {"requests": batch})
                    batch = []


def _ask(connection: HTTPConnection, method: str, path: str, body: dict[str, Any]) -> None:
    connection.request(method, path, json.dumps(body), HEADERS)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"Kinto answered {answer.status}: {content[:500]!r}")
