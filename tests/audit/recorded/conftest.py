"""Who calls, and what the trail has of his calls."""

import hashlib
import http.client
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from registry.api.state import get_state
from registry.app import create_app
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.pseudonyms import Pseudonyms
from registry.sandbox.federation.addresses import FAULTS
from registry.sandbox.personas import (
    AGENCY,
    CERTIFICATION,
    CITIZEN_PORTAL,
    CITIZEN_REFERENCE,
    CITIZEN_SUMMARY,
    CONSUMER,
    SENDER,
    WEBHOOK,
)
from registry.sandbox.servers.processes import LOOPBACK
from tests.alone import a_database
from tests.api.publication import Sender
from tests.audit.recorded.table import EVERYTHING, RECIPIENT, Scene, documents
from tests.conftest import Visitor
from tests.factories import an_ebox
from tests.trail_entries import read_trail

_RIGHT = "INSERT (packed) ON audit_entries"


def _entries(engine, visitor):
    hashed = hashlib.sha256(visitor.token.encode()).hexdigest()
    with engine.connect() as connection:
        return [_read(row) for row in read_trail(connection, hashed)]


def _read(row):
    """An entry; its trace, which each call has, stands beside the details of its operation."""
    members = json.loads(row.entry)
    trace = members["API_CALL_DETAILS"].pop("trace")
    return SimpleNamespace(**vars(row), **members, trace=trace)


@pytest.fixture
def recorded(owner):
    """All that the trail has of a visitor's calls, whose token is his alone."""
    return lambda visitor: _entries(owner, visitor)


@pytest.fixture
def pseudonyms(settings):
    return Pseudonyms(settings.hash_key.get_secret_value())


@pytest.fixture
def publisher(app, party):
    """Software of an agency that may publish, with a token of its own."""
    ebox = Ebox(EboxKind.ENTERPRISE, AGENCY.digits)
    return Sender(app.test_client(), party(SENDER, CONSUMER, enterprise=ebox.number), ebox)


@pytest.fixture
def scene(app, party, deliver, publisher):
    """Everything that the table needs: `scene("v3", EboxKind.CITIZEN)`."""

    def set_up(version, kind):
        ebox, files = an_ebox(kind), documents()
        client = app.test_client()
        if kind is EboxKind.ENTERPRISE:
            token = party(CONSUMER, CERTIFICATION, enterprise=ebox.number)
        else:
            scopes = (CITIZEN_PORTAL, CITIZEN_REFERENCE, CITIZEN_SUMMARY)
            token = party(*scopes, CERTIFICATION, person=ebox.number)
        reader = Visitor(client, token, ebox)
        return Scene(
            version=version,
            reader=reader,
            sender=publisher,
            webhook=Visitor(client, party(WEBHOOK), an_ebox()),
            message=str(deliver(ebox, *files, sender=AGENCY.digits, **EVERYTHING)),
            sent=str(
                deliver(RECIPIENT, sender=AGENCY.digits, sent_from="GENERAL", subject={"nl": "x"})
            ),
            received=str(deliver(publisher.ebox, is_reply_authorized=True)),
            files=files,
        )

    return set_up


@pytest.fixture
def faults(federation):
    """Have the stand-ins fail until the test is over: `faults(introspect="slow")`."""

    def cause(**services):
        connection = http.client.HTTPConnection(LOOPBACK, federation.port, timeout=5)
        connection.request("PUT", FAULTS, json.dumps(services))
        assert connection.getresponse().status == 200
        connection.close()

    yield cause
    cause()


@pytest.fixture(scope="module")
def registry_alone(cluster, settings):
    """A registry on a database of the module's own, whose trail can be closed."""
    with a_database(cluster, settings) as alone:
        app = create_app(alone.settings)
        yield SimpleNamespace(app=app, owner=alone.owner, alone=alone)
        get_state(app).registry.dispose()


@pytest.fixture
def closed(registry_alone):
    """Nothing can be recorded `with closed():`."""

    @contextmanager
    def shut():
        with registry_alone.owner.begin() as connection:
            connection.execute(text(f"REVOKE {_RIGHT} FROM registry_application"))
        try:
            yield
        finally:
            with registry_alone.owner.begin() as connection:
                connection.execute(text(f"GRANT {_RIGHT} TO registry_application"))

    return shut
