"""Where there is no registry, one sentence says so, in time."""

import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from registry.cli import registry
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.certificates import Authority


@contextmanager
def serving(app, **more):
    server = make_server(LOOPBACK, 0, app, threaded=True, **more)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def listening(behave):
    """A socket that takes connections, and does with them what it wants."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        held = []

        def take():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                threading.Thread(target=behave, args=(connection,), daemon=True).start()

        threading.Thread(target=take, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()


def drip(connection):
    """Send a header without end, a byte at a time."""
    try:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)
    except OSError:
        pass


@Request.application
def empty(request):
    return Response("<h1>404 Not Found</h1>", status=404, mimetype="text/html")


@Request.application
def echo(request):
    said = {"method": request.method, "path": request.path, "query": dict(request.args)}
    return Response(json.dumps(said), mimetype="application/json")


@Request.application
def basic(request):
    headers = {"WWW-Authenticate": "Basic realm=x"}
    return Response("no", status=401, headers=headers, mimetype="text/html")


def run(url, *more):
    beginning = time.monotonic()
    command = ["conformance", url, "--patience", "1", *more]
    done = CliRunner().invoke(registry, command)
    return done, time.monotonic() - beginning


def told(done):
    """The one sentence; raises where there is more."""
    (line,) = done.stderr.strip().splitlines()
    return line


TOKEN = ("--token", "a-token")


@pytest.mark.parametrize("more", [(), TOKEN], ids=["no token", "a token"])
@pytest.mark.parametrize("app", [empty, echo], ids=["an empty server", "a JSON echo"])
def test_what_answers_and_is_no_registry(app, more):
    with serving(app) as port:
        done, _ = run(f"http://{LOOPBACK}:{port}/v3", *more)

    assert done.exit_code == 3
    assert "answers, but not as a MessageRegistry" in told(done)


def test_what_refuses_every_token():
    with serving(basic) as port:
        done, _ = run(f"http://{LOOPBACK}:{port}/v3", *TOKEN)

    assert done.exit_code == 3
    assert "refuses the token of the reader: 401 text/html." in told(done)


@pytest.mark.parametrize("behave", [lambda _: None, drip], ids=["hangs", "drips"])
def test_what_takes_a_connection_and_does_not_answer(behave):
    with listening(behave) as port:
        done, seconds = run(f"http://{LOOPBACK}:{port}/v3")

    assert done.exit_code == 3
    assert "says nothing in time." in told(done)
    assert seconds < 60  # of the 600 that the whole run would have


def test_what_speaks_something_else():
    with listening(lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n")) as port:
        done, _ = run(f"http://{LOOPBACK}:{port}/v3")

    assert done.exit_code == 3
    assert "gives no answer that is HTTP" in told(done)


def test_a_certificate_that_nobody_vouches_for(tmp_path):
    (tmp_path / "server.pem").write_bytes(Authority().issue())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with serving(empty, ssl_context=context) as port:
        done, _ = run(f"https://localhost:{port}/v3")

    assert done.exit_code == 3
    assert told(done).startswith(f"The certificate of localhost:{port} is not to be trusted: ")


def test_plain_http_where_tls_is_expected():
    with listening(
        lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    ) as port:
        done, _ = run(f"https://localhost:{port}/v3")

    assert done.exit_code == 3
    assert "does not speak TLS as it should." in told(done)


def test_where_nobody_listens():
    port = free_port()

    done, _ = run(f"http://{LOOPBACK}:{port}/v3")

    assert done.exit_code == 3
    assert told(done) == f"Nobody listens at {LOOPBACK}:{port}: the connection is refused."


def test_a_name_that_nobody_knows():
    done, _ = run("http://registry.invalid/v3")

    assert done.exit_code == 3
    assert told(done).startswith("No address is known of registry.invalid")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("ftp://x/v3",), "must begin with https:// or http://"),
        (("http://user:secret@x/v3",), "name no user"),
        (("http://x/nothing",), "say which with --version"),
        (("http://x/v3", "--only", "nothing-like-it"), "has no such requirement"),
        (("--explain", "nothing-like-it"), "There is no requirement nothing-like-it"),
        ((), "Give the BASE_URL"),
    ],
)
def test_options_that_cannot_be(words, fault):
    done = CliRunner().invoke(registry, ["conformance", *words])

    assert done.exit_code == 2
    assert fault in done.output
    assert "secret" not in done.output
