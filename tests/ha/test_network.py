"""The network of the failover journey: hosts that hear each other until one is cut off."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ha.network import Network

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="namespaces need root and iproute2"
)

# Answers each connection with what its host calls the one at the other end.
SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 7000))
print("ready", flush=True)
while True:
    connection, address = server.accept()
    connection.sendall(b"hello")
    connection.close()
"""
CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), timeout=1) as connection:
    print(connection.recv(5).decode())
"""


@pytest.fixture(scope="module")
def network():
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as area,
        Network(Path(area), ("one", "two")) as network,
    ):
        command = network["one"].command(sys.executable, "-c", SERVER)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            server.stdout.readline()
            yield network
            server.kill()


def hears(network, name, target):
    command = network[name].command(sys.executable, "-c", CLIENT, target)
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "hello\n"


def test_hosts_hear_each_other_by_name(network):
    assert hears(network, "two", "one")


def test_whoever_is_on_no_host_hears_them(network):
    with socket.create_connection((network["one"].address, 7000), timeout=5) as connection:
        assert connection.recv(5) == b"hello"


def test_a_host_that_is_cut_off_hears_itself_alone(network):
    network.cut_off("one")
    try:
        assert not hears(network, "two", "one")
        assert hears(network, "one", "localhost")
    finally:
        network.reconnect("one")

    assert hears(network, "two", "one")


def test_a_host_has_a_tmp_of_its_own_where_asked_for(network):
    name = f"of-one-{os.getpid()}"
    script = Path("/bin/touch")

    command = network["one"].command_with_own_tmp(script, f"/tmp/{name}")  # noqa: S108 - its own
    subprocess.run(command, check=True)

    assert (network["one"].area / "tmp" / name).exists()
    assert not (Path(tempfile.gettempdir()) / name).exists()


def test_nothing_is_left_behind(tmp_path):
    with Network(tmp_path, ("three",)) as network:
        namespace = network["three"].namespace

    assert not (Path("/run/netns") / namespace).exists()
    assert not (Path("/etc/netns") / namespace).exists()
