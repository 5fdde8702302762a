"""The requests under way, which are given time when the process is asked to end."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from registry.telemetry.metrics import count_cut


class RequestsUnderway:
    """Knows on which connections a thread answers a request; shared by all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: set[Any] = set()

    @contextmanager
    def note(self, connection: Any) -> Iterator[None]:
        """Hold around the answer to a request."""
        with self._lock:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def count(self) -> int:
        """Count them."""
        return len(self._connections)

    def cut(self) -> int:
        """End them, and count them: their threads find that the client is gone."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):  # the client is gone already
                connection.sock.shutdown(socket.SHUT_RDWR)
        if connections:
            count_cut("request", "stop", len(connections))
        return len(connections)
