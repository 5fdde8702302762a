"""The whole service as it is deployed: two gunicorns, and Debian's nginx in front of them."""

import signal
import sys
from contextlib import contextmanager

from registry.sandbox.servers.processes import LOOPBACK, Process, answers, free_port
from tests.nginx import run_nginx
from tests.service import BASE, CONF


@contextmanager
def run_lanes(service, *, workers=None, plain_port=None):
    """Serve by both lanes behind nginx; gives nginx's port, and the process of each lane.

    nginx speaks TLS there, and none on `plain_port`.
    """
    lanes, ports = {}, {}
    try:
        for lane in ("reading", "publishing"):
            port = ports[lane] = free_port()
            command = [sys.executable, "-m", "gunicorn", "-c", CONF, "--no-control-socket"]
            command += ["-b", f"{LOOPBACK}:{port}", *(["-w", str(workers)] if workers else [])]
            lanes[lane] = Process(lane, service.area / f"{lane}.log", signal.SIGQUIT)
            env = {**service.env, "REGISTRY_LANE": lane, "REGISTRY_ACCEL": "true"}
            lanes[lane].start(command, env=env)
        for lane, port in ports.items():
            health = f"http://{LOOPBACK}:{port}{BASE}/health"
            lanes[lane].wait_until(lambda health=health: answers(health), timeout=180)
        folder = service.area / "nginx"
        folder.mkdir(exist_ok=True)
        named = {lane: [port] for lane, port in ports.items()}
        endpoint = service.objects.endpoint
        with run_nginx(folder, s3_endpoint=endpoint, plain_port=plain_port, **named) as front:
            yield front, lanes
    finally:
        for process in lanes.values():
            process.stop()
