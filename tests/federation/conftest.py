"""A scripted federation on a real socket, a clock set by hand, and the clients under test."""

import json
import socket
import struct
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest
from joserfc.jwk import RSAKey

from registry.federation.address_limit import AddressLimit
from registry.federation.introspection import Introspection
from registry.federation.partition_api import PartitionApi
from registry.federation.preferences import SCOPE, PreferencesClient
from registry.federation.token_cache import Lifetimes, TokenCache
from registry.federation.token_claims import TokenRequirements
from registry.http_client.access_token import Identity, OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Upstream
from registry.http_client.seats import Seats

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)

    def seconds(self):
        return self.now.timestamp()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the script."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.form = dict(parse_qsl(self.body.decode()))
        self.server.federation.answer(self)

    do_GET = do_POST = answer  # noqa: N815  what the base class looks for


class Held:
    """Says nothing until it is let go on."""

    def __init__(self, then):
        self.then, self.asked, self.go_on = then, threading.Event(), threading.Event()

    def __call__(self, request):
        self.asked.set()
        self.go_on.wait(10)
        self.then(request)


class Federation:
    """What is said at each path is a function of the request, replaced at will by a test."""

    def __init__(self, tls=None):
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.calls = Counter()
        self.requests = []
        self.expires_in = 3600
        self.issued = []
        self.revoked = set()
        self.claims = {}
        self.on = {"/token": self.issues, "/introspect": self.introspects}
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.federation = self
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request):
        with self.lock:
            self.calls[request.path] += 1
            self.requests.append(request)
        self.on[request.path](request)

    def knows(self, token, **claims):
        """Have `token` be active, with these claims besides the usual ones."""
        self.claims[token] = {
            "active": True,
            "client_id": "some-client",
            "sub": "some-client",
            "scope": "a b",
            "exp": int(NOON.timestamp()) + 3600,
            "principalAttributes": {"urn:be:fgov:kbo-bce:organization:cbe-number": ["206731645"]},
        } | claims
        return token

    # What a service may do

    def issues(self, request):
        with self.lock:
            self.issued.append(f"own-token-{len(self.issued) + 1}")
            token = self.issued[-1]
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        self.say(request, granted)

    def introspects(self, request):
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        if bearer in self.revoked or bearer not in self.issued:
            self.say(request, {"error": "invalid_token"}, status=401)
        else:
            self.say(request, self.claims.get(request.form["token"], {"active": False}))

    def says(self, body, status=200, **headers):
        return lambda request: self.say(request, body, status, **headers)

    def say(self, request, body, status=200, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    def slowly(self, seconds, then):
        def wait(request):
            self.over.wait(seconds)
            then(request)

        return wait

    def held(self, then):
        return Held(then)

    def is_silent(self, request):
        self.over.wait()
        request.close_connection = True

    def resets(self, request):
        linger = struct.pack("ii", 1, 0)
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.connection.close()
        request.close_connection = True

    def hangs_up(self, request):
        request.close_connection = True

    def stops_halfway(self, request):
        request.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"active"')
        request.close_connection = True

    def dribbles_headers(self, request):
        self._dribble(request, b"HTTP/1.1 200 OK\r\nX-Long: ", b"a")

    def dribbles_one_line(self, request):
        self._dribble(request, b"", b"H")

    def dribbles_body(self, request):
        self._dribble(request, b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n{", b" ")

    def dribbles_chunks(self, request):
        self._dribble(
            request, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
        )

    def dribbles_endlessly(self, request):
        self._dribble(request, b"HTTP/1.0 200 OK\r\n\r\n{", b" ")

    def _dribble(self, request, start, more):
        request.close_connection = True
        request.wfile.write(start)
        while not self.over.wait(0.05):
            request.wfile.write(more)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def federation():
    federation = Federation()
    yield federation
    federation.close()


@pytest.fixture
def secure_federation():
    """Builds a federation behind TLS."""
    built = []

    def build(tls):
        built.append(Federation(tls))
        return built[-1]

    yield build
    for federation in built:
        federation.close()


@pytest.fixture(scope="session")
def rsa_key():
    return RSAKey.generate_key(2048)


class Seconds:
    """A clock that counts seconds, and stands still until it is set."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    """A hand-set clock of seconds."""
    return Seconds()


@pytest.fixture
def own(federation, clock, rsa_key):
    """Builds our own token's keeper."""

    def build(now=clock, timeout=5, scope=None, **identity):
        identity = Identity("our-client", **{"key": rsa_key} | identity)
        return OwnToken(identity, f"{federation.url}/token", now, scope=scope, timeout=timeout)

    return build


@pytest.fixture
def introspection(federation, clock, own):
    """Builds the introspection under test, and closes it."""
    built = []

    def build(timeout=5, workers=16, size=100, failures=100, lifetimes=None, seats=300, **more):
        names = [name for name in more if name in TokenRequirements.__slots__]
        requirements = TokenRequirements(**{name: more.pop(name) for name in names})
        fields = {
            "url": f"{federation.url}/introspect",
            "own": own(timeout=timeout),
            "upstream": Upstream("introspection", timeout=timeout, threads=workers),
            "requirements": requirements,
            "cache": TokenCache(lifetimes or Lifetimes(), size, clock),
            "breaker": Breaker(failures, 60, clock.seconds),
            "seats": Seats(seats),
            "address_limit": AddressLimit(0),
            "now": clock,
        }
        built.append(Introspection(**fields | more))
        return built[-1]

    yield build
    for introspection in built:
        introspection.close()


@pytest.fixture
def partitions(federation, clock, own):
    """Builds the Partition API client, and closes it."""
    built = []

    def build(*, timeout=5, failures=100, base=None, **more):
        built.append(
            PartitionApi(
                base or federation.url,
                own(timeout=timeout),
                Upstream("partitions", timeout=timeout),
                Breaker(failures, 60, clock.seconds),
                **more,
            )
        )
        return built[-1]

    yield build
    for service in built:
        service.close()


@pytest.fixture
def preferences(federation, clock, own):
    """Builds the client of Federation WS, and closes it."""
    built = []

    def build(*, timeout=5, failures=100, base=None, consents=False):
        built.append(
            PreferencesClient(
                base or federation.url,
                own(timeout=timeout, scope=SCOPE),
                Upstream("preferences", timeout=timeout),
                Breaker(failures, 60, clock.seconds),
                consents,
            )
        )
        return built[-1]

    yield build
    for service in built:
        service.close()


@pytest.fixture
def at_once():
    """Runs a function in many threads at the same time; gives what each returned or raised."""

    def run(count, work):
        start, results = threading.Barrier(count), [None] * count

        def one(number):
            start.wait()
            try:
                results[number] = work(number)
            except Exception as error:  # noqa: BLE001  the test looks at it
                results[number] = error

        threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run
