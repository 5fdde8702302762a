"""deploy/ha/peer_watch.py on hosts of their own: whose connections it ends, and whose not."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ha.machines import DEPLOY
from tests.ha.network import Network

WATCH = DEPLOY / "peer_watch.py"
needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("ss") is None,
    reason="namespaces need root and iproute2",
)

SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 7000))
print("ready", flush=True)
connections = []
while True:
    connections.append(server.accept())
"""
# Waits on an idle connection, as a gRPC stream does; the watch is the only one who could end it.
CLIENT = """
import socket, sys
with socket.create_connection(("one", 7000)) as connection:
    print("ready", flush=True)
    connection.settimeout(float(sys.argv[1]))
    try:
        connection.recv(1)
    except TimeoutError:
        print("still waits")
    except OSError:
        print("ended")
"""


def start(host, *command):
    """Run Python on a host, and wait for its first line."""
    process = subprocess.Popen(
        host.command(sys.executable, *command), stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    return process


@pytest.fixture
def network():
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as area,
        Network(Path(area), ("one", "two")) as network,
        start(network["one"], "-c", SERVER) as server,
    ):
        yield network
        server.kill()


def watch(network, port):
    log = network["two"].area / "watch.log"
    with log.open("wb") as file:
        command = network["two"].command(sys.executable, WATCH, f"one:{port}")
        return subprocess.Popen(command, stdout=file), log


@needs_namespaces
@pytest.mark.process
@pytest.mark.parametrize("port", [7000, 7001], ids=["accepts", "refuses"])
def test_connections_to_a_silent_peer_are_ended(network, port):
    process, log = watch(network, port)
    with start(network["two"], "-c", CLIENT, "4") as client:
        assert client.communicate()[0] == "still waits\n", "the peer is there"
    with start(network["two"], "-c", CLIENT, "30") as client:
        network.cut_off("one")

        assert client.communicate()[0] == "ended\n"

    process.kill()
    process.wait()
    assert log.read_text() == "one is silent: its connections are ended\n"


@needs_namespaces
@pytest.mark.process
def test_a_peer_that_was_never_there_is_let_alone(network):
    network.cut_off("one")
    process, log = watch(network, 7000)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=9)

    process.kill()
    process.wait()
    assert log.read_text() == ""


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ([], "Name the peers: peer_watch.py HOST:PORT…\n"),
        (["data1"], "data1 is not HOST:PORT\n"),
        (["data1:8008", ":8008"], ":8008 is not HOST:PORT\n"),
        (["data1:http"], "data1:http is not HOST:PORT\n"),
    ],
)
def test_what_is_no_peer_is_refused_in_a_sentence(typed, sentence):
    outcome = subprocess.run(
        [sys.executable, WATCH, *typed], capture_output=True, text=True, check=False
    )

    assert (outcome.returncode, outcome.stderr) == (1, sentence)
