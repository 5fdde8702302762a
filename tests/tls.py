"""TLS in front of a real server: a relay that shows a certificate, and passes every byte on."""

import socket
import ssl
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from registry.sandbox.servers.processes import LOOPBACK


class _Relay(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, context, target):
        super().__init__((LOOPBACK, 0), _Handler)
        self.context, self.target = context, target

    def handle_error(self, *_):
        pass  # a client that does not trust us


class _Handler(BaseRequestHandler):
    def handle(self):
        with (
            self.server.context.wrap_socket(self.request, server_side=True) as near,
            socket.create_connection(self.server.target) as far,
        ):
            back = Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()


def _pump(source, sink):
    with suppress(OSError):
        while content := source.recv(64 << 10):
            sink.sendall(content)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def tls_before(port, certificate, clients=None):
    """Give the port of a relay to `port`, with this PEM file.

    With `clients`, a file, it asks for certificates of that authority.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    relay = _Relay(context, (LOOPBACK, port))
    thread = Thread(target=relay.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield relay.server_address[1]
    relay.shutdown()
    relay.server_close()
    thread.join()
