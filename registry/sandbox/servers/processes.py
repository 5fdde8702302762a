"""Child processes: started as groups, waited for, stopped whole, and never left behind."""

import atexit
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import urlsplit

from registry.sandbox.servers import warden

LOOPBACK: Final = "127.0.0.1"
# Below the range from which systems draw ports for outgoing connections: one of those could take
# a port between our looking at it and the server's binding it.
_PORTS: Final = range(20_000, 32_000)
_ATTEMPTS: Final = 3
# How PostgreSQL, werkzeug and SeaweedFS say that somebody else has the port.
_PORT_IN_USE: Final = re.compile(
    r"address already in use|port \d{1,5} .{0,200} is not available", re.IGNORECASE
)
_TAIL: Final = 30  # lines of a log that an error shows

# Set by the supervisor's signal handlers; whoever waits in `pause` then gets `Interrupted`. A
# handler that raised by itself could do so between a fork and our noting the child.
interruption: Final = threading.Event()


class StartFailed(Exception):
    """A process did not come up; the message ends with the tail of its log."""


class Interrupted(Exception):
    """Somebody asked the sandbox to stop while it was waiting."""


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Distinct loopback ports that nobody listens on just now."""
    ports: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(ports) == count:
            break
        if is_free(port):
            ports.append(port)
    if len(ports) < count:
        raise StartFailed("There are no free loopback ports.")
    return ports


def on_free_ports(count: int, start: Callable[[list[int]], None]) -> None:
    """Call `start` with free ports, and again with others if one is taken in the meantime.

    `start` has to leave nothing running when it raises `StartFailed`, which goes on to the caller
    when the ports were not to blame.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            start(free_ports(count))
        except StartFailed as error:
            if attempt == _ATTEMPTS or not _PORT_IN_USE.search(str(error)):
                raise
        else:
            return


def is_free(port: int) -> bool:
    """Tell if a server could listen on this loopback port."""
    with socket.socket() as probe:
        # Servers set it too: connections that are winding down do not hinder them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    """Tell if a GET on this loopback URL gives 200 within two seconds, whatever proxy is set."""
    target = urlsplit(url)
    connection = HTTPConnection(target.hostname or LOOPBACK, target.port, timeout=2)
    try:
        connection.request("GET", target.path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def pause(seconds: float) -> None:
    """Sleep; raises `Interrupted` at once when the sandbox was asked to stop."""
    if interruption.wait(seconds):
        raise Interrupted


def tail(log: Path) -> str:
    """The last lines of a log, for an error message."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(lines[-_TAIL:]) or "(the log is empty)"


class _Warden:
    """Our line to the process described in `warden`; it is started with the first order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line = -1

    def tell(self, order: str, what: int | str, how: int = 0) -> None:
        with self._lock:
            if self._line < 0:
                self._line = self._start()
        with suppress(BrokenPipeError):  # somebody killed it; then there is no second lock
            os.write(self._line, json.dumps([order, what, how]).encode() + b"\n")

    @staticmethod
    def _start() -> int:
        theirs, ours = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", warden.__file__],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C and a closing terminal are not for it
        )
        os.close(theirs)
        atexit.register(process.wait)  # in reverse order: it ends when its input does
        atexit.register(os.close, ours)
        return ours


_warden: Final = _Warden()


def sweep(path: Path) -> None:
    """Have `path` removed if this process dies before `unsweep`."""
    _warden.tell("sweep", str(path))


def unsweep(path: Path) -> None:
    """The caller has removed `path` itself, or wants it kept."""
    _warden.tell("unsweep", str(path))


@dataclass
class Process:
    """A child that leads its own session and group; all of the group ends with it.

    `polite` is the signal that asks it to stop, `grace` the seconds it has before SIGKILL.
    """

    name: str
    log: Path
    polite: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Self:
        """Run the command with its output in `log`; `env` is added to our own environment.

        Raises `StartFailed` when the program is not there or may not be run.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._child = self._spawn([str(part) for part in command], log, env or {}, cwd)
        _warden.tell("watch", self._child.pid, self.polite)
        return self

    def _spawn(
        self, command: list[str], log: IO[bytes], env: Mapping[str, str], cwd: Path | None
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                env={**os.environ, **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise StartFailed(f"{self.name} cannot be run: {error}") from error

    @property
    def pid(self) -> int:
        """Also the id of the group. Only after `start`."""
        if self._child is None:
            raise StartFailed(f"{self.name} is not running.")
        return self._child.pid

    @property
    def running(self) -> bool:
        """True while the leader of the group is alive."""
        return self._child is not None and self._child.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """Wait, at most `timeout` seconds; raises `StartFailed` when it ends or takes longer."""
        deadline = time.monotonic() + timeout
        while True:
            if not self.running:
                code = self._child.returncode if self._child else None
                raise StartFailed(f"{self.name} ended with status {code}:\n{tail(self.log)}")
            if ready():
                return
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} was not ready after {timeout:g} seconds:\n{tail(self.log)}"
                )
            pause(0.05)

    def finish(self, *, timeout: float, codes: Collection[int] = (0,)) -> None:
        """Wait for a task to end well; raises `StartFailed` when it fails or takes too long.

        It has ended afterwards, in whatever way. With one of the exit `codes` it went well.
        """
        deadline = time.monotonic() + timeout
        try:
            while self.running and time.monotonic() < deadline:
                pause(0.05)
            code = self._child.poll() if self._child else None
        finally:
            self.stop()
        if code not in codes:
            how = "took too long" if code is None else f"ended with status {code}"
            raise StartFailed(f"{self.name} {how}:\n{tail(self.log)}")

    def stop(self) -> None:
        """End the whole group, politely and then not; harmless when it has ended already."""
        if self._child is None:
            return
        _signal(self._child, self.polite)
        try:
            self._child.wait(self.grace)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)  # and what the leader left behind
            self._child.wait()
            _warden.tell("forget", self._child.pid)
            self._child = None


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
