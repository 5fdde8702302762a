"""The web servers take the sockets that systemd holds: nobody is refused while they restart."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK
from tests.conftest import V3
from tests.gunicorn import make_environ
from tests.service import CONF

HEALTH = f"{V3[EboxKind.ENTERPRISE]}/health/live"
# What systemd does: hand on a socket that listens as file 3, and say so (sd_listen_fds(3)).
HAND_ON = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3);"
    "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
    "os.execv(sys.argv[2], sys.argv[2:])"
)
pytestmark = pytest.mark.process


@pytest.fixture
def listener():
    with socket.create_server((LOOPBACK, 0), backlog=64) as server:
        yield server


@contextmanager
def start_server(settings, listener):
    """gunicorn as the unit starts it, on a socket that was there before it."""
    serve = [sys.executable, "-m", "gunicorn", "-c", str(CONF), "--no-control-socket", "-w", "1"]
    file = listener.fileno()
    process = subprocess.Popen(
        [sys.executable, "-c", HAND_ON, str(file), *serve, "registry.app:create_app()"],
        pass_fds=[file],
        env={"PATH": os.environ["PATH"], **make_environ(settings)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def ask(listener):
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=60)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_comes_while_the_server_restarts_is_answered(settings, listener):
    with start_server(settings, listener):
        assert ask(listener) == 200

    with ThreadPoolExecutor(4) as callers:
        answers = [callers.submit(ask, listener) for _ in range(4)]
        with start_server(settings, listener):
            assert [answer.result() for answer in answers] == [200] * 4
