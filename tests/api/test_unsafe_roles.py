"""A database role that row-level security does not bind serves nobody, until it is mended."""

from copy import copy
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from registry.api.state import get_state
from registry.domain.errors import Unavailable
from registry.sandbox.servers.postgres import SUPERUSER
from registry.wiring.worker import assemble_worker
from tests.api.message_updates import change
from tests.api.publication import Document, a_publication, as_part, body
from tests.api.v2.visiting import in_version_2
from tests.api.v2.visiting import publish as publish_in_version_2
from tests.conftest import ROLE
from tests.factories import an_ebox
from tests.statements import record_statements

CALLS = [
    (3, "GET", "/ebox/messages"),
    (3, "GET", f"/ebox/messages/{uuid4()}"),
    (3, "GET", "/ebox/statistics"),
    (3, "GET", "/refData/messageTypes"),
    (2, "GET", "/ebox/messages"),
    (2, "GET", f"/ebox/messages/{uuid4()}"),
    (2, "GET", "/referenceData/messageTypes"),
]


@pytest.fixture(params=["the worker's", "the owner's", "a superuser's"])
def unsafe_url(request, database, cluster):
    """URLs of roles that are not the application's."""
    urls = {
        "the worker's": database.worker,
        "the owner's": database.owner,
        "a superuser's": cluster.url(SUPERUSER, database.owner.rpartition("/")[2]),
    }
    return SecretStr(urls[request.param])


@pytest.fixture
def guests(consumer, citizen):
    """One of each family, who may read."""
    return consumer, citizen


@pytest.fixture
def superuser(cluster, database):
    """An engine that may change roles."""
    engine = create_engine(cluster.url(SUPERUSER, database.owner.rpartition("/")[2]))
    yield engine
    engine.dispose()


@pytest.fixture
def role(superuser, database):
    """A role that may do what the application may: `role("BYPASSRLS")` changes it."""
    name = f"role_{uuid4().hex[:8]}"

    def change(rights):
        with superuser.begin() as connection:
            connection.execute(text(f"ALTER ROLE {name} {rights}"))

    with superuser.begin() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' IN ROLE {ROLE}"))
    url = make_url(database.application).set(username=name, password="secret")
    change.url = SecretStr(url.render_as_string(hide_password=False))
    yield change
    with superuser.begin() as connection:
        connection.execute(text(f"DROP ROLE {name}"))


def at(app, visitor):
    """The same visitor at another application."""
    twin = copy(visitor)
    twin._client = app.test_client()
    return twin


def statements(app):
    """The SQL that the application executes inside the block."""
    engine = get_state(app).registry.consultation.transactions.engine
    return record_statements(engine, with_checks=True)


def test_nothing_is_served(app_with, unsafe_url, guests):
    app = app_with(database_url=unsafe_url)
    for guest in guests:
        for version, method, path in CALLS:
            visitor = at(app, guest if version == 3 else in_version_2(guest))
            answer = visitor.ask(method, path)

            assert answer.status_code == 503, (version, method, path)
            assert "role" not in answer.text  # what is wrong is for operators
        assert change(at(app, guest), (uuid4(), {"isVisible": False})).status_code == 503


def test_nobody_publishes(app_with, unsafe_url, sender):
    sender = at(app_with(database_url=unsafe_url), sender)
    document, recipient = Document(part="upfile1"), an_ebox()
    message = a_publication(sender.ebox, recipient, document)

    assert sender.post(body(as_part(message), document)).status_code == 503
    assert publish_in_version_2(sender, recipient, document).status_code == 503


def test_a_change_of_the_role_counts_without_a_start(app_with, role, consumer):
    role("BYPASSRLS")
    app = app_with(database_url=role.url)
    visitor = at(app, consumer)

    assert visitor.get("/ebox/messages").status_code == 503
    assert visitor.get("/ebox/messages").status_code == 503
    role("NOBYPASSRLS")
    assert visitor.get("/ebox/messages").status_code == 200


def test_readiness_finds_what_happened_to_the_role_since(app_with, role, consumer):
    app = app_with(database_url=role.url)
    visitor = at(app, consumer)
    assert visitor.get("/ebox/messages").status_code == 200

    role("BYPASSRLS")
    with pytest.raises(Unavailable):
        get_state(app).registry.readiness.check()

    assert visitor.get("/ebox/messages").status_code == 503
    role("NOBYPASSRLS")
    get_state(app).registry.readiness.check()
    assert visitor.get("/ebox/messages").status_code == 200


def test_the_role_is_looked_at_once_a_connection(app_with, consumer):
    app = app_with(database_pool_size=1)
    visitor = at(app, consumer)
    with statements(app) as first:
        visitor.get("/ebox/messages")
    with statements(app) as second:
        visitor.get("/ebox/messages")
        visitor.get("/ebox/messages")

    assert any("pg_has_role" in statement for statement in first)
    assert not any("pg_has_role" in statement for statement in second)


@pytest.mark.parametrize("role_name", ["application", "owner"])
def test_the_worker_does_nothing_with_another_role_than_its_own(settings, database, role_name):
    changed = settings.model_copy(
        update={"database_worker_url": SecretStr(getattr(database, role_name))}
    )
    services = assemble_worker(changed)
    try:
        with pytest.raises(Unavailable, match="not fit for use"):
            services.sweep.transactions().__enter__()
    finally:
        services.dispose()
