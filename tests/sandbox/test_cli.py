"""The command, on sandboxes that are up, were up, or never will be."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from registry.sandbox.commands.sandbox import sandbox
from registry.sandbox.layout import Layout
from registry.sandbox.personas import PERSONAS
from registry.sandbox.servers import processes

PROCESSES = {"postgres", "seaweedfs", "federation", "portal", "gunicorn", "worker", "sandbox"}


@pytest.fixture(scope="module")
def layout():
    """A directory that every user can reach, as one under a home usually is."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Layout.at(Path(name) / "sandbox")


@pytest.fixture
def command(layout):
    """Runs a subcommand in this process, on the directory."""

    def run(name, *arguments):
        return CliRunner().invoke(sandbox, [name, "--dir", str(layout.directory), *arguments])

    return run


@pytest.fixture
def when_ready(layout):
    """Does something in another thread as soon as the sandbox is ready."""
    threads = []

    def do(work):
        def wait_and_work():
            deadline = time.monotonic() + 120
            while not layout.document.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            if layout.document.exists():
                work(layout.read_document())

        threads.append(threading.Thread(target=wait_and_work))
        threads[-1].start()

    yield do
    for thread in threads:
        thread.join()


def _interrupt(_):
    os.kill(os.getpid(), signal.SIGINT)


