"""A TCP proxy before S3 that changes one bit of what passes: on the way there, or back."""

import socket
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

from registry.sandbox.servers.processes import LOOPBACK

MARK = b"<the bit to flip>"


def _flip(mark):
    return mark[:-1] + bytes([mark[-1] ^ 1])


def marked(size):
    """Content of so many bytes with so many marks that one arrives in one piece."""
    return (b"%PDF-1.7\n" + MARK * (size // len(MARK) + 1))[:size]


class _Link(BaseRequestHandler):
    def handle(self):
        with suppress(OSError), socket.create_connection(self.server.behind) as store:
            back = Thread(target=self.carry, args=(store, self.request, "back"), daemon=True)
            back.start()
            self.carry(self.request, store, "there")
            back.join()

    def carry(self, source, target, way):
        with suppress(OSError):
            while piece := source.recv(1 << 16):
                if way == self.server.way and self.server.flips > 0 and self.server.mark in piece:
                    piece = piece.replace(self.server.mark, _flip(self.server.mark), 1)
                    self.server.flips -= 1
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


class FlippingProxy(ThreadingTCPServer):
    """Passes everything on as it is, until it is told to flip."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, endpoint, mark=MARK):
        url = urlsplit(endpoint)
        self.mark = mark
        self.behind, self.way, self.flips = (url.hostname, url.port), "", 0
        super().__init__((LOOPBACK, 0), _Link)

    @property
    def endpoint(self):
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def flip(self, way, flips=1):
        """Change a bit so many times on the way "there" or "back"."""
        self.way, self.flips = way, flips


@contextmanager
def a_flipping_proxy(endpoint, mark=MARK):
    with FlippingProxy(endpoint, mark) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
