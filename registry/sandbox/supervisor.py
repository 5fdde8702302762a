"""Starts the parts of a sandbox in order, watches them, and stops them all, whatever happens."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from registry.sandbox import ownership, personas
from registry.sandbox.callers_files import write_callers_files
from registry.sandbox.federation.process import Federation
from registry.sandbox.layout import Document, Layout
from registry.sandbox.portal.process import Portal
from registry.sandbox.servers.postgres import APPLICATION, WORKER, Cluster
from registry.sandbox.servers.processes import (
    LOOPBACK,
    Interrupted,
    Process,
    StartFailed,
    answers,
    interruption,
    is_free,
    pause,
    tail,
)
from registry.sandbox.servers.seaweed import ObjectStore

ENTERPRISE: Final = "/REST/ebox/enterprise/messageRegistry"
CITIZEN: Final = "/REST/ebox/citizen/messageRegistry"
_WORKERS: Final = "2"
_WORKER: Final = (sys.executable, "-m", "registry", "worker")
_READY_TIMEOUT: Final = 60.0
_TASK_TIMEOUT: Final = 120.0

Say = Callable[[str], None]


class _Part(Protocol):
    """A part of the sandbox, however it is started."""

    @property
    def pid(self) -> int: ...
    @property
    def running(self) -> bool: ...
    def stop(self) -> None: ...


class Supervisor:
    """One sandbox from start to end, in this process; `say` gets the progress, line by line.

    `keep` goes on with the data of the last time; `seeds` says whether an empty registry is
    filled. `cluster` is a PostgreSQL of the caller's making, in the layout's folder.
    """

    def __init__(
        self,
        layout: Layout,
        port: int,
        *,
        say: Say,
        keep: bool = False,
        seeds: bool = True,
        cluster: Cluster | None = None,
    ) -> None:
        self.layout = layout
        self.port = port
        self._say = say
        self._keep = keep
        self._seeds = seeds
        self._cluster = cluster or Cluster(layout.postgres)
        self._stack = ExitStack()
        self._parts: dict[str, _Part] = {}
        self._logs: dict[str, Path] = {}
        self._document = _empty_document(port)

    @contextmanager
    def up(self) -> Iterator[Document]:
        """A running sandbox for the duration of the block; gives what sandbox.json says.

        Raises `Occupied`, `StartFailed`, `PostgresMissing`, and `Interrupted` when a signal asks
        to stop; nothing runs any more when the block is left.
        """
        with ownership.hold_directory(self.layout, self._say), _obedient(), self._stack:
            self._stack.callback(self.layout.erase)
            if not is_free(self.port):
                raise StartFailed(f"Port {self.port} is in use; choose another with --port.")
            self._clear()
            self._start()
            try:
                yield self._document
            finally:
                self._say("Stopping …")

    def watch(self) -> None:
        """Wait until somebody asks to stop; raises `StartFailed` when a part ends by itself."""
        try:
            while True:
                pause(0.5)
                for name, part in self._parts.items():
                    if not part.running:
                        raise StartFailed(f"{name} has ended:\n{tail(self._logs[name])}")
        except Interrupted:
            return

    def _clear(self) -> None:
        """Fresh data, unless what is there is to be kept; keys stay."""
        shutil.rmtree(self.layout.logs, ignore_errors=True)
        # Nothing is left to keep when the database was in the temporary folder (see Cluster): under
        # the seals of another audit trail a new one could not be sealed.
        is_there = (self.layout.postgres / "data" / "PG_VERSION").exists()
        if not (self._keep and is_there):
            for directory in (self.layout.postgres, self.layout.objects):
                shutil.rmtree(directory, ignore_errors=True)
            (self.layout.federation / "events.jsonl").unlink(missing_ok=True)  # what was told

    def _start(self) -> None:
        seeds_mark = self.layout.postgres / "seeded"
        # The data may have been in the temporary folder and be gone (see Cluster).
        has_data = seeds_mark.exists() and (self.layout.postgres / "data" / "PG_VERSION").exists()
        self._document["processes"]["sandbox"] = os.getpid()
        self.layout.write(self._document, ready=False)
        with self._step("PostgreSQL"):
            self.start_database()
        with self._step("SeaweedFS"):
            self._start_store()
        with self._step("The federation's stand-ins"):
            self._start_federation()
        with self._step("The portal"):
            self._start_portal()
        with self._step("Migrations"):
            self.run_registry("database", "migrate")
        if self._seeds and not has_data:
            with self._step("Seeds"):
                directory = str(self.layout.directory)
                self._run_task("seeds", "-m", "registry.sandbox.seeds", directory)
                seeds_mark.touch()
        self.start_registry()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        beginning = time.monotonic()
        yield
        self._say(f"{name}: {time.monotonic() - beginning:.1f} s")

    def _add(self, name: str, part: _Part, log: Path, facts: dict[str, Any]) -> None:
        """From here on the part is stopped with the rest, watched, and known to the document."""
        self._stack.callback(part.stop)
        self._parts[name] = part
        self._logs[name] = log
        self._document.update(facts)
        self._document["processes"][name] = part.pid
        self.layout.write(self._document, ready=False)

    def start_database(self) -> None:
        """Start PostgreSQL, or take note of where it is since its owner has started it again."""
        cluster = self._cluster if self._cluster.running else self._cluster.start()
        urls = {
            "databaseUrl": cluster.url(),
            "applicationDatabaseUrl": cluster.url(APPLICATION),
            "workerDatabaseUrl": cluster.url(WORKER),
        }
        self._add("postgres", cluster, self.layout.postgres / "postgres.log", urls)

    def _start_store(self) -> None:
        store = ObjectStore(self.layout.objects).start()
        facts = {
            "endpoint": store.endpoint,
            "bucket": store.bucket,
            "sealBucket": store.seals,
            "accessKey": store.access_key,
            "secretKey": store.secret_key,
        }
        self._add("seaweedfs", store, self.layout.objects / "weed.log", {"s3": facts})

    def _start_federation(self) -> None:
        personas.enroll(self.layout.keys, self.layout.federation, keep=self._keep)
        log = self.layout.logs / "federation.log"
        federation = Federation(self.layout.federation, log=log).start()
        write_callers_files(self.layout, federation.token_url)
        urls = {"tokenUrl": federation.token_url, "introspectUrl": federation.introspect_url}
        self._add("federation", federation, log, urls)

    def _start_portal(self) -> None:
        """Before the registry, which has to know from where its pages call."""
        log = self.layout.logs / "portal.log"
        portal = Portal(self.layout, log=log).start()
        self._add("portal", portal, log, {"portalUrl": portal.url})

    def start_registry(self) -> None:
        """Start what serves and the worker, also after `stop_registry`; all is ready then.

        Raises `StartFailed`.
        """
        with self._step("The registry"):
            self._start_gunicorn()
        with self._step("The worker"):
            self._start_worker()
        self.layout.write(self._document, ready=True)

    def stop_registry(self) -> None:
        """Stop what serves and the worker; the others go on."""
        self.layout.write(self._document, ready=False)
        for name in ("worker", "gunicorn"):
            self._parts[name].stop()

    def run_registry(self, *command: str, codes: Collection[int] = (0,)) -> str:
        """Run `registry …` with this sandbox's settings, and give all that it printed.

        Raises `StartFailed` when it ends with another code than these, or takes two minutes.
        """
        name = "-".join(word.strip("-") for word in command[:2])
        return self._run_task(name, "-m", "registry", *command, codes=codes)

    def _start_gunicorn(self) -> None:
        log = self.layout.logs / "gunicorn.log"
        process = Process("gunicorn", log, grace=5)
        process.start(_gunicorn(self.port), env=self._environment())
        self._add("gunicorn", process, log, {})
        health = f"http://{LOOPBACK}:{self.port}{ENTERPRISE}/v3/health"
        process.wait_until(lambda: answers(health), timeout=_READY_TIMEOUT)

    def _start_worker(self) -> None:
        log = self.layout.logs / "worker.log"
        process = Process("worker", log)
        # Gunicorn has the port of the metrics, where one is set; the worker needs another.
        port = os.environ.get("WORKER_METRICS_PORT", "")
        process.start(_WORKER, env={**self._environment(), "METRICS_PORT": port})
        self._add("worker", process, log, {})
        process.wait_until(lambda: '"started"' in tail(log), timeout=_READY_TIMEOUT)

    def _run_task(self, name: str, *arguments: str, codes: Collection[int] = (0,)) -> str:
        task = Process(name, self.layout.logs / f"{name}.log")
        self._stack.callback(task.stop)
        task.start([sys.executable, *arguments], env=self._environment())
        task.finish(timeout=_TASK_TIMEOUT, codes=codes)
        return task.log.read_text(encoding="utf-8", errors="replace")

    def _environment(self) -> dict[str, str]:
        return self.layout.merge_environment(self._document, os.environ)


def _empty_document(port: int) -> Document:
    origin = f"http://localhost:{port}"
    return {
        "baseUrls": {
            kind: {version: f"{origin}{root}/{version}" for version in ("v3", "v2")}
            for kind, root in (("enterprise", ENTERPRISE), ("citizen", CITIZEN))
        },
        "personas": {name: persona.identity for name, persona in personas.PERSONAS.items()},
        "processes": {},
    }


def _gunicorn(port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:registry.gunicorn",
        "--no-control-socket",  # it would be under the home directory, shared by all sandboxes
        "-w",
        _WORKERS,
        "-b",
        f"{LOOPBACK}:{port}",
    ]


@contextmanager
def _obedient() -> Iterator[None]:
    """Let Ctrl-C and `kill` ask for an orderly stop instead of ending us on the spot."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: interruption.set()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        interruption.clear()
