"""The data hosts and web hosts of deploy/ha, with its files, each fitted to a host's folder."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from registry.sandbox.servers.binaries import Binaries
from registry.sandbox.servers.postgres import Account
from registry.sandbox.servers.processes import Process
from registry.sandbox.servers.seaweed import find_program
from tests.ha.network import Host

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy" / "ha"
PASSWORD: Final = "of-a-throw-away-cluster"
DATA: Final = ("data1", "data2", "data3")
WEB: Final = ("web1", "web2")


class Machine:
    """A host and the daemons that run on it, by name."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.account = Account.choose()
        self._daemons: dict[str, Process] = {}

    @property
    def name(self) -> str:
        """As in /etc/hosts."""
        return self.host.name

    def run(self, name: str, *command: str | Path, env: Mapping[str, str] | None = None) -> Process:
        """Start a daemon by its command line on this machine, `host.command`'s."""
        log = self.host.area / f"{name}.log"
        daemon = self._daemons[name] = Process(name, log, grace=5)
        return daemon.start(command, env=env or {}, cwd=self.host.area)

    def kill(self, name: str) -> None:
        """Kill a daemon without a word; what has left its process group goes on."""
        daemon = self._daemons.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.stop()

    def stop(self) -> None:
        """End all daemons, the last first."""
        while self._daemons:
            self._daemons.popitem()[1].stop()

    def fit(self, source: str, places: Mapping[str, str | Path] | None = None) -> Path:
        """Copy a file of deploy/ha to this host, with other values in the `places` of its own.

        Gives the copy. Raises `ValueError` when such a place does not stand in the file.
        """
        text = (DEPLOY / source).read_text(encoding="utf-8")
        for value, other in (places or {}).items():
            if value not in text:
                raise ValueError(f"{source} has no {value}")
            text = text.replace(value, str(other))
        copy = self.host.area / Path(source).name
        copy.write_text(text, encoding="utf-8")
        return copy

    def run_weed(
        self,
        kind: str,
        places: Mapping[str, str | Path],
        *options: str,
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a SeaweedFS daemon with its file of options."""
        file = self.fit(f"seaweedfs/{kind}.options", places)
        command = ["-logtostderr", *options, kind, f"-options={file}", f"-ip={self.name}"]
        command = self.host.command_with_own_tmp(find_program(), *command)
        return self.run(kind, *command, env=env)

    def start_registry(self, env: Mapping[str, str], workers: int = 2) -> None:
        """Start gunicorn on port 8081 with these settings, again if it is running."""
        if "gunicorn" in self._daemons:
            self._daemons.pop("gunicorn").stop()
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:registry.gunicorn"]
        gunicorn += ["--no-control-socket", "-b", "0.0.0.0:8081", "-w", str(workers)]
        command = self.host.command(*gunicorn)
        self.run("gunicorn", *command, env=env)

    def start_worker(self, env: Mapping[str, str]) -> None:
        """Start `registry worker` with these settings, again if it is running."""
        if "worker" in self._daemons:
            self._daemons.pop("worker").stop()
        self.run("worker", *self.host.command(sys.executable, "-m", "registry", "worker"), env=env)

    def start_watch(self) -> None:
        """Start what ends the connections to silent peers, if it is not running."""
        if "watch" in self._daemons and self._daemons["watch"].running:
            return
        peers = [f"{name}:8008" for name in DATA] + [f"{name}:8080" for name in WEB]
        self.run("watch", *self.host.command(sys.executable, DEPLOY / "peer_watch.py", *peers))

    def make_folder(self, name: str) -> Path:
        """A folder that PostgreSQL's user may write to."""
        folder = self.host.area / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.account.other:
            os.chown(folder, self.account.uid, self.account.gid)
        return folder


class DataMachine(Machine):
    """A member of etcd, PostgreSQL under Patroni, a master and a volume server of SeaweedFS."""

    @property
    def data(self) -> Path:
        """Where PostgreSQL's files are."""
        return self.host.area / "postgresql" / "15" / "registry"

    def start(self) -> None:
        """Start whichever of the four is not running."""
        starts = {
            "etcd": self._start_etcd,
            "patroni": self._start_patroni,
            "master": self._start_master,
            "volume": self._start_volume,
            "watch": self.start_watch,
        }
        for name, start in starts.items():
            if name not in self._daemons or not self._daemons[name].running:
                start()

    def _start_etcd(self) -> None:
        env = read_env("etcd.env.example")
        for name in ("ETCD_INITIAL_ADVERTISE_PEER_URLS", "ETCD_ADVERTISE_CLIENT_URLS"):
            env[name] = env[name].replace("data1", self.name)
        env |= {"ETCD_NAME": self.name, "ETCD_DATA_DIR": str(self.make_folder("etcd"))}
        self.run("etcd", *self.host.command(*self.account.command("etcd")), env=env)

    def _start_patroni(self) -> None:
        places = {
            "/var/run/postgresql": self.make_folder("run"),
            "/var/lib/postgresql": self.make_folder("postgresql"),
            "/usr/lib/postgresql/15/bin": Binaries.find().directory,
        }
        file = self.fit("patroni.yml", places)
        env = {
            name: value.replace("data1", self.name) or PASSWORD
            for name, value in read_env("patroni.env.example").items()
        }
        command = self.account.command("/usr/bin/patroni", file)
        self.run("patroni", *self.host.command(*command), env=env)

    def _start_master(self) -> None:
        places = {"/var/lib/seaweedfs/master": self.make_folder("master"), "=30000": "=128"}
        self.run_weed("master", places)

    def _start_volume(self) -> None:
        places = {"/var/lib/seaweedfs/volume": self.make_folder("volume"), "max=0": "max=60"}
        self.run_weed("volume", places)


class WebMachine(Machine):
    """HAProxy, and a filer with the S3 gateway, beside a registry and its worker."""

    def start_haproxy(self) -> None:
        """Start HAProxy, which leads to whom it finds."""
        program = "/usr/sbin/haproxy"
        self.run("haproxy", *self.host.command(program, "-f", DEPLOY / "haproxy.cfg"))

    def start_filer(self, identities: Path) -> None:
        """Start the filer and its S3 gateway, once there is a database for it."""
        self.fit("seaweedfs/filer.toml")
        self.run_weed(
            "filer",
            {"/etc/seaweedfs/s3.json": identities},
            f"-config_dir={self.host.area}",
            env={"WEED_POSTGRES2_PASSWORD": PASSWORD},
        )


def read_env(source: str) -> dict[str, str]:
    """The names and values of a file of deploy/ha that has one of each on a line."""
    text = (DEPLOY / source).read_text(encoding="utf-8")
    lines = (line.partition("=") for line in text.splitlines() if line and line[0] != "#")
    return {name: value for name, _, value in lines}
