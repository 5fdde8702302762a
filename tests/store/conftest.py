"""The database as the service sees it, and as a superuser does."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, insert

from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ssin
from registry.domain.notifications import Notification
from registry.domain.partitions import Rights
from registry.domain.routing import Rule
from registry.services.consultation.ebox_sizes import EboxSizes
from registry.store.consultation import large_eboxes, messages, partition_rights
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.events import outbox
from registry.store.publication import broadcasts, routing_rules, sent_messages
from registry.store.publication.broadcasts import BroadcastOrder
from registry.store.publication.sent_messages import SentMessage
from registry.store.publication.upload_notes import upload_notes
from registry.store.retention import legal_holds
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions, name_ebox
from registry.wiring.database import make_engine
from tests.alone import a_database
from tests.factories import a_file, a_message, a_person
from tests.statements import record_statements


@pytest.fixture
def transactions(settings):
    """The service's own transactions, all on one pooled connection."""
    opened = Transactions(make_engine(settings.model_copy(update={"database_pool_size": 1})))
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def database_alone(cluster, settings):
    """A database of the module's own."""
    with a_database(cluster, settings) as alone:
        yield alone


@pytest.fixture
def alone(database_alone):
    """The same without a message; whoever looks across e-Boxes sees what this test puts there."""
    database_alone.clear()
    return database_alone


@pytest.fixture
def worker(settings):
    """The worker's transactions, which see every e-Box."""
    opened = Transactions(make_engine(settings, "worker"), find_worker_fault)
    yield opened
    opened.engine.dispose()


@pytest.fixture(params=["small", "large"])
def settle(request, application, worker):
    """Let an e-Box be of the size of this test's kind, as the worker makes it."""
    is_large = request.param == "large"
    sizes = EboxSizes(worker, lambda: datetime.now(UTC))

    def grow(ebox):
        if is_large:
            with application.begin() as connection:
                name_ebox(connection, ebox)
                large_eboxes.ask_for_counts(connection, ebox)
            list(sizes.mark_all())

    grow.is_large, grow.known, grow.sizes = is_large, KnownSizes(large_from=10**6), sizes
    return grow


@pytest.fixture
def empty_database(cluster):
    """The owner's engine on a database without any table."""
    name = f"empty_{uuid4().hex[:12]}"
    cluster.create_database(name)
    engine = create_engine(cluster.url("owner", name))
    yield engine
    engine.dispose()
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def superuser(cluster, database):
    """An engine that may do anything."""
    name = database.owner.rpartition("/")[2]
    engine = create_engine(cluster.url("postgres", name))
    yield engine
    engine.dispose()


_OF_A_KIND = {
    "partition": "GENERAL",
    "is_read": False,
    "is_visible": True,
    "is_registered": False,
    "is_action_required": False,
    "messages": 1,
}


@pytest.fixture
def fill(owner):
    """Put a row for an e-Box into every table that is kept by e-Box; gives the message's id."""

    def put(ebox):
        message = a_message(ebox)
        now = datetime.now(UTC)
        with owner.begin() as connection:
            name_ebox(connection, ebox)
            messages.add(connection, ebox, message, [a_file()])
            read = Event(EventType.READ_DOCUMENT, ebox, message["message_id"])
            outbox.add(connection, read, due_at=now)
            person = Ssin(a_person())
            partition_rights.keep_rights(
                connection, ebox, person, Rights(frozenset({"B"})), now=now
            )
            noted = SentMessage(message_id=message["message_id"], recipient=ebox)
            sent_messages.add(connection, ebox, noted)
            order = BroadcastOrder(
                message_id=noted.message_id, recipients=[ebox], refusals=[], digest=b"", key=None
            )
            assert broadcasts.record(connection, order, now)
            routing_rules.keep_rules(connection, ebox, [Rule("B")], told_at=now)
            told = Notification(source="s", id="1", type="t", time=now, data={})
            routing_rules.note_event(connection, ebox, told, happened_at=now, now=now)
            connection.execute(upload_notes.insert().values(ebox=ebox, message_id=uuid4()))
            legal_holds.add_hold(
                connection, ebox, uuid4(), message_id=None, why="a lawsuit", now=now
            )
            large_eboxes.ask_for_counts(connection, ebox)
            for table in (large_eboxes.message_counts, large_eboxes.message_count_changes):
                connection.execute(insert(table).values(ebox=ebox, **_OF_A_KIND))
        return message["message_id"]

    return put


@pytest.fixture
def statements(application):
    """The SQL that is executed while the block runs."""
    return lambda: record_statements(application)
