"""The stand-in federation and a scripted registry on real sockets, inside this process."""

import shutil
import threading
from contextlib import contextmanager

import pytest
import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from registry.sandbox import personas, tokens
from registry.sandbox.federation.process import Federation
from registry.sandbox.federation.server import make
from registry.sandbox.layout import Layout
from registry.sandbox.servers.processes import free_port


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory):
    """A sandbox directory where everybody has keys and is registered."""
    layout = Layout.at(tmp_path_factory.mktemp("sandbox"))
    personas.enroll(layout.keys, layout.federation)
    return layout


@pytest.fixture
def federation(enrolled):
    """Its URLs; nobody has a token yet, no fault is set."""
    places = Federation(enrolled.federation)
    places.port = free_port()
    with serving(make(enrolled.federation, places.port)):
        yield places


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Scripted:
    """A registry that says 204 to everything, until a test gives it something else to `say`."""

    def __init__(self):
        self.heard = []
        self.say = lambda request: Response(status=204)

    def __call__(self, environ, start_response):
        request = Request(environ)
        request.get_data(parse_form_data=False)  # while it is there
        self.heard.append(request)
        return self.say(request)(environ, start_response)


@pytest.fixture
def scripted():
    registry = Scripted()
    server = make_server("127.0.0.1", 0, registry, threaded=True)
    registry.base = f"http://127.0.0.1:{server.port}/v3"
    with serving(server):
        yield registry


@pytest.fixture
def layout(enrolled, federation, scripted, tmp_path):
    """A directory that looks as if a sandbox were running in it, with the scripted registry."""
    layout = Layout.at(tmp_path)
    shutil.copytree(enrolled.keys, layout.keys)
    shutil.copytree(enrolled.federation, layout.federation)
    urls = {"enterprise": {"v3": scripted.base}}
    layout.write({"baseUrls": urls, "tokenUrl": federation.token_url}, ready=True)
    return layout


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def token(federation, enrolled):
    """Gets a token of a persona by name."""

    def get(persona, **options):
        return tokens.fetch(
            federation.token_url, personas.PERSONAS[persona], enrolled.keys, **options
        )

    return get


@pytest.fixture
def bearer(token):
    """Headers with a token of a persona."""
    return lambda persona: {"Authorization": f"Bearer {token(persona)}"}


@pytest.fixture
def introspect(federation, http, bearer):
    """Asks about a token as the registry does."""

    def ask(text, headers=None):
        headers = bearer("registry") if headers is None else headers
        return http.post(federation.introspect_url, data={"token": text}, headers=headers)

    return ask
