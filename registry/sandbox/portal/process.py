"""The portal as a child process."""

import sys
from pathlib import Path
from typing import Final, Self

from registry.sandbox.layout import Layout
from registry.sandbox.servers.processes import LOOPBACK, Process, answers, on_free_ports
from registry.sandbox.servers.server import START_TIMEOUT, Server

_MODULE: Final = "registry.sandbox.portal"


class Portal(Server):
    """The page, and tokens for it, of the sandbox in this layout."""

    def __init__(self, layout: Layout, *, log: Path | None = None) -> None:
        self.layout = layout
        self.port = 0
        super().__init__(Process("The portal", log or layout.logs / "portal.log", grace=3))

    @property
    def url(self) -> str:
        """The page's address; without the slash at its end it is its origin."""
        return f"http://localhost:{self.port}/"

    def start(self) -> Self:
        """Start and wait until it answers; raises `StartFailed`."""
        on_free_ports(1, lambda ports: self._serve(*ports))
        return self

    def _serve(self, port: int) -> None:
        self.port = port
        self._process.start([sys.executable, "-m", _MODULE, self.layout.directory, str(port)])
        try:
            self._process.wait_until(
                lambda: answers(f"http://{LOOPBACK}:{port}/health"), timeout=START_TIMEOUT
            )
        except BaseException:
            self.stop()
            raise
