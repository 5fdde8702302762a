"""Real parts for every test: PostgreSQL, SeaweedFS, and a stand-in federation over HTTP."""

import http.client
import json
import os
import time
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from flask import Flask
from hypothesis import settings as hypothesis
from sqlalchemy import create_engine

from registry.api.state import get_state
from registry.app import create_app
from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.federation.addresses import FAULTS
from registry.sandbox.federation.clients import add_client
from registry.sandbox.federation.process import Federation
from registry.sandbox.files import write_private
from registry.sandbox.personas import (
    AUDIT_KEY,
    CERTIFICATION,
    CITIZEN_PORTAL,
    CITIZEN_REFERENCE,
    CONSUMER,
    PERSONAS,
    PORTAL,
    REFERENCE,
    REPRESENTATIVE,
    WEBHOOK,
    enroll,
    private_key,
)
from registry.sandbox.servers.postgres import Cluster
from registry.sandbox.servers.processes import LOOPBACK
from registry.sandbox.servers.seaweed import ObjectStore
from registry.settings import Settings
from registry.store.consultation import messages
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from registry.wiring.database import make_engine
from registry.wiring.storage import make_document_store
from registry.wiring.worker import assemble_worker
from tests.conformance.validation import ContractClient
from tests.databases import drop_pattern, migrated_database
from tests.factories import PDF, a_file, a_message, a_person, an_ebox, an_enterprise
from tests.given import GivenCluster

Flask.test_client_class = ContractClient  # no answer of the run may break the contract
# How long an example takes proves nothing. `make check` has four times as many of them.
examples = int(os.environ.get("HYPOTHESIS_EXAMPLES", "25"))
hypothesis.register_profile("ours", deadline=None, max_examples=examples)
hypothesis.load_profile("ours")

ROLE = "registry_application"
V3 = {
    EboxKind.ENTERPRISE: "/REST/ebox/enterprise/messageRegistry/v3",
    EboxKind.CITIZEN: "/REST/ebox/citizen/messageRegistry/v3",
}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A throwaway PostgreSQL, unless REGISTRY_TEST_DATABASE_URL names a superuser of one."""
    url = os.environ.get("REGISTRY_TEST_DATABASE_URL")
    server = GivenCluster(url) if url else Cluster(tmp_path_factory.mktemp("postgres"))
    with server:
        yield server
        drop_pattern(server)


@pytest.fixture(scope="session")
def database(cluster):
    """A migrated database with reference data: the owner's and the application's URL."""
    with migrated_database(cluster) as urls:
        yield urls


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    """A throwaway SeaweedFS."""
    with ObjectStore(tmp_path_factory.mktemp("objects")) as store:
        yield store


@pytest.fixture(scope="session")
def federation(tmp_path_factory):
    """The stand-ins for authorization server and Partition API; tests enrol their own parties."""
    directory = tmp_path_factory.mktemp("federation")
    enroll(directory / "keys", directory)
    with Federation(directory) as started:
        yield started


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


@pytest.fixture(scope="session")
def settings(database, objects, federation):
    """The settings of a registry on these parts."""
    return Settings(
        environment="test",
        public_url="http://localhost",
        database_url=database.application,
        database_owner_url=database.owner,
        database_worker_url=database.worker,
        s3_endpoint=objects.endpoint,
        s3_bucket=objects.bucket,
        s3_access_key=objects.access_key,
        s3_secret_key=objects.secret_key,
        audit_bucket=objects.seals,
        audit_key_path=federation.directory / "keys" / AUDIT_KEY,
        audit_seal_every=0,
        oauth_token_url=federation.token_url,
        oauth_introspect_url=federation.introspect_url,
        oauth_client_id=PERSONAS["registry"].client_id,
        oauth_key_path=federation.directory / "keys" / "registry.pem",
        partition_url=federation.partition_url,
        events_url=federation.events_url,
        webhook_scope=WEBHOOK,
        representative_scope=REPRESENTATIVE,
        certification_scope=CERTIFICATION,
        hash_key="a key of the tests, long enough to count",
        rate_limit=0,
        unknown_tokens=0,  # many tests bring bad tokens, all from here
    )


@pytest.fixture(scope="session")
def app(settings):
    """The application; nothing in it is replaced."""
    app = create_app(settings)
    yield app
    get_state(app).registry.dispose()


@pytest.fixture(scope="session")
def owner(settings):
    """The owner of the tables, whom row-level security does not bind."""
    engine = make_engine(settings, "owner")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def worker_services(settings):
    """The worker's services, on the same parts."""
    assembled = assemble_worker(settings)
    yield assembled
    assembled.dispose()