def _is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _all_gone(pids, seconds=10):
    deadline = time.monotonic() + seconds
    while not all(map(_is_gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return all(map(_is_gone, pids))


def _sockets(document):
    """All that this SeaweedFS has in the temporary folder: others may be running beside it."""
    line = Path(f"/proc/{document['processes']['seaweedfs']}/cmdline").read_text()
    options = dict(part.lstrip("-").partition("=")[::2] for part in line.split("\0"))
    ports = {value for name, value in options.items() if name.endswith(".port.grpc")}
    found = [Path(options["filer.localSocket"]).parent, Path(options["s3.localSocket"])]
    for port in ports:
        found += Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock")  # noqa: S108  its names are fixed
    assert len(found) > 4
    return found


@pytest.mark.journey
@pytest.mark.journey
def test_up_and_ctrl_c(layout, command, when_ready, monkeypatch):
    seen, (port, *figures) = {}, processes.free_ports(3)
    for name, place in zip(("METRICS_PORT", "WORKER_METRICS_PORT"), figures, strict=True):
        monkeypatch.setenv(name, str(place))

    def look(document):
        seen.update(document)
        health = f"http://127.0.0.1:{port}/REST/ebox/enterprise/messageRegistry/v3/health"
        with urllib.request.urlopen(health, timeout=5) as answer:
            seen["health"] = answer.status
        seen["figures"] = [
            processes.answers(f"http://127.0.0.1:{each}/metrics") for each in figures
        ]
        seen["sockets"] = _sockets(document)
        with psycopg.connect(document["databaseUrl"]) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        _interrupt(document)

    when_ready(look)
    result = command("up", "--port", str(port), "--empty")

    assert result.exit_code == 0, result.output
    assert seen["health"] == 200
    assert seen["figures"] == [True, True]
    for step in ("PostgreSQL: ", "SeaweedFS: ", "Migrations: ", "Ready.", "Stopped."):
        assert step in result.output
    assert seen["baseUrls"] == {
        kind: {
            version: f"http://localhost:{port}/REST/ebox/{kind}/messageRegistry/{version}"
            for version in ("v3", "v2")
        }
        for kind in ("enterprise", "citizen")
    }
    assert set(seen["processes"]) == PROCESSES
    assert seen["processes"].pop("sandbox") == os.getpid()
    assert set(seen["personas"]) == set(PERSONAS)
    assert set(seen["s3"]) == {
        "endpoint",
        "bucket",
        "sealBucket",
        "accessKey",
        "secretKey",
    }
    assert _all_gone(seen["processes"].values(), 0)
    assert not layout.document.exists()
    assert not any(path.exists() for path in seen["sockets"])
    assert processes.is_free(port)


@pytest.mark.journey
@pytest.mark.journey
def test_kept_data_and_a_part_that_ends_by_itself(command, when_ready):
    kept = []

    def kill_a_part(document):
        with psycopg.connect(document["databaseUrl"]) as connection:
            kept.append(connection.execute("SELECT count(*) FROM kept").fetchone())
        os.killpg(document["processes"]["gunicorn"], signal.SIGKILL)

    when_ready(kill_a_part)
    result = command("up", "--port", str(processes.free_port()), "--empty", "--keep")

    assert kept == [(0,)]
    assert result.exit_code == 1
    assert "gunicorn has ended" in result.output


@pytest.mark.journey
@pytest.mark.journey
def test_a_sandbox_behind_the_terminal(layout, command):
    port = str(processes.free_port())

    started = command("up", "--port", port, "--empty", "--detach")
    assert started.exit_code == 0, started.output
    assert "The registry: " in started.output
    pids, sockets = layout.read_document()["processes"], _sockets(layout.read_document())
    try:
        _look_around(command, port)
    finally:
        # Killed as nobody should: even so, nothing may stay behind.
        os.kill(pids["sandbox"], signal.SIGKILL)

    assert _all_gone(pids.values())
    deadline = time.monotonic() + 5
    while any(path.exists() for path in sockets) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(path.exists() for path in sockets)
    stale = command("status")
    assert stale.exit_code == 1
    assert "gone" in stale.output
    assert "DOWN" in stale.output
    assert command("down").output == "Stopped.\n"
    assert command("down").output == f"No sandbox is running in {layout.directory}.\n"


def _look_around(command, port):
    status = command("status")
    assert status.exit_code == 0, status.output
    assert set(status.output.split()) >= PROCESSES

    token = command("token", "portal-user")
    assert token.exit_code == 0, token.output
    assert len(token.output.strip()) == 48

    narrow = command("token", "citizen", "--scope", PERSONAS["citizen"].scopes[0])
    assert narrow.exit_code == 0, narrow.output

    refused = command("token", "citizen", "--scope", "everything")
    assert refused.exit_code == 1
    assert "invalid_scope" in refused.output

    unknown = command("token", "mallory")
    assert unknown.exit_code == 2
    assert "enterprise-consumer, portal-user" in unknown.output

    check = "import os; from registry.settings import Settings; Settings.load(os.environ); exit(7)"
    assert command("exec", "--", sys.executable, "-c", check).exit_code == 7
    assert command("exec", "--", "sh", "-c", "kill -9 $$").exit_code == 128 + 9
    missing = command("exec", "--", "nonexistent")
    assert (missing.exit_code, missing.output) == (
        127,
        "nonexistent cannot be run: No such file or directory\n",
    )

    for options in ([], ["--detach"]):
        second = command("up", "--port", port, *options)
        assert second.exit_code == 1
        assert "is running in" in second.output


@pytest.mark.parametrize("options", [[], ["--detach"]])
def test_a_port_in_use(options, command):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        result = command("up", "--port", str(port), *options)

    assert result.exit_code == 1
    assert f"Port {port} is in use; choose another with --port." in result.output


def test_ctrl_c_while_starting(layout, command):
    def interrupt_soon():
        deadline = time.monotonic() + 30
        while not layout.draft.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        if layout.draft.exists():
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt_soon)
    thread.start()
    result = command("up", "--port", str(processes.free_port()), "--empty")
    thread.join()

    assert result.exit_code == 130
    assert "Stopped before it was ready." in result.output
    assert layout.read_any_document() == {}


@pytest.mark.parametrize("name", ["status", "token portal-user", "exec -- true"])
def test_what_needs_a_running_sandbox_says_so(name, command):
    result = command(*name.split())

    assert result.exit_code == 1
    assert "No sandbox is running in" in result.output


def test_a_folder_of_somebody_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()

    result = CliRunner().invoke(sandbox, ["up", "--dir", str(tmp_path)])

    assert result.exit_code == 1
    assert "not empty and not a sandbox" in result.output


def test_it_explains_itself():
    answer = subprocess.run(
        [sys.executable, "-m", "registry.sandbox", "up", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "fresh data unless --keep" in " ".join(answer.stdout.split())
