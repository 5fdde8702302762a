"""The stand-ins as a child process, with the URLs that settings want."""

import sys
from pathlib import Path
from typing import Self

from registry.sandbox.federation.addresses import EVENTS, FEDERATION, HEALTH, OAUTH, PARTITION
from registry.sandbox.servers.processes import LOOPBACK, Process, answers, on_free_ports
from registry.sandbox.servers.server import START_TIMEOUT, Server


class Federation(Server):
    """The stand-ins over the JSON files in `directory`, which `personas.enroll` writes."""

    def __init__(self, directory: Path, *, log: Path | None = None) -> None:
        self.directory = directory.absolute()
        self.port = 0
        log = log or self.directory / "federation.log"
        super().__init__(Process("The federation", log, grace=3))

    @property
    def base_url(self) -> str:
        """The origin of everything it serves, /sandbox/faults and /sandbox/calls included."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def token_url(self) -> str:
        """OAuth v5: tokens; the audience of assertions."""
        return f"{self.base_url}{OAUTH}/token"

    @property
    def introspect_url(self) -> str:
        """OAuth v5: introspection."""
        return f"{self.base_url}{OAUTH}/introspect"

    @property
    def partition_url(self) -> str:
        """The Partition API's base."""
        return f"{self.base_url}{PARTITION}"

    @property
    def federation_url(self) -> str:
        """The Federation WS's base: preferences and consents."""
        return f"{self.base_url}{FEDERATION}"

    @property
    def events_url(self) -> str:
        """The Event Service: where events are sent to."""
        return f"{self.base_url}{EVENTS}"

    def start(self) -> Self:
        """Start and wait until it answers; raises `StartFailed`."""
        on_free_ports(1, lambda ports: self._serve(*ports))
        return self

    def _serve(self, port: int) -> None:
        self.port = port
        module = "registry.sandbox.federation"
        self._process.start([sys.executable, "-m", module, self.directory, str(port)])
        try:
            self._process.wait_until(
                lambda: answers(f"{self.base_url}{HEALTH}"), timeout=START_TIMEOUT
            )
        except BaseException:
            self.stop()
            raise
