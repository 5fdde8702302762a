import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

from registry.sandbox import ownership
from registry.sandbox.layout import Layout
from registry.sandbox.ownership import Occupied

pytestmark = pytest.mark.process

# A supervisor in name: holds the directory, records itself and does as `how` says when told to go.
HOLDER = """
import os, signal, sys, time
from pathlib import Path
from registry.sandbox import ownership
from registry.sandbox.layout import Layout

layout = Layout.at(Path(sys.argv[1]))
with ownership.hold_directory(layout, print):
    layout.write({"processes": {"sandbox": os.getpid()}}, ready=True)
    try:
        print("held", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        layout.erase()
"""


@pytest.fixture
def layout(tmp_path):
    return Layout.at(tmp_path / "sandbox")


@pytest.fixture
def holder(layout):
    """Starts a process that holds the directory; its command line looks like a supervisor's."""
    started = []

    def start(prelude=""):
        process = subprocess.Popen(
            [sys.executable, "-c", prelude + textwrap.dedent(HOLDER), layout.directory, "up"],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def recorded(layout):
    """A process of this kind that the document knows."""
    started = []

    def record(name, *command):
        process = subprocess.Popen(command, start_new_session=True)
        started.append(process)
        while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
            time.sleep(0.001)  # between closing the parent's files and having arguments
        ownership.claim(layout)
        layout.write({"processes": {name: process.pid}}, ready=True)
        return process

    yield record
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_folder_that_somebody_needs_is_left_alone(layout):
    layout.directory.mkdir()
    (layout.directory / "thesis.txt").touch()

    with pytest.raises(Occupied, match="not empty and not a sandbox"):
        ownership.claim(layout)

    assert [path.name for path in layout.directory.iterdir()] == ["thesis.txt"]


def test_a_sandbox_of_before_may_be_used_again(layout):
    ownership.claim(layout)
    (layout.directory / "keys").mkdir()

    ownership.claim(layout)


def test_one_at_a_time(layout):
    assert not ownership.is_held(layout)
    with ownership.hold_directory(layout, print):
        assert ownership.is_held(layout)
        with pytest.raises(Occupied, match="running in"), ownership.hold_directory(layout, print):
            pass

    assert not ownership.is_held(layout)


def test_nothing_to_take_down(layout):
    assert ownership.take_down(layout) is False


def test_taking_down_waits_for_the_supervisor(layout, holder):
    raises = "import signal; signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
    supervisor = holder(raises)

    assert ownership.take_down(layout) is True

    assert supervisor.wait(5) == 0
    assert not ownership.is_held(layout)


def test_a_deaf_supervisor_is_killed_in_the_end(layout, holder):
    supervisor = holder("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n")

    assert ownership.take_down(layout, timeout=0.5) is True

    assert supervisor.wait(5) == -9
    assert layout.read_any_document() == {}


def test_what_a_killed_sandbox_left_is_ended(layout, recorded):
    orphan = recorded("gunicorn", "sh", "-c", "sleep 60; : gunicorn -c python:registry.gunicorn")
    said = []

    with ownership.hold_directory(layout, said.append):
        assert orphan.wait(5) == -9
        assert layout.read_any_document() == {}

    assert said == ["Cleaning up after a sandbox that was killed."]


def test_taking_down_ends_what_a_killed_sandbox_left(layout, recorded):
    orphan = recorded("gunicorn", "sh", "-c", "sleep 60; : gunicorn -c python:registry.gunicorn")

    assert ownership.take_down(layout) is True

    assert orphan.wait(5) == -9


def test_somebody_elses_process_is_spared(layout, recorded):
    stranger = recorded("gunicorn", "sleep", "60")

    assert ownership.take_down(layout) is True

    assert stranger.poll() is None


def test_a_process_that_came_later_is_spared(layout, recorded):
    stranger = recorded("gunicorn", "sh", "-c", "sleep 60; : gunicorn -c python:registry.gunicorn")
    long_ago = layout.document.stat().st_mtime - 60
    os.utime(layout.document, (long_ago, long_ago))

    assert not ownership.is_ours("gunicorn", stranger.pid, layout)


def test_a_number_that_nobody_has(layout):
    assert not ownership.is_ours("gunicorn", 2**22 + 1, layout)
