"""How gunicorn serves the registry; every line can be overridden on its command line.

gunicorn -c deploy/gunicorn.conf.py 'registry.app:create_app()'
"""

import gc
import multiprocessing
import os
import shutil
import tempfile

# Prometheus keeps what each worker counts in this folder, so it must be set before the
# application is imported; METRICS_PORT opens the figures to the operators' network only.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="registry-metrics-")

# With deploy/nginx in front, publications have a lane of their own, whose threads mostly wait for
# bytes: REGISTRY_LANE=reading and REGISTRY_LANE=publishing, each a gunicorn. Else one does all.
lane = os.environ.setdefault("LANE", os.environ.pop("REGISTRY_LANE", "all"))  # kept for SIGHUP
if lane not in ("all", "reading", "publishing"):
    raise SystemExit(f"REGISTRY_LANE: {lane} is none of all, reading, publishing")

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
limit_request_line = 8190  # bytes, gunicorn's most: a client cannot have it read without an end
limit_request_field_size = 16_380
accesslog = None  # the registry writes its own line for each request, without persons or secrets
errorlog = "-"


def on_starting(server):
    """Have SIGHUP change nothing when the new settings, keys or program cannot work."""
    from registry.serving.reload import guard_reload

    guard_reload(server)


def post_fork(server, worker):
    """Give the requests of a worker less time than gunicorn gives the worker."""
    worker.cfg.set("graceful_timeout", stop_timeout)


def post_worker_init(worker):
    """Look for garbage seldom: what a page of messages allocates is gone with its request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def when_ready(server):
    """Serve the metrics beside the API, when a port is set."""
    if port := os.environ.get("METRICS_PORT"):
        from prometheus_client import CollectorRegistry, start_http_server
        from prometheus_client.multiprocess import MultiProcessCollector

        figures = CollectorRegistry()
        MultiProcessCollector(figures)
        start_http_server(int(port), os.environ.get("METRICS_HOST", "127.0.0.1"), figures)
        server.log.info("Metrics on port %s", port)


def child_exit(server, worker):
    """Forget the gauges of a worker that is gone."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server):
    """Leave no folder of metrics behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
