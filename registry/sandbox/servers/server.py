"""A server of the sandbox: one process, started and stopped by a `with` block."""

from abc import ABC, abstractmethod
from typing import Final, Self

from registry.sandbox.servers.processes import Process

START_TIMEOUT: Final = 30.0  # seconds until a server answers


class Server(ABC):
    """One process with its port; a subclass knows the program, its files and its first answer."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True while that process is alive."""
        return self._process.running

    @abstractmethod
    def start(self) -> Self:
        """Start and wait for the first answer; raises `StartFailed` and leaves nothing running."""

    def stop(self) -> None:
        """End the process and all that it started."""
        self._process.stop()
