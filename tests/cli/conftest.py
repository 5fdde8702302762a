"""A scripted registry and authorization server on a real socket, and the command line."""

import hashlib
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from registry.cli import registry

KEY_PASSWORD = "correct horse"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        script = self.server.script
        script.requests.append(self)
        step = script.steps.pop(0) if len(script.steps) > 1 else script.steps[0]
        step(self)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the script."""


class Script:
    """Does the next of `steps` at each request, the last one again and again."""

    def __init__(self):
        self.steps, self.requests = [], []
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.script = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def says(self, body, status=201, **headers):
        def say(request):
            request.body = request.rfile.read(int(request.headers["Content-Length"]))
            self.answer(request, body, status, headers)

        return say

    def answer(self, request, body, status, headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    def digests(self, body):
        """Answers after hashing the body as it comes, keeping nothing of it."""

        def digest(request):
            left, request.seen = int(request.headers["Content-Length"]), hashlib.sha256()
            while left:
                chunk = request.rfile.read(min(left, 65536))
                left -= len(chunk)
                request.seen.update(chunk)
            self.answer(request, body, 201, {})

        return digest

    def refuses_early(self, body, status):
        """Answers after 64 kB, and reads on as long as it must for the answer to be seen."""

        def refuse(request):
            request.rfile.read(65536)
            self.answer(request, body, status, {"Connection": "close"})
            request.connection.shutdown(socket.SHUT_WR)
            request.connection.settimeout(5)
            while request.rfile.read1(65536):
                pass
            request.close_connection = True

        return refuse

    def breaks(self, request):
        """Takes the whole request, then resets the connection without an answer."""
        request.body = request.rfile.read(int(request.headers["Content-Length"]))
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.connection.close()
        request.close_connection = True

    def breaks_halfway(self, request):
        request.rfile.read(100)
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.connection.close()
        request.close_connection = True

    def keys(self):
        return [request.headers["Idempotency-Key"] for request in self.requests]


@pytest.fixture
def script():
    script = Script()
    yield script
    script.close()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "EBOX_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def run():
    """Runs `registry …`; gives exit code, stdout and stderr."""

    def run(*args, **more):
        result = CliRunner().invoke(registry, [str(arg) for arg in args], **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def private_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def pem(private_key, tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture
def p12(private_key, tmp_path):
    """A PKCS#12 file, and the file with its password."""
    path, password = tmp_path / "key.p12", tmp_path / "password"
    lock = BestAvailableEncryption(KEY_PASSWORD.encode())
    path.write_bytes(serialize_key_and_certificates(b"us", private_key, None, None, lock))
    password.write_text(KEY_PASSWORD + "\n")
    return path, password
