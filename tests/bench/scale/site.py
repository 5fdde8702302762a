"""All parts of a measured registry in one folder: databases, storage, stand-ins, tokens."""

import base64
import hashlib
import json
import os
import shutil
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Self

from registry.sandbox.federation.process import Federation
from registry.sandbox.personas import AUDIT_KEY, PERSONAS, enroll
from registry.sandbox.servers.postgres import SUPERUSER, WORKER
from registry.sandbox.servers.processes import Process
from registry.sandbox.servers.seaweed import ObjectStore
from tests.bench.scale.callers import Callers, enroll_readers
from tests.bench.scale.cluster import MeasuredCluster
from tests.bench.scale.counting import count_whale
from tests.bench.scale.eboxes import Population
from tests.bench.scale.loading import bring_up_to_date, fill_database
from tests.bench.scale.progress import say
from tests.bench.scale.rows import StoredDocument, today
from tests.bench.scale.served import ServedRegistry

_DOCUMENT: Final = b"%PDF-1.7\n".ljust(60_000, b"x")


class Site:
    """PostgreSQL with a database for each population, SeaweedFS, and the federation.

    All of it lies in `folder`; what was filled there by an earlier run is used again.
    """

    def __init__(self, folder: Path, populations: list[Population]) -> None:
        self.folder = folder.absolute()
        self.populations = populations
        self._stack = ExitStack()
        self.steps: dict[str, dict[str, float]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.cluster = stack.enter_context(MeasuredCluster(self.folder / "postgres"))
            self.objects = stack.enter_context(ObjectStore(self.folder / "objects"))
            enroll(self.keys, self.folder)
            population = self.populations[0]
            enroll_readers(self.folder, (population.whale, *population.readers))
            self.federation = stack.enter_context(Federation(self.folder))
            self.callers = Callers(self.federation.token_url, self.keys)
            self.document = self.put_document("documents/bench", _DOCUMENT)
            for population in self.populations:
                self._fill(population)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def keys(self) -> Path:
        """The folder of the parties' keys."""
        return self.folder / "keys"

    def name_database(self, population: Population) -> str:
        """Its database."""
        return f"of_{population.messages}"

    def env(self, database: str) -> dict[str, str]:
        """The settings of a registry on this database."""
        return {
            "REGISTRY_ENVIRONMENT": "test",
            "REGISTRY_PUBLIC_URL": "http://localhost",
            "REGISTRY_DATABASE_URL": self.cluster.url("application", database),
            "REGISTRY_DATABASE_WORKER_URL": self.cluster.url(WORKER, database),
            "REGISTRY_HASH_KEY": "of a bench, whom nobody looks for at all",
            "REGISTRY_EVENTS_URL": self.federation.events_url,
            "REGISTRY_S3_ENDPOINT": self.objects.endpoint,
            "REGISTRY_S3_BUCKET": self.objects.bucket,
            "REGISTRY_S3_ACCESS_KEY": self.objects.access_key,
            "REGISTRY_S3_SECRET_KEY": self.objects.secret_key,
            "REGISTRY_AUDIT_BUCKET": self.objects.seals,
            "REGISTRY_AUDIT_KEY_PATH": str(self.keys / AUDIT_KEY),
            "REGISTRY_OAUTH_TOKEN_URL": self.federation.token_url,
            "REGISTRY_OAUTH_INTROSPECT_URL": self.federation.introspect_url,
            "REGISTRY_OAUTH_CLIENT_ID": PERSONAS["registry"].client_id,
            "REGISTRY_OAUTH_KEY_PATH": str(self.keys / "registry.pem"),
            "REGISTRY_PARTITION_URL": self.federation.partition_url,
            # The quota counts and never refuses; a token is introspected once a run.
            "REGISTRY_RATE_LIMIT": "10000000",
            "REGISTRY_TOKEN_CACHE_READS": "3600",
            "no_proxy": "*",
        }

    def serve(
        self, database: str, *, workers: int | None = None, lane: str = "all"
    ) -> ServedRegistry:
        """Start gunicorn with the settings of a lane, and wait for its first answer.

        It has as many workers as the lane's settings say, unless told otherwise.
        """
        served = ServedRegistry(database, self.folder / f"gunicorn-{database}-{lane}.log")
        self._stack.callback(served.stop)
        served.start({**self.env(database), "REGISTRY_LANE": lane}, workers)
        return served

    def start_worker(self, database: str, *jobs: str) -> Process:
        """Start a `registry worker` for some jobs; whoever asks stops it."""
        log = self.folder / f"worker-{jobs[0]}.log"
        command = [sys.executable, "-m", "registry", "worker"]
        command += [part for job in jobs for part in ("--only", job)]
        process = Process("worker", log, grace=10)
        self._stack.callback(process.stop)
        return process.start(command, env=self.env(database))

    def put_document(self, key: str, content: bytes) -> StoredDocument:
        """Put a document into storage as the registry would have."""
        with closing(self.objects.client()) as client:
            client.put_object(Bucket=self.objects.bucket, Key=key, Body=content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
        return StoredDocument(key, len(content), digest)

    def _fill(self, population: Population) -> None:
        """Fill its database unless an earlier run has; one that was not finished is made anew."""
        name = self.name_database(population)
        marker = self.folder / f"{name}.json"
        owner = self.cluster.url("owner", name)
        superuser = self.cluster.url(SUPERUSER, name)
        is_filled = marker.exists()
        if is_filled:
            steps = json.loads(marker.read_text())
            say(f"{name}: filled by an earlier run")
        else:
            self.cluster.ask("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self.cluster.create_database(name)
            say(f"{name}: filling it with {population.total:,} messages")
            with self.cluster.hold_autovacuum():
                steps = fill_database(owner, superuser, population, self.document, today())
        self.cluster.ask(name, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        steps |= bring_up_to_date(owner, superuser, is_vacuumed=is_filled)
        marker.write_text(
            json.dumps(steps)
        )  # whatever becomes of the rest, which goes on from here
        steps |= count_whale(self.env(name), superuser, population.whale)
        marker.write_text(json.dumps(steps))
        self.steps[name] = steps
        say(f"{name}: {self.steps[name]}")


def drop_folder(folder: Path) -> None:
    """Remove all of it, also what PostgreSQL's user has there."""
    shutil.rmtree(folder, ignore_errors=os.geteuid() != 0)
