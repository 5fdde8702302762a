"""The whole service with a proxy before each neighbour, and what the run reads in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from registry.sandbox.personas import GARAGE, PERSONAS
from registry.sandbox.servers.postgres import DATABASE, SUPERUSER, WORKER
from registry.sandbox.servers.processes import LOOPBACK, Process
from registry.sandbox.tokens import fetch
from tests.chaos.clamd import Scanner
from tests.chaos.client import Door
from tests.chaos.neighbours import CLAMD_BUDGET, S3_BUDGET
from tests.chaos.proxy import Proxies
from tests.nginx import run_nginx
from tests.service import Service, list_children

_WEB_WORKERS: Final = 2
_ALWAYS: Final = "3600"  # seconds: for the length of the run, who is known stays known


class ChaosService(Service):
    """`Service`, whose settings lead through proxies; `worker` is one `registry worker`."""

    def __init__(self, area: Path) -> None:
        super().__init__(area)
        self.settings = {"REGISTRY_RATE_LIMIT": "0"}  # beside those that lead through proxies
        self.worker: Process | None = None
        self.masters: list[Process] = []  # of gunicorn

    def __enter__(self) -> Self:
        super().__enter__()
        self.proxies = self._stack.enter_context(Proxies())
        scanner = self._stack.enter_context(Scanner())
        federation = self.federation.port
        self.ports = {
            name: self.proxies.open(name, port)
            for name, port in {
                "postgresql": self.cluster.port,
                "s3": urlsplit(self.objects.endpoint).port or 0,
                "authorization server": federation,
                "partition api": federation,
                "preferences": federation,
                "event service": federation,
                "clamd": scanner.port,
            }.items()
        }
        return self

    @property
    def env(self) -> dict[str, str]:
        """The settings of the registry."""
        token_url = self.federation.token_url
        return {
            **super().env,
            "REGISTRY_DATABASE_URL": self._behind_proxy("application"),
            "REGISTRY_DATABASE_WORKER_URL": self._behind_proxy(WORKER),
            "REGISTRY_S3_ENDPOINT": self._through("s3", self.objects.endpoint),
            "REGISTRY_S3_TIMEOUT": str(S3_BUDGET),
            "REGISTRY_OAUTH_TOKEN_URL": self._through("authorization server", token_url),
            "REGISTRY_OAUTH_INTROSPECT_URL": self._through(
                "authorization server", self.federation.introspect_url
            ),
            "REGISTRY_OAUTH_AUDIENCE": token_url,  # as the authorization server knows itself
            "REGISTRY_TOKEN_CACHE_READS": _ALWAYS,
            "REGISTRY_PARTITION_URL": self._through("partition api", self.federation.partition_url),
            "REGISTRY_PARTITION_RIGHTS_TTL": "1",
            "REGISTRY_FEDERATION_URL": self._through("preferences", self.federation.federation_url),
            "REGISTRY_EVENTS_URL": self._through("event service", self.federation.events_url),
            "REGISTRY_CLAMD_ADDRESS": f"{LOOPBACK}:{self.ports['clamd']}",
            "REGISTRY_CLAMD_TIMEOUT": str(CLAMD_BUDGET),
            **self.settings,
        }

    def workers(self) -> list[int]:
        """The processes of all gunicorns that answer, as they are now."""
        return [pid for master in self.masters for pid in list_children(master.pid)]

    @contextmanager
    def serve_alone(self) -> Iterator[Door]:
        """One gunicorn, which clients reach themselves."""
        self._start_gunicorn()
        with self._web_ends():
            yield Door(self.port)

    @contextmanager
    def serve_behind_nginx(self) -> Iterator[Door]:
        """A gunicorn for each lane, and Debian's nginx with deploy/nginx before them."""
        lanes, before = {}, self.settings
        with self._web_ends():
            for lane in ("reading", "publishing"):
                self.settings = {**before, "REGISTRY_LANE": lane, "REGISTRY_ACCEL": "true"}
                self._start_gunicorn()
                lanes[lane] = [self.port]
            self.settings = before
            folder, endpoint = self.area / "nginx", self.env["REGISTRY_S3_ENDPOINT"]
            with run_nginx(folder, s3_endpoint=endpoint, trusts=False, **lanes) as port:
                yield Door(port, has_tls=True)

    def _start_gunicorn(self) -> None:
        self.serve(workers=_WEB_WORKERS)
        self.masters.append(self.gunicorn)

    @contextmanager
    def _web_ends(self) -> Iterator[None]:
        try:
            yield
        finally:
            while self.masters:
                self.masters.pop().stop()

    def token_of(self, persona: str) -> str:
        """A fresh one, got past the proxies."""
        return fetch(self.federation.token_url, PERSONAS[persona], self.area / "keys")

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement that PostgreSQL gets past the proxies, as superuser."""
        with psycopg.connect(self.cluster.url(SUPERUSER, DATABASE), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def fill(self) -> None:
        """Give the garage fifty messages without documents."""
        self.execute(_FILLED, GARAGE.digits, 50)
        self.execute("ANALYZE")

    def fill_for_search(self, enterprise: str, count: int) -> None:
        """Give an enterprise so many messages more, whose subjects can be searched."""
        self.execute(_FILLED, enterprise, count)
        self.execute(_SEARCHED, f"enterprise:{enterprise}")
        self.execute("ANALYZE")

    def announce(self) -> str:
        """Put an event of the garage into the outbox, past the proxies; its correlation id."""
        correlation_id = str(uuid4())
        self.execute(_ANNOUNCED, correlation_id, f"enterprise:{GARAGE.digits}")
        return correlation_id

    def _behind_proxy(self, user: str) -> str:
        return f"postgresql://{user}@{LOOPBACK}:{self.ports['postgresql']}/{DATABASE}"

    def _through(self, neighbour: str, url: str) -> str:
        parts = urlsplit(url)
        return parts._replace(netloc=f"{LOOPBACK}:{self.ports[neighbour]}").geturl()


_FILLED: Final = """
INSERT INTO messages (ebox, message_id, received_at, expires_at, is_registered, is_reply_authorized,
  partition, message_type_id, sender, sender_application_id, subject)
SELECT 'enterprise:' || %s, gen_random_uuid(), now() - n * interval '1 minute',
  now() + interval '90 days', false, false, 'GENERAL', 'tax-assessment', '0308357159', 'my-minfin',
  '{"nl": "Aanslagbiljet"}'
FROM generate_series(1, %s) AS n
"""
_SEARCHED: Final = """
INSERT INTO search_texts (ebox, message_id, nl, fr, de)
SELECT ebox, message_id, 'aanslagbiljet vennootschapsbelasting ' || message_id, '', '' FROM messages
WHERE ebox = %s ON CONFLICT DO NOTHING
"""
_ANNOUNCED: Final = """
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at)
SELECT ebox, %s::uuid, 'newDocument', message_id, now() FROM messages
WHERE ebox = %s ORDER BY random() LIMIT 1
"""
