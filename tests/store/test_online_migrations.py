"""Migrations beside a service that goes on, and beside each other."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect, text

from registry import migrations
from registry.migrations.indexes import create_index
from registry.sandbox.seeds import reference
from registry.store.consultation import messages
from registry.store.transactions import name_ebox
from tests.conftest import ROLE
from tests.factories import a_message, an_ebox
from tests.store.test_released_revisions import read_released

pytestmark = pytest.mark.process

LONGEST = 2.0  # seconds that a request may wait
READING = 2.5  # seconds that somebody reads in one transaction
RELEASED = [name[:4] for name in read_released()]

# In the words of the first revision, which all later ones understand.
PUT = text("""
INSERT INTO messages (ebox, message_id, received_at, expires_at, is_registered, is_reply_authorized,
  partition, message_type_id, sender, subject)
VALUES (:ebox, :id, now(), now() + interval '90 days', false, false, 'GENERAL', 'letter',
  '0308357159', '{}')
""")
TYPE = text("""
INSERT INTO message_types (message_type_id, name, validity_number, validity_unit, folded_nl,
  folded_fr, folded_de) VALUES ('letter', '{}', 90, 'day', '', '', '')
""")
TELL = text("""
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at)
VALUES (:ebox, gen_random_uuid(), 'newDocument', :id, now())
""")
READ = text("UPDATE messages SET read_at = now() WHERE ebox = :ebox AND message_id = :id")
LIST = text("SELECT message_id FROM messages WHERE ebox = :ebox ORDER BY received_at DESC LIMIT 25")


@pytest.fixture
def service(empty_database):
    """The application's role at a database that is being migrated."""
    engine = create_engine(empty_database.url.set(username="application"), pool_size=8)
    yield engine
    engine.dispose()


def plant(engine):
    """The one type that the load's messages are of."""
    with engine.begin() as connection:
        connection.execute(TYPE)


class Load:
    """Publishers and readers who go on, each in transactions of its own; how long each took."""

    def __init__(self, engine):
        self._engine = engine
        self._stop = threading.Event()
        self.waits, self.errors = [], []

    def __enter__(self):
        self._threads = [threading.Thread(target=self._go_on) for _ in range(4)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _go_on(self):
        ebox = an_ebox()
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._ask(ebox)
            except Exception as error:  # noqa: BLE001 - whatever a caller would see
                self.errors.append(error)
            self.waits.append(time.monotonic() - began)
            self._stop.wait(0.01)

    def _ask(self, ebox):
        values = {"ebox": ebox.key, "id": uuid4()}
        with self._engine.begin() as connection:
            name_ebox(connection, ebox)
            for statement in (PUT, TELL):
                connection.execute(statement, values)
        with self._engine.begin() as connection:
            name_ebox(connection, ebox)
            assert connection.execute(LIST, {"ebox": ebox.key}).first()
            connection.execute(READ, values)


@contextmanager
def a_long_reader(engine, seconds=READING):
    """Somebody reads for a while in one transaction, as a report or a backup does."""
    reading = engine.connect()
    for table in ("messages", "outbox", "attachments", "sent_messages"):
        reading.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - names of our own
    timer = threading.Timer(seconds, reading.close)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_every_released_revision_is_reached_while_all_go_on(empty_database, service):
    migrations.upgrade(empty_database, ROLE, RELEASED[0])
    plant(empty_database)
    reports = []

    with Load(service) as load:
        for revision in [*RELEASED[1:], "head"]:
            with a_long_reader(empty_database):
                migrations.upgrade(empty_database, ROLE, revision, report=reports.append)

    current, newest = migrations.revisions(empty_database)
    assert current == newest
    assert load.errors == []
    assert len(load.waits) > 100
    assert max(load.waits) < LONGEST
    assert any(report.startswith("Revision 0002 waits for tables") for report in reports)


def test_who_never_lets_go_of_a_table_is_given_up_and_nothing_is_done(empty_database, service):
    migrations.upgrade(empty_database, ROLE, "0001")

    with empty_database.connect() as reading:
        reading.execute(text("SELECT count(*) FROM messages"))
        with pytest.raises(migrations.MigrationBlocked, match="revision 0002"):
            migrations.upgrade(empty_database, ROLE, patience=1)

    assert migrations.revisions(empty_database)[0] == "0001"
    migrations.upgrade(empty_database, ROLE)


def test_an_impatience_of_migrations_is_left_to_no_later_user_of_the_connection(empty_database):
    migrations.upgrade(empty_database, ROLE)

    with empty_database.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "0"


def test_several_at_once_wait_for_each_other_and_say_for_whom(cluster, empty_database):
    engines = [create_engine(empty_database.url) for _ in range(4)]
    reports = []

    def migrate(engine):
        migrations.upgrade(engine, ROLE, report=reports.append)
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, engines))

    current, newest = migrations.revisions(empty_database)
    assert current == newest
    others = [report for report in reports if "another migration" in report]
    assert others
    assert all("process " in report and " of owner on " in report for report in others)


