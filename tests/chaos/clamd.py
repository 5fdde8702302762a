"""A stand-in for clamd: takes what it is sent by INSTREAM, finds nothing, and answers PING."""

import socketserver
import struct
import threading
from typing import Self

from registry.sandbox.servers.processes import LOOPBACK


class _Scan(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            if not (byte := self.rfile.read(1)):
                return
            command += byte
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        while header := self.rfile.read(4):
            (length,) = struct.unpack(">I", header)
            if not length:
                self.wfile.write(b"stream: OK\0")
                return
            self.rfile.read(length)


class Scanner(socketserver.ThreadingTCPServer):
    """The server, in threads of ours, for as long as the block lasts."""

    daemon_threads, block_on_close = True, False

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Scan)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def __enter__(self) -> Self:
        return self

    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that a fault cut off."""
