import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from registry.sandbox.servers import processes
from registry.sandbox.servers.processes import Interrupted, Process, StartFailed

pytestmark = pytest.mark.process

# A leader with a child of its own; the first line of its output is the child's pid.
FAMILY = [
    "sh",
    "-c",
    "{trap} sleep 60 & echo $!; wait",
]


@pytest.fixture
def process(tmp_path):
    process = Process("A process", tmp_path / "log", grace=0.3)
    yield process
    process.stop()


@pytest.fixture
def interruption():
    yield processes.interruption
    processes.interruption.clear()


def _family(trap=""):
    return [part.replace("{trap}", trap) for part in FAMILY]


def _first_line(process):
    process.wait_until(lambda: "\n" in process.log.read_text(), timeout=5)
    return int(process.log.read_text().split()[0])


def _is_gone(pid):
    """Gone, or dead and waiting for somebody to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _wait(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_stopping_ends_the_whole_group(process):
    process.start(_family())
    child, leader = _first_line(process), process.pid

    process.stop()

    assert _is_gone(leader)
    assert _wait(lambda: _is_gone(child))
    assert not process.running


def test_who_does_not_listen_is_killed(process):
    process.start(_family("trap '' TERM;"))
    _first_line(process)
    leader, started = process.pid, time.monotonic()

    process.stop()

    assert _is_gone(leader)
    assert 0.3 <= time.monotonic() - started < 3


def test_children_of_a_leader_that_is_gone_end_too(process):
    process.start(["sh", "-c", "sleep 60 & echo $!"])
    child = _first_line_of_ended(process)
    assert not _is_gone(child)

    process.stop()

    assert _wait(lambda: _is_gone(child))


def _first_line_of_ended(process):
    assert _wait(lambda: not process.running)
    return int(process.log.read_text().split()[0])


def test_stopping_twice_is_harmless(process):
    process.start(["sleep", "60"])

    process.stop()
    process.stop()

    with pytest.raises(StartFailed, match="not running"):
        _ = process.pid


def test_who_ends_too_early_is_told_with_its_log(process):
    process.start(["sh", "-c", "echo out of paper >&2; exit 3"])

    with pytest.raises(StartFailed, match=r"(?s)A process ended with status 3.*out of paper"):
        process.wait_until(lambda: False, timeout=5)


def test_who_takes_too_long_is_told_with_its_log(process):
    process.start(["sh", "-c", "echo still warming up; sleep 60"])

    with pytest.raises(StartFailed, match=r"(?s)not ready after 0.3 seconds.*warming up"):
        process.wait_until(lambda: False, timeout=0.3)


def test_a_program_that_is_not_there(process):
    with pytest.raises(StartFailed, match="A process cannot be run"):
        process.start(["/nonexistent"])


def test_a_task_that_ends_well(process):
    process.start(["true"]).finish(timeout=5)


@pytest.mark.parametrize(
    ("command", "fault"),
    [(["sh", "-c", "echo no; exit 2"], r"(?s)status 2.*no"), (["sleep", "60"], "took too long")],
)
def test_a_task_that_does_not(command, fault, process):
    process.start(command)

    with pytest.raises(StartFailed, match=fault):
        process.finish(timeout=0.3)


def test_the_tail_of_a_log(tmp_path):
    log = tmp_path / "log"
    assert processes.tail(log) == "(no log)"
    log.write_text("")
    assert processes.tail(log) == "(the log is empty)"
    log.write_text("\n".join(map(str, range(100))))
    assert processes.tail(log).split() == [str(n) for n in range(70, 100)]


def test_waiting_ends_when_somebody_asks(process, interruption):
    process.start(["sleep", "60"])
    threading.Timer(0.2, interruption.set).start()
    started = time.monotonic()

    with pytest.raises(Interrupted):
        process.wait_until(lambda: False, timeout=30)

    assert time.monotonic() - started < 5


def test_ports_are_distinct_and_free():
    ports = processes.free_ports(10)

    assert len(set(ports)) == 10
    assert all(processes.is_free(port) for port in ports)


def test_a_port_in_use_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not processes.is_free(server.getsockname()[1])


def test_nobody_answers_on_a_free_port():
    assert not processes.answers(f"http://127.0.0.1:{processes.free_port()}/")


PARENT = """
import os, sys, time
from pathlib import Path
from registry.sandbox.servers.processes import Process, sweep

kept, swept, empty = map(Path, sys.argv[2:])
process = Process("a family", Path(sys.argv[1])).start(["sh", "-c", "sleep 60 & echo $!; wait"])
ended = Process("ended", Path(sys.argv[1] + "2")).start(["sleep", "60"])
ended.stop()
for path in (swept, empty):
    sweep(path)
print(process.pid, flush=True)
print(Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_a_parent_that_is_killed(number, tmp_path):
    kept, swept, folder = tmp_path / "kept", tmp_path / "swept", tmp_path / "folder"
    kept.touch()
    swept.touch()
    (folder / "in it").mkdir(parents=True)
    arguments = [tmp_path / "log", kept, swept, folder]
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    leader = int(parent.stdout.readline())
    (warden,) = {int(pid) for pid in parent.stdout.readline().split()} - {leader}
    assert _wait((tmp_path / "log").read_text)
    child = int((tmp_path / "log").read_text())
    assert not _is_gone(child)

    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()

    assert _wait(lambda: _is_gone(leader))
    assert _wait(lambda: _is_gone(child))
    assert _wait(lambda: not swept.exists() and not folder.exists())
    assert kept.exists()
    assert _wait(lambda: _is_gone(warden))


def test_a_child_has_our_environment_and_more(process):
    os.environ["COLOUR"] = "blue"
    process.start(["sh", "-c", "echo $COLOUR $SHAPE"], env={"SHAPE": "round"}).finish(timeout=5)
    del os.environ["COLOUR"]

    assert process.log.read_text() == "blue round\n"


SERVER = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
time.sleep(60)
"""


@pytest.fixture
def server(process):
    """Serves on the first of the ports, and remembers what it was given."""

    def serve(ports):
        serve.given.append(ports)
        process.start([sys.executable, "-c", SERVER, str(ports[0])])
        process.wait_until(lambda: "listening" in process.log.read_text(), timeout=5)

    serve.given = []
    return serve


def test_a_server_gets_the_ports_it_wants(server):
    processes.on_free_ports(2, server)

    ((first, second),) = server.given
    assert first != second


def test_a_server_whose_port_was_taken_meanwhile_gets_another(server):
    def unlucky(ports):
        if server.given:
            return server(ports)
        with socket.create_server(("127.0.0.1", ports[0])):
            return server(ports)

    processes.on_free_ports(1, unlucky)

    first, second = server.given
    assert first != second


def test_three_times_is_enough(server):
    def doomed(ports):
        with socket.create_server(("127.0.0.1", ports[0])):
            server(ports)

    with pytest.raises(StartFailed, match="already in use"):
        processes.on_free_ports(1, doomed)

    assert len(server.given) == 3


def test_other_faults_are_not_for_another_port(server):
    def broken(ports):
        server.given.append(ports)
        raise StartFailed("No more memory.")

    with pytest.raises(StartFailed, match="memory"):
        processes.on_free_ports(1, broken)

    assert len(server.given) == 1
