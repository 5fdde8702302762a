"""Stopping and reloading gunicorn: what is under way is finished, what is unfit changes nothing."""

import json
import os
import shutil
import signal
import socket
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

import registry
from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, SENDER
from registry.sandbox.servers.processes import LOOPBACK, StartFailed, free_ports
from tests.conftest import V3
from tests.factories import an_ebox
from tests.gunicorn import find_workers, start_gunicorn
from tests.serving.front import Callers, Front
from tests.wire import LARGE, head, read_answer

pytestmark = pytest.mark.process

LISTING = f"{V3[EboxKind.ENTERPRISE]}/ebox/messages"
OPENING = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.pdf"\r\n\r\n%PDF-1.4\n'
END = b"\n%%EOF\n\r\n--x--\r\n"
SIZE = 200_000  # bytes of an upload, more than is gathered before a thread takes it


@contextmanager
def connect(port, words, receive_buffer=None):
    """A connection on which this was sent."""
    with socket.socket() as sock:
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(30)
        sock.connect((LOOPBACK, port))
        sock.sendall(words)
        yield sock


def an_upload(token):
    kind = "Content-Type: multipart/form-data; boundary=x"
    return head("POST", LISTING, token, kind, f"Content-Length: {SIZE}") + OPENING


def wait_until(fact, *, within):
    deadline = time.monotonic() + within
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log_lines(process, event):
    lines = process.log.read_text().splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return [record for record in records if record.get("event") == event]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "gunicorn"


@pytest.fixture
def sender(party):
    return party(SENDER, enterprise=an_ebox().number)


def test_what_is_under_way_is_finished_when_somebody_asks_to_stop(
    settings, folder, sender, download
):
    with (
        start_gunicorn(settings, folder, REGISTRY_STOP_TIMEOUT="20") as (process, port),
        connect(port, an_upload(sender)) as upload,
        connect(port, download, receive_buffer=4096) as reader,
    ):
        time.sleep(1)
        os.kill(process.pid, signal.SIGTERM)
        time.sleep(1)
        upload.sendall(bytes(SIZE - len(OPENING + END)) + END)

        assert read_answer(upload)[0] == 400  # it has no message, and is told so
        assert read_answer(reader)[::2] == (200, LARGE)
        wait_until(lambda: not process.running, within=10)
        assert not log_lines(process, "stopped in the middle of requests")


def test_what_takes_longer_is_cut_and_counted(settings, folder, sender):
    with (
        start_gunicorn(settings, folder, REGISTRY_STOP_TIMEOUT="1") as (process, port),
        connect(port, an_upload(sender)),
        connect(port, an_upload(sender)),
    ):
        time.sleep(1)
        began = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: not process.running, within=10)

        assert time.monotonic() - began > 1
        [line] = log_lines(process, "stopped in the middle of requests")
        assert line["requests"] == 2


def test_unfit_settings_refuse_to_start(settings, folder):
    with (
        pytest.raises(StartFailed, match="REGISTRY_OAUTH_TOKEN_URL: must have a host"),
        start_gunicorn(settings, folder, REGISTRY_OAUTH_TOKEN_URL="https://"),
    ):
        pass


@pytest.fixture
def key(settings, tmp_path):
    """The key of the registry in a file of the test's own."""
    return Path(shutil.copy(settings.oauth_key_path, tmp_path / "key.pem"))


def test_a_reload_with_an_unfit_key_changes_nothing(settings, folder, key, party):
    token = party(CONSUMER, enterprise=an_ebox().number)

    def list_messages():
        connection = HTTPConnection(LOOPBACK, port, timeout=10)
        connection.request("GET", LISTING, headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
        return status

    with start_gunicorn(settings, folder, REGISTRY_OAUTH_KEY_PATH=str(key)) as (process, port):
        good, before = key.read_bytes(), find_workers(process)
        key.write_text("no key")
        os.kill(process.pid, signal.SIGHUP)
        wait_until(lambda: "Not reloaded" in process.log.read_text(), within=30)

        assert f"The key in {key} cannot be used" in process.log.read_text()
        assert find_workers(process) == before
        assert list_messages() == 200

        key.write_bytes(good)
        reload(process)
        assert list_messages() == 200


def test_a_reload_takes_the_program_that_is_there_now_and_gunicorns_hooks_with_it(settings, folder):
    ours = Path(registry.__file__).parent
    program = folder / "program"
    shutil.copytree(ours, program / "registry", ignore=shutil.ignore_patterns("__pycache__"))
    (program / "openapi").symlink_to(ours.parent / "openapi")
    # Without these Python takes the registry of the folder in which the tests run.
    variables = {"PYTHONPATH": str(program), "PYTHONSAFEPATH": "1"}
    with start_gunicorn(settings, folder, "--chdir", program, **variables) as (process, _):
        hooks = program / "registry" / "gunicorn.py"
        hook = 'def post_worker_init(worker):\n    worker.log.info("the new hook")\n'
        hooks.write_text(hooks.read_text() + hook)
        reload(process)

        wait_until(lambda: "the new hook" in process.log.read_text(), within=30)


@pytest.mark.long
def test_two_instances_roll_without_a_request_that_fails(settings, tmp_path, party):
    token = party(CONSUMER, enterprise=an_ebox().number)
    ports = free_ports(2)

    def start(port, name):
        new = start_gunicorn(settings, tmp_path / name, "-w", "2", port=port)
        return stack.enter_context(new)[0]

    with ExitStack() as stack, Front(ports) as front:
        processes = [start(port, f"old-{port}") for port in ports]
        with Callers(front.port, LISTING, token) as callers:
            for old, port in zip(processes, ports, strict=True):
                time.sleep(1)
                os.kill(old.pid, signal.SIGTERM)
                wait_until(lambda old=old: not old.running, within=40)
                reload(start(port, f"new-{port}"))

    assert callers.answers.keys() == {200}
    assert callers.answers[200] > 50


def reload(process):
    """Have new workers in place of all that there are."""
    before = find_workers(process)
    os.kill(process.pid, signal.SIGHUP)
    wait_until(lambda: find_workers(process) and not find_workers(process) & before, within=40)
