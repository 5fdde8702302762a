"""The stand-in federation on a real socket, inside this process, and its personas."""

import threading

import pytest
import requests

from registry.sandbox import personas, tokens
from registry.sandbox.federation.process import Federation
from registry.sandbox.federation.server import make
from registry.sandbox.layout import Layout
from registry.sandbox.processes import free_port


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
    server = make(enrolled.federation, places.port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield places
    server.shutdown()
    thread.join()
    server.server_close()


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
