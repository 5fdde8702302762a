"""gunicorn with the registry as it is deployed, on the parts of the other tests."""

import signal
import sys
from contextlib import contextmanager
from pathlib import Path

from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, Process, answers, free_port
from tests.conftest import V3
from tests.service import CONF


@contextmanager
def run_gunicorn(settings, folder, *options, **variables):
    """One worker process of it, with more options and variables; gives its port."""
    with start_gunicorn(settings, folder, *options, **variables) as (_, port):
        yield port


@contextmanager
def start_gunicorn(settings, folder, *options, port=None, files=None, **variables):
    """The same, and gives the process too; it may open so many files, or all it wants."""
    port = port or free_port()
    process = Process("gunicorn", folder / "log", signal.SIGQUIT)
    command = [sys.executable, "-m", "gunicorn", "-c", CONF, "--no-control-socket", "-w", "1"]
    command += ["-b", f"{LOOPBACK}:{port}", *options]
    if files is not None:
        command = ["prlimit", f"--nofile={files}:{files}", *command]
    process.start(command, env={**make_environ(settings), **variables})
    health = f"http://{LOOPBACK}:{port}{V3[EboxKind.ENTERPRISE]}/health"
    try:
        process.wait_until(lambda: answers(health), timeout=60)
        yield process, port
    finally:
        process.stop()


def make_environ(settings):
    """The variables that say these settings."""
    names = settings.model_fields_set - {"scopes"}
    ours = {f"REGISTRY_{name.upper()}": _in_words(getattr(settings, name)) for name in names}
    return {**ours, "no_proxy": "*"}


def find_workers(process):
    """The processes that answer, by their ids."""
    return set(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())


def _in_words(value):
    """A setting as the environment holds it."""
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
