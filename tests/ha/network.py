"""Hosts on one machine: a network namespace each, on a switch that can cut one of them off.

    with Network(area, ("data1", "web1")) as network:
        network["data1"].command("etcd")
        network.cut_off("data1")

Needs root and iproute2. Each host has its own loopback, its own /tmp where that is asked for, and
an /etc/hosts that knows all others by name.
"""

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from registry.sandbox.servers.processes import StartFailed

_NUMBERS: Final = itertools.count(os.getpid() % 250)  # of networks
OUTSIDE: Final = 254  # the last part of the address of whoever is on no host

# The program is opened before its folder may be hidden under the host's own /tmp.
_OWN_TMP: Final = 'exec 9<"$2" && mount --bind "$1" /tmp && shift 2 && exec /proc/self/fd/9 "$@"'


@dataclass(frozen=True)
class Host:
    """A machine of its own, as far as the network goes; its files are in `area`."""

    name: str
    address: str
    namespace: str
    area: Path

    def command(self, *parts: str | Path) -> list[str | Path]:
        """The command line that runs these parts on this host."""
        return ["ip", "netns", "exec", self.namespace, *parts]

    def command_with_own_tmp(self, program: Path, *parts: str | Path) -> list[str | Path]:
        """The same for a program whose sockets in /tmp are named as on every other host."""
        tmp = self.area / "tmp"
        tmp.mkdir(exist_ok=True)
        return self.command("sh", "-c", _OWN_TMP, "sh", tmp, program, *parts)


class Network:
    """A switch with these hosts, from `with` to its end."""

    def __init__(self, area: Path, names: Sequence[str]) -> None:
        number = next(_NUMBERS)
        self._prefix = f"ha{os.getpid()}-{number}"
        self._switch = f"{self._prefix}-switch"
        self._subnet = f"10.213.{number % 250}"
        self._stack = ExitStack()
        self.outside = f"{self._subnet}.{OUTSIDE}"
        self._hosts = {
            name: Host(name, f"{self._subnet}.{place}", f"{self._prefix}-{name}", area / name)
            for place, name in enumerate(names, 1)
        }

    def __getitem__(self, name: str) -> Host:
        return self._hosts[name]

    def __enter__(self) -> Self:
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise StartFailed("Network namespaces need root, and Debian's iproute2.")
        with ExitStack() as stack:
            self._add_namespace(self._switch, stack)
            _run("ip", "-n", self._switch, "link", "add", "switch", "type", "bridge")
            _run("ip", "-n", self._switch, "link", "set", "switch", "up")
            self._plug(self._prefix)
            _run("ip", "address", "add", f"{self.outside}/24", "dev", self._prefix)
            for host in self._hosts.values():
                self._add_host(host, stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cut_off(self, name: str) -> None:
        """Take a host from the switch: what it sends is lost without a word, both ways."""
        _run("ip", "-n", self._switch, "link", "set", name, "nomaster")

    def reconnect(self, name: str) -> None:
        """Put it back."""
        _run("ip", "-n", self._switch, "link", "set", name, "master", "switch")

    def end_processes(self, name: str) -> None:
        """Kill all that runs on a host, as when its power fails."""
        for pid in _run("ip", "netns", "pids", self[name].namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def _add_host(self, host: Host, stack: ExitStack) -> None:
        host.area.mkdir(mode=0o755)
        names = Path("/etc/netns") / host.namespace
        names.mkdir(parents=True)
        stack.callback(shutil.rmtree, names, ignore_errors=True)
        lines = [f"{other.address} {other.name}" for other in self._hosts.values()]
        (names / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
        self._add_namespace(host.namespace, stack)
        stack.callback(self.end_processes, host.name)
        self._plug(host.name, host.namespace)
        _run("ip", "-n", host.namespace, "address", "add", f"{host.address}/24", "dev", host.name)

    def _plug(self, name: str, namespace: str = "") -> None:
        """Lay a cable between the switch and a namespace, else ours; its ends have this name."""
        cable = ("link", "add", name, "type", "veth", "peer", "name", name)
        switch = ("ip", "-n", self._switch)
        _run(*switch, *cable, "netns", namespace or str(os.getpid()))
        _run(*switch, "link", "set", name, "master", "switch", "up")
        _run("ip", *(("-n", namespace) if namespace else ()), "link", "set", name, "up")

    @staticmethod
    def _add_namespace(name: str, stack: ExitStack) -> None:
        _run("ip", "netns", "add", name)
        stack.callback(_run, "ip", "netns", "delete", name)
        _run("ip", "-n", name, "link", "set", "lo", "up")


def _run(*command: str) -> str:
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise StartFailed(f"{' '.join(command)}: {outcome.stderr.strip()}")
    return outcome.stdout
