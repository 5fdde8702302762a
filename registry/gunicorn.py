"""How gunicorn serves the registry; every line can be overridden on its command line.

gunicorn -c python:registry.gunicorn
"""

import gc
import multiprocessing
import os
from typing import Any

from registry.telemetry.worker_figures import WorkerFigures

# With deploy/nginx in front, publications have a lane of their own, whose threads mostly wait for
# bytes: REGISTRY_LANE=reading and REGISTRY_LANE=publishing, each a gunicorn. Else one does all.
lane = os.environ.setdefault("LANE", os.environ.pop("REGISTRY_LANE", "all"))  # kept for SIGHUP
if lane not in ("all", "reading", "publishing"):
    raise SystemExit(f"REGISTRY_LANE: {lane} is none of all, reading, publishing")

wsgi_app = "registry.app:create_app()"
bind = os.environ.get("BIND", "127.0.0.1:8081" if lane == "publishing" else "127.0.0.1:8080")
workers = int(os.environ.get("WEB_CONCURRENCY", 2 * multiprocessing.cpu_count()))
# Threads, not sync workers: a sync worker is killed in the middle of a slow upload or download.
# In this one, slow clients wait in its loop, and hold fewer threads than there are.
worker_class = "registry.serving.worker.ServingWorker"
threads = int(os.environ.get("REGISTRY_DATABASE_POOL_SIZE", "8"))  # one connection a thread
if lane == "publishing":  # no thread has a connection while bytes come in
    threads *= 4
    os.environ.setdefault("REGISTRY_CLIENT_LONG_BODIES", str(threads - 2))
    os.environ.setdefault("REGISTRY_S3_SLOTS", str(threads // 2))
    os.environ.setdefault("REGISTRY_CLAMD_SLOTS", str(threads // 2))
worker_connections = 4000  # of each worker: those who only wait cost nothing else
timeout = 120
# Seconds for requests under way after SIGTERM; gunicorn itself waits for a worker a little longer,
# which tells how many it cut. TimeoutStopSec in deploy/systemd is longer still.
stop_timeout = int(os.environ.get("REGISTRY_STOP_TIMEOUT", "30"))
graceful_timeout = stop_timeout + 3
keepalive = 75  # longer than the proxy in front keeps its connections
# Of gunicorn's two parsers always this one: they answer some faults differently, and the other is
# used as soon as somebody installs it.
http_parser = "python"
limit_request_line = 8190  # bytes, gunicorn's most: a client cannot have it read without an end
limit_request_field_size = 16_380
accesslog = None  # the registry writes its own line for each request, without persons or secrets
errorlog = "-"
logger_class = "registry.telemetry.gunicorn_log.QueuedLogger"  # waits for no reader of its lines


def on_starting(server: Any) -> None:
    """Have SIGHUP change nothing when the new settings, keys or program cannot work.

    And have the workers' figures added up, when METRICS_PORT opens them to the operators.
    """
    from registry.serving.reload import guard_reload  # noqa: PLC0415 - only a start needs it

    guard_reload(server)
    # Of the server, since this file is read again on SIGHUP, and what was counted goes on.
    server.figures = WorkerFigures() if os.environ.get("METRICS_PORT") else None


def when_ready(server: Any) -> None:
    """Serve the figures beside the API."""
    if server.figures:
        port = int(os.environ["METRICS_PORT"])
        server.figures.serve(port, os.environ.get("METRICS_HOST", "127.0.0.1"))
        server.log.info("Metrics on port %s", port)


def pre_fork(server: Any, worker: Any) -> None:
    """Prepare to hear what the worker counts."""
    if server.figures:
        server.figures.expect(worker.age)


def post_fork(server: Any, worker: Any) -> None:
    """Give the requests of a worker less time than gunicorn gives the worker.

    And have the worker say what it counts, whenever it is asked.
    """
    worker.cfg.set("graceful_timeout", stop_timeout)
    if lane == "publishing":
        os.nice(5)  # where processors are short, whoever reads goes first
    if server.figures:
        server.figures.begin(worker.age)


def post_worker_init(worker: Any) -> None:
    """Look for garbage seldom: what a page of messages allocates is gone with its request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def worker_exit(server: Any, worker: Any) -> None:
    """Have a worker that ends say what it has counted."""
    if server.figures:
        server.figures.end()


def child_exit(server: Any, worker: Any) -> None:
    """Keep what a worker that is gone had counted."""
    if server.figures:
        server.figures.forget(worker.age)