def test_a_migration_that_dies_leaves_its_turn_to_the_next(empty_database):
    class Died(BaseException):
        pass

    def die(_):
        raise Died

    migrations.upgrade(empty_database, ROLE, "0001")
    with empty_database.connect() as reading:
        reading.execute(text("SELECT count(*) FROM messages"))
        with suppress(Died):
            migrations.upgrade(empty_database, ROLE, report=die)

    migrations.upgrade(empty_database, ROLE, report=pytest.fail)


@pytest.fixture
def filled(empty_database):
    """A migrated database with a message, an entry of the trail and a hold."""
    migrations.upgrade(empty_database, ROLE)
    ebox = an_ebox()
    with empty_database.begin() as connection:
        reference.plant(connection)
        messages.add(connection, ebox, a_message(ebox), [])
        connection.execute(text("INSERT INTO audit_entries (entry) VALUES ('{}'), ('{}')"))
        hold = "INSERT INTO legal_holds VALUES (:ebox, gen_random_uuid(), NULL, 'x', now())"
        connection.execute(text(hold), {"ebox": ebox.key})
    return empty_database


def test_a_way_back_that_drops_what_nobody_named_is_refused(filled):
    before = set(inspect(filled).get_table_names())

    with pytest.raises(migrations.DowngradeRefused) as refused:
        migrations.downgrade(filled, ROLE, "0002")

    sentence = str(refused.value)
    assert "the audit trail (audit_entries, 2 rows)" in sentence
    assert "the legal holds (legal_holds, 1 row)" in sentence
    assert "--drop audit_entries" in sentence
    assert "--drop legal_holds" in sentence
    assert "messages.is_reminded" in sentence
    assert "\n" not in sentence
    assert set(inspect(filled).get_table_names()) == before
    assert migrations.revisions(filled)[0] == migrations.revisions(filled)[1]


def test_a_way_back_that_is_named_in_full_is_gone(filled):
    with pytest.raises(migrations.DowngradeRefused) as refused:
        migrations.downgrade(filled, ROLE, "0003")
    names = [loss.name for loss in refused.value.losses]

    with pytest.raises(migrations.DowngradeRefused):
        migrations.downgrade(filled, ROLE, "0003", drops=names[1:])
    migrations.downgrade(filled, ROLE, "0003", drops=names)

    assert names == [
        "audit_entries",
        "messages.is_large",
        "messages.original_expires_at",
        "messages.withdrawn_at",
        "search_texts.is_large",
    ]
    assert migrations.revisions(filled)[0] == "0003"
    assert not {"audit_entries", "audit_seals"} & set(inspect(filled).get_table_names())


def test_rows_that_a_way_back_deletes_are_named_too(filled):
    with filled.begin() as connection:
        connection.execute(TELL, {"ebox": an_ebox().key, "id": uuid4()})
        connection.execute(text("UPDATE outbox SET state = 'told', settled_at = now()"))

    with pytest.raises(migrations.DowngradeRefused, match=r"the events \(outbox, 1 row\)"):
        migrations.downgrade(filled, ROLE, "0002")


def test_a_name_that_would_stay_is_told(filled):
    with pytest.raises(migrations.DowngradeRefused, match="would not drop messages"):
        migrations.downgrade(filled, ROLE, "0003", drops=["audit_entries", "messages"])

    assert migrations.revisions(filled)[0] == migrations.revisions(filled)[1]


def test_an_index_is_built_while_all_go_on(empty_database, service):
    migrations.upgrade(empty_database, ROLE)
    plant(empty_database)

    with (
        Load(service) as load,
        a_long_reader(empty_database),
        empty_database.connect() as connection,
    ):
        build(connection, "ix_messages_try", "messages", "(ebox, read_at)")
        build(connection, "ix_turns_try", "turns", "(taken_at)")
        build(connection, "ix_messages_try", "messages", "(ebox, read_at)")

    assert load.errors == []
    assert max(load.waits) < LONGEST
    assert "ix_messages_try" in index_names(empty_database, "messages")
    assert "ix_turns_try" in index_names(empty_database, "turns")


def test_an_index_that_an_attempt_left_unfinished_is_built_anew(empty_database, cluster):
    migrations.upgrade(empty_database, ROLE)
    spoilt = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST(:name AS regclass)"
    superuser = create_engine(empty_database.url.set(username="postgres"))
    with empty_database.connect() as connection:
        build(connection, "ix_turns_try", "turns", "(taken_at)")
    with superuser.begin() as connection:
        connection.execute(text(spoilt), {"name": "ix_turns_try"})
    superuser.dispose()

    with empty_database.connect() as connection:
        build(connection, "ix_turns_try", "turns", "(taken_at)")

        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_turns_try'::regclass"
        assert connection.scalar(text(valid)) is True


def build(connection, *index):
    """As a revision does."""
    context = MigrationContext.configure(connection)
    with context.begin_transaction(), Operations.context(context):
        create_index(*index)


def index_names(engine, table):
    return {index["name"] for index in inspect(engine).get_indexes(table)}
