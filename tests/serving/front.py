"""A tiny proxy that goes on to the next instance, as nginx does, and callers who never rest."""

import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from socketserver import StreamRequestHandler, ThreadingTCPServer

from registry.sandbox.servers.processes import LOOPBACK


class _Handler(StreamRequestHandler):
    def handle(self):
        request = b""
        while not request.endswith(b"\r\n\r\n"):  # requests here have no body
            request += self.rfile.readline()
        request = request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        first = next(self.server.turns)
        for port in self.server.ports[first:] + self.server.ports[:first]:
            if answer := _ask(port, request):
                self.wfile.write(answer)
                return


def _ask(port, request):
    """The whole answer of an instance, or nothing when it refuses or goes away instead."""
    with suppress(ConnectionError), socket.create_connection((LOOPBACK, port), 20) as upstream:
        upstream.sendall(request)
        with upstream.makefile("rb") as answer:
            return answer.read()
    return b""


class Front(ThreadingTCPServer):
    """Spreads requests over instances on these ports."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, ports):
        super().__init__((LOOPBACK, 0), _Handler)
        self.ports, self.turns = ports, cycle(range(len(ports)))
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Callers:
    """A few who call again and again until the end; `answers` counts by status, 0 for none."""

    def __init__(self, port, path, token):
        self.answers = Counter()
        self._port, self._path = port, path
        self._headers = {"Authorization": f"Bearer {token}"}
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(3)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _call(self):
        while not self._end.is_set():
            connection = HTTPConnection(LOOPBACK, self._port, timeout=30)
            try:
                connection.request("GET", self._path, headers=self._headers)
                self.answers[connection.getresponse().status] += 1
            except (OSError, HTTPException):
                self.answers[0] += 1
            finally:
                connection.close()
            time.sleep(0.02)
