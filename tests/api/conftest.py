"""What only tests of the API need: other settings, bad days of the federation, SQL counted."""

import json
import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, insert, select

from registry.api.state import get_state
from registry.app import create_app
from registry.sandbox.files import write_private
from registry.sandbox.personas import CITIZEN_PORTAL, CONSUMER, SENDER, WEBHOOK
from registry.store.events.outbox import outbox
from registry.store.reference import (
    make_folded_texts,
    sender_configurations,
    sender_organizations,
)
from registry.store.schema import metadata
from registry.telemetry import output
from tests.api.publication import Sender, an_event
from tests.factories import an_ebox
from tests.gunicorn import run_gunicorn
from tests.statements import record_statements


@pytest.fixture
def app_with(settings):
    """Another application on the same parts: `app_with(setting=…)`."""
    made = []
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def make(**changes):
        made.append(create_app(settings.model_copy(update=changes)))
        return made[-1]

    yield make
    for app in made:
        get_state(app).registry.dispose()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def logged(capfd):
    """What was logged since this was asked last; a thread of the log writes it."""

    def read():
        output.flush()
        return capfd.readouterr().out

    return read


@pytest.fixture
def elsewhere():
    """The same visitor at another application."""

    def go(visitor, app):
        return type(visitor)(app.test_client(), visitor.token, visitor.ebox)

    return go


@pytest.fixture
def statements(app):
    """The SQL that the application executes inside `with statements() as seen:`."""
    engine = get_state(app).registry.consultation.transactions.engine
    return lambda: record_statements(engine)


@pytest.fixture
def told(owner):
    """Type and message id of the events of an e-Box that wait in the outbox."""

    def rows(ebox):
        with owner.connect() as connection:
            query = select(outbox.c.type, outbox.c.message_id).where(outbox.c.ebox == ebox)
            return [tuple(row) for row in connection.execute(query)]

    return rows


@pytest.fixture
def is_read():
    """Whether the visitor's message is read now."""

    def ask(visitor, message_id):
        return visitor.get(f"/ebox/messages/{message_id}").json["isRead"]

    return ask


@pytest.fixture(scope="session")
def publishing_settings(settings, federation):
    """The settings of a registry that is told events and asks for preferences."""
    told = {"federation_url": federation.federation_url, "webhook_scope": WEBHOOK}
    return settings.model_copy(update={**told, "check_digits": False})


@pytest.fixture(scope="session")
def publication(publishing_settings):
    """An application with these settings; nothing in it is replaced."""
    app = create_app(publishing_settings)
    yield app
    get_state(app).registry.dispose()


@pytest.fixture
def publishing_with(publishing_settings, app_with):
    """Another one on the same parts: `publishing_with(setting=…)`."""
    usual = ("federation_url", "webhook_scope", "check_digits")
    settings = {name: getattr(publishing_settings, name) for name in usual}
    return lambda **changes: app_with(**{**settings, **changes})


@pytest.fixture
def configure(owner):
    """Let an enterprise send letters and assessments through two applications, for one test."""
    allowed = []

    def allow(enterprise, *applications):
        allowed.append(enterprise)
        name = {"nl": f"Organisatie {enterprise}"}
        row = {"organization_id": enterprise, "short_name": name, **make_folded_texts(name)}
        with owner.begin() as connection:
            connection.execute(insert(sender_organizations).values(row))
            for application in applications or ("sandbox-sender", "my-minfin"):
                for kind in ("information-letter", "tax-assessment"):
                    paired = {"organization_id": enterprise, "application_id": application}
                    row = {**paired, "message_type_id": kind}
                    connection.execute(insert(sender_configurations).values(row))

    yield allow
    with owner.begin() as connection:  # tests of reference data know what there is
        for table in (sender_configurations, sender_organizations):
            connection.execute(delete(table).where(table.c.organization_id.in_(allowed)))


@pytest.fixture
def a_sender(publication, party, configure):
    """A configured enterprise with these scopes: `a_sender(*scopes)`; it may publish and read."""

    def come(*scopes, ebox=None):
        ebox = ebox or an_ebox()
        configure(ebox.number)
        token = party(*(scopes or (SENDER, CONSUMER)), enterprise=ebox.number)
        return Sender(publication.test_client(), token, ebox)

    return come


@pytest.fixture
def sender(a_sender):
    """An enterprise that may publish, and reads its own e-Box."""
    return a_sender()


@pytest.fixture
def reader(publication, party):
    """Who reads an e-Box: `reader(ebox)`, a fresh enterprise's if none is named."""

    def come(ebox=None):
        ebox = ebox or an_ebox()
        if ebox.enterprise_number:
            token = party(CONSUMER, enterprise=ebox.number)
        else:
            token = party(CITIZEN_PORTAL, person=ebox.number)
        return Sender(publication.test_client(), token, ebox)

    return come


@pytest.fixture
def facts(federation):
    """Change a file of the stand-ins: `facts("mandates", lambda known: …)`."""

    def change(name, edit):
        path = federation.directory / f"{name}.json"
        known = json.loads(path.read_text())
        edit(known)
        write_private(path, json.dumps(known))

    return change


@pytest.fixture
def rules(facts):
    """Tell the Partition API the routing rules of an enterprise, by priority."""

    def tell(enterprise, *ordered):
        named = [rule["partition"] for rule in ordered]
        ebox = {"partitions": ["GENERAL", *named], "users": {}, "routingRules": ordered}
        facts("partitions", lambda known: known.update({enterprise: ebox}))

    return tell


@pytest.fixture
def stored(owner, blobs):
    """All rows of publications, documents and unfinished uploads that there are."""
    names = ("messages", "attachments", "search_texts", "sent_messages", "outbox")
    counts = select(
        *(
            select(func.count()).select_from(metadata.tables[name]).scalar_subquery().label(name)
            for name in names
        )
    )

    def look():
        with owner.connect() as connection:
            rows = connection.execute(counts).one()
        uploads = blobs.client.list_multipart_uploads(Bucket=blobs.bucket).get("Uploads", [])
        keys = set(blobs.keys("documents/", datetime.now(UTC) + timedelta(days=1)))
        return rows, [upload["Key"] for upload in uploads], keys

    return look


@pytest.fixture
def nothing_stored(stored):
    """Prove that what happens `with nothing_stored():` leaves no trace."""

    @contextmanager
    def watched():
        before = stored()
        yield
        assert stored() == before

    return watched


@pytest.fixture
def webhook(publication, party):
    """The federation, which tells of changes."""
    return Sender(publication.test_client(), party(WEBHOOK), an_ebox())


@pytest.fixture
def tell_rules(webhook):
    """Have the federation tell the routing rules of an e-Box, by priority."""

    def tell(ebox, *ordered):
        event = an_event(ebox, data={"orderedRoutingRules": list(ordered)})
        answer = webhook.ask("POST", "/eventNotifications", json=event)
        assert answer.status_code == 204, answer.text

    return tell


@pytest.fixture(scope="module")
def port(settings, tmp_path_factory):
    """The port of gunicorn with the registry as it is deployed, on the other tests' parts."""
    with run_gunicorn(settings, tmp_path_factory.mktemp("gunicorn")) as port:
        yield port
