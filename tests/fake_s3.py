"""A server in the place of S3 that answers as a test says, or does not."""

import hashlib
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from registry.sandbox.servers.processes import LOOPBACK


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked += 1
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.answer(self)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the standard library's names

    def say(self, status, content=b"", **headers):
        """Answer with a whole body."""
        self.send_response(status)
        for name, value in {"Content_Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class FakeS3(ThreadingHTTPServer):
    """`answer` is called with the handler of each request; `asked` counts them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__((LOOPBACK, 0), _Handler)
        self.asked, self.over = 0, Event()
        self.answer = well

    @property
    def endpoint(self):
        return f"http://{LOOPBACK}:{self.server_port}"

    def handle_error(self, *_):
        pass  # clients hang up


@contextmanager
def a_fake_s3():
    server = FakeS3()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def well(request):
    request.say(200, ETag=f'"{hashlib.md5(request.body, usedforsecurity=False).hexdigest()}"')


def hang(request):
    request.server.over.wait(60)


def drip(request):
    """One byte of the headers a tenth of a second, for ever."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not request.server.over.is_set():
        request.wfile.write(b"X-A: b\r\n")
        time.sleep(0.1)


def cut(request):
    request.close_connection = True


def page(request):
    request.say(200, b"<html>Sign in</html>", Content_Type="text/html; charset=utf-8")


def fail(status, code="InternalError"):
    content = f"<Error><Code>{code}</Code></Error>".encode()
    return lambda request: request.say(status, content, Content_Type="application/xml")