@pytest.fixture(scope="session")
def application(database):
    """The application's role, with ordinary transactions."""
    engine = create_engine(database.application)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def blobs(settings):
    """The document store."""
    store = make_document_store(settings)
    yield store
    store.client.close()


@pytest.fixture(scope="session")
def party(federation):
    """Enrol a fresh party: `party(scopes, enterprise=…, person=…)` gives its bearer token."""
    algorithm = PERSONAS["sender"].algorithm
    key = private_key(federation.directory / "keys" / "sender.pem", algorithm)
    public_key = dict(key.as_dict(private=False))
    # One connection for all: thousands of tests sign in, and would each build a session.
    connection = http.client.HTTPConnection(LOOPBACK, federation.port, timeout=30)
    path = urlsplit(federation.token_url).path

    def sign_in(client_id):
        claims = {"jti": str(uuid4()), "exp": int(time.time()) + 60}
        assertion = private_key_jwt_sign(
            key, client_id, federation.token_url, algorithm, claims=claims
        )
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, urlencode(form), headers)
        return json.loads(connection.getresponse().read())["access_token"]

    def enrol(*scopes, enterprise=None, person=None, **more):
        client_id = f"party-{uuid4()}"
        registration = {
            "key": public_key,
            "subject": person or client_id,
            "scopes": scopes,
            "enterprise": enterprise,
            "person": person,
            **more,
        }
        add_client(federation.directory, client_id, registration)
        return sign_in(client_id)

    yield enrol
    connection.close()


@pytest.fixture(scope="session")
def grant(federation):
    """Tell the Partition API of an enterprise: its partitions, and who may read which."""

    def tell(enterprise, partitions, users=None):
        path = federation.directory / "partitions.json"
        known = json.loads(path.read_text())
        known[enterprise] = {"partitions": partitions, "users": users or {}}
        write_private(path, json.dumps(known))

    return tell


@pytest.fixture
def deliver(owner, blobs):
    """Put a message into an e-Box, its documents into the store; gives the message's id."""

    def put(ebox, *files, content=PDF, sent_from=None, **changes):
        message = a_message(ebox, **changes)
        for file in files:
            blobs.put(file["blob_key"], [content])
        with owner.begin() as connection:
            messages.add(connection, ebox, message, files)
            if sent_from:
                number = Ebox(EboxKind.ENTERPRISE, message["sender"])
                noted = SentMessage(
                    message_id=message["message_id"], recipient=ebox, partition=sent_from
                )
                sent_messages.add(connection, number, noted)
        return message["message_id"]

    return put


class Visitor:
    """Somebody with a bearer token at one base path."""

    def __init__(self, client, token, ebox):
        self._client, self.token, self.ebox = client, token, ebox
        self.base = V3[ebox.kind]

    def get(self, path, **options):
        """GET below the base path."""
        return self.ask("GET", path, **options)

    def ask(self, method, path, headers=None, **options):
        """Any method, with the token."""
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self._client.open(self.base + path, method=method, headers=headers, **options)


@pytest.fixture
def consumer(app, party):
    """The software of an enterprise nobody else in the run knows: reads its whole e-Box."""
    ebox = an_ebox()
    token = party(CONSUMER, enterprise=ebox.number)
    return Visitor(app.test_client(), token, ebox)


@pytest.fixture
def portal_user(app, party, grant):
    """A person in the portal who may read GENERAL and partitionB, not partitionNoAccess."""
    enterprise, person = an_enterprise(), a_person()
    readable = ["GENERAL", "partitionB"]
    grant(enterprise, [*readable, "partitionNoAccess"], {person: readable})
    token = party(PORTAL, REFERENCE, enterprise=enterprise, person=person)
    return Visitor(app.test_client(), token, Ebox(EboxKind.ENTERPRISE, enterprise))


@pytest.fixture
def citizen(app, party):
    """A citizen in the portal."""
    ebox = an_ebox(EboxKind.CITIZEN)
    token = party(CITIZEN_PORTAL, CITIZEN_REFERENCE, person=ebox.number)
    return Visitor(app.test_client(), token, ebox)


@pytest.fixture
def visitor(app, party):
    """Somebody with these scopes: `visitor(*scopes, enterprise=…)`."""

    def come(*scopes, ebox=None, **more):
        ebox = ebox or an_ebox()
        return Visitor(app.test_client(), party(*scopes, enterprise=ebox.number, **more), ebox)

    return come


@pytest.fixture
def main_file():
    """The one document of a message."""
    return a_file()
