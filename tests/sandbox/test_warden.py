"""What the warden does at the end of its input; that it is started is told in test_processes."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from registry.sandbox.servers import warden

pytestmark = pytest.mark.process


@pytest.fixture
def orders(monkeypatch):
    """Has the warden read these orders, in this process, until there are no more."""

    def give(*orders):
        lines = "".join(json.dumps(order) + "\n" for order in orders)
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        warden.main()

    return give


@pytest.fixture
def sleeper():
    started = []

    def start(trap=""):
        command = ["sh", "-c", f"{trap} echo ready; sleep 60 & wait; wait"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_groups_are_asked_to_end(orders, sleeper):
    process = sleeper()

    # Not SIGINT, which a shell ignores in what it starts in the background, and all below that.
    orders(["watch", process.pid, signal.SIGUSR1])

    assert process.wait(5) == -signal.SIGUSR1


def test_who_does_not_listen_is_killed(orders, sleeper):
    process = sleeper("trap '' TERM;")

    orders(["watch", process.pid, signal.SIGTERM])

    assert process.wait(5) == -signal.SIGKILL


def test_what_was_forgotten_is_spared(orders, sleeper):
    process = sleeper()

    orders(["watch", process.pid, signal.SIGTERM], ["forget", process.pid, 0])

    assert process.poll() is None


def test_who_is_gone_already_is_no_trouble(orders):
    orders(["watch", 2**22 + 1, signal.SIGTERM])


def test_files_and_folders_are_swept(orders, tmp_path):
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for name in ("swept", "kept"):
        (tmp_path / name).touch()
    names = ("folder", "swept", "kept", "missing")
    everything = [["sweep", str(tmp_path / name), 0] for name in names]

    orders(*everything, ["unsweep", str(tmp_path / "kept"), 0])

    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]
