"""PostgreSQL falls silent, breaks off or comes back: nobody waits longer than the settings say."""

import gc
import os
import shutil
import signal
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine

from registry import migrations
from registry.audit.store.entries import add_entry
from registry.audit.trail.entry import Entry
from registry.domain.errors import Unavailable
from registry.sandbox.servers.postgres import APPLICATION_ROLE
from registry.sandbox.servers.processes import LOOPBACK
from registry.store.bounded_connection import get_driver
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions, lift_time_limit
from registry.wiring.database import make_engine
from tests.factories import an_ebox
from tests.poolers import a_pgbouncer
from tests.roads import Road

pytestmark = pytest.mark.process  # waits by the clock

NOTICED = 10.0  # seconds in which a silent server must be noticed
HEALED = 5.0
SLACK = 1.0


@pytest.fixture
def road(cluster):
    """A road to the cluster."""
    with Road((LOOPBACK, cluster.port)) as leading:
        yield leading


@pytest.fixture(params=["application", "worker"])
def role(request):
    return request.param


@pytest.fixture
def travel(settings, road):
    """Transactions of a role by way of the road: `travel(role, setting=…)`."""
    opened = []

    def make(role="application", port=None, **changes):
        name = "database_url" if role == "application" else "database_worker_url"
        url = move(getattr(settings, name).get_secret_value(), port or road.port)
        engine = make_engine(settings.model_copy(update={name: SecretStr(url), **changes}), role)
        opened.append(engine)
        return Transactions(engine, *([find_worker_fault] if role == "worker" else []))

    yield make
    for engine in opened:
        engine.dispose()


def move(url, port):
    """The same URL at another port of this machine."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{LOOPBACK}:{port}").geturl()


def ask(transactions, statement="SELECT 1"):
    with transactions(an_ebox()) as connection:
        return connection.exec_driver_sql(statement).scalar_one()


def fail(transactions, statement="SELECT 1"):
    """Seconds until the database is said not to answer."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        ask(transactions, statement)
    return time.monotonic() - began


def ask_of_silence(transactions, road):
    with transactions(an_ebox()) as connection:
        road.silence()
        connection.exec_driver_sql("SELECT 1")


def add_entry_into_silence(transactions, road):
    entry = Entry(
        timestamp="", token_hash=None, client_id="c", method="GET", url="/", status=200, details={}
    )
    with transactions(an_ebox()) as connection:
        road.silence()
        add_entry(connection, entry)


def wait_until_well(transactions, seconds):
    ends = time.monotonic() + seconds
    while True:
        try:
            return ask(transactions)
        except Unavailable:
            assert time.monotonic() < ends, "it does not recover"
            time.sleep(0.1)


def ask_at_once(transactions, count):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, [transactions] * count, ["SELECT 1 FROM pg_sleep(0.2)"] * count))


def test_a_server_that_falls_silent_is_noticed_by_all_who_have_a_connection(travel, road, role):
    transactions = travel(role)
    ask_at_once(transactions, 8)
    road.silence()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(fail, [transactions] * 8))

    assert max(waits) < NOTICED


def test_a_connection_that_was_given_up_is_closed(travel, road, role):
    transactions = travel(role, database_connect_timeout=1)
    road.silence()
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir()))
    gc.disable()  # as good as: workers look for garbage seldom
    try:
        for _ in range(3):
            fail(transactions)

        assert len(list(files.iterdir())) <= before + 1
    finally:
        gc.enable()


def test_a_server_that_falls_silent_in_the_middle_is_noticed(travel, road, role):
    transactions = travel(role)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        ask_of_silence(transactions, road)

    assert time.monotonic() - began < NOTICED


def test_a_server_that_falls_silent_before_it_commits_is_noticed(travel, road, role):
    transactions = travel(role)
    began = time.monotonic()

    with pytest.raises(Unavailable), transactions(an_ebox()):
        road.silence()

    assert time.monotonic() - began < NOTICED


def test_a_server_that_falls_silent_before_an_entry_is_added_is_noticed(travel, road):
    transactions = travel(database_statement_timeout=1)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        add_entry_into_silence(transactions, road)

    assert time.monotonic() - began < NOTICED
    road.heal()
    wait_until_well(transactions, HEALED)


def test_while_a_server_is_silent_most_hear_it_at_once(travel, road):
    transactions = travel()
    ask(transactions)
    road.silence()
    fail(transactions)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fail, [transactions] * 3))

    assert fail(transactions) < 0.5


@pytest.mark.parametrize("happens", ["silence", "refuse", "cut"])
def test_connections_recover_by_themselves(travel, road, role, happens):
    transactions = travel(role)
    ask_at_once(transactions, 8)
    getattr(road, happens)()
    if happens != "cut":
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(fail, [transactions] * 8))

    road.heal()
    wait_until_well(transactions, HEALED)

    assert ask_at_once(transactions, 8) == [1] * 8


def test_connections_that_died_unseen_are_not_tried_one_after_the_other(travel, road, role):
    transactions = travel(role)
    ask_at_once(transactions, 8)
    road.silence()
    fail(transactions)
    road.cut()
    road.heal()
    began = time.monotonic()

    wait_until_well(transactions, HEALED)

    assert ask_at_once(transactions, 8) == [1] * 8
    assert time.monotonic() - began < HEALED


def test_a_server_that_accepts_and_says_nothing_is_noticed(travel, role):
    with socket.create_server((LOOPBACK, 0)) as mute:
        transactions = travel(role, port=mute.getsockname()[1])

        assert fail(transactions) < 3 + SLACK


def test_a_request_does_not_wait_long_for_a_connection(travel):
    transactions = travel(database_pool_size=1, database_pool_timeout=0.2)

    with transactions():
        assert fail(transactions) < 0.2 + SLACK


def test_a_statement_has_an_end_and_the_connection_lives_on(travel):
    transactions = travel(database_statement_timeout=0.3, database_pool_size=1)
    with transactions() as connection:
        backend = get_driver(connection).info.backend_pid

    assert fail(transactions, "SELECT 1 FROM pg_sleep(20)") < 0.3 + SLACK

    assert ask(transactions, "SELECT pg_backend_pid()") == backend


def test_a_lock_has_an_end(travel):
    transactions = travel(database_lock_timeout=0.3)

    with transactions() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4711)")
        assert fail(transactions, "SELECT pg_advisory_xact_lock(4711)") < 0.3 + SLACK


def test_what_may_take_long_takes_long_and_the_next_may_not(travel):
    transactions = travel(database_statement_timeout=0.1, database_pool_size=1)

    with transactions() as connection:
        lift_time_limit(connection)
        connection.exec_driver_sql("SELECT pg_sleep(1.5)")

    assert fail(transactions, "SELECT 1 FROM pg_sleep(20)") < 0.1 + SLACK


@contextmanager
def a_frozen(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_server_that_stands_still_is_noticed(travel, role):
    transactions = travel(role, database_statement_timeout=1, database_pool_size=1)
    backend = ask(transactions, "SELECT pg_backend_pid()")
    began = time.monotonic()

    with a_frozen(backend), pytest.raises(Unavailable):
        ask(transactions)

    assert time.monotonic() - began < 3 + SLACK


# As Debian has it, and as many configure it: what it cannot pass on, it passes over in silence.
REFUSING = ()
IGNORING = ("ignore_startup_parameters = options,extra_float_digits",)


@pytest.fixture
def pooler(request, cluster, settings):
    """The port of a pgbouncer before the cluster."""
    if shutil.which("pgbouncer") is None:
        pytest.skip("Debian's pgbouncer is not installed")
    database = settings.database_url.get_secret_value().rpartition("/")[2]
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        more = getattr(request, "param", REFUSING)
        with a_pgbouncer(cluster, Path(folder), database, *more) as port:
            yield port


def either_way(test):
    return pytest.mark.parametrize(
        "pooler", [REFUSING, IGNORING], ids=["refusing", "ignoring"], indirect=True
    )(test)


def test_limits_travel_with_each_transaction_behind_a_pooler(travel, pooler, role):
    transactions = travel(role, port=pooler, database_pooler=True, database_statement_timeout=0.3)

    assert ask_at_once(transactions, 8) == [1] * 8
    assert fail(transactions, "SELECT 1 FROM pg_sleep(20)") < 0.3 + SLACK
    assert ask(transactions, "SHOW jit") == "off"
    assert ask(transactions, "SHOW enable_seqscan") == ("off" if role == "worker" else "on")


@either_way
def test_a_pooler_that_nobody_spoke_of_is_refused_in_a_sentence(travel, pooler, role, caplog):
    transactions = travel(role, port=pooler)
    sentence = "A pooler stands before the database: set REGISTRY_DATABASE_POOLER=true."

    with pytest.raises(Unavailable) as checked:
        transactions.check_role()
    with pytest.raises(Unavailable) as refused:
        ask(transactions)

    assert checked.value.detail == sentence
    assert checked.value.__cause__ is None  # for the worker: it does not pass by waiting
    assert refused.value.detail == "The database is not fit for use."
    assert f"nothing is served: {sentence}" in caplog.messages


@either_way
def test_a_pooler_that_was_spoken_of_is_served_through(travel, pooler, role):
    transactions = travel(role, port=pooler, database_pooler=True)

    transactions.check_role()

    # More often than psycopg waits before it prepares a statement, on connections that change.
    for _ in range(3):
        assert ask_at_once(transactions, 8) == [1] * 8
    with transactions() as connection:
        prepared = "SELECT count(*) FROM pg_prepared_statements"
        assert connection.exec_driver_sql(prepared).scalar_one() == 0


def test_each_transaction_behind_a_pooler_shows_its_own_ebox(travel, pooler):
    transactions = travel(port=pooler, database_pooler=True)
    eboxes = [an_ebox() for _ in range(40)]

    def read(ebox):
        with transactions(ebox) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(0.01)")
            named = "SELECT current_setting('registry.ebox', true)"
            return connection.exec_driver_sql(named).scalar_one()

    with ThreadPoolExecutor(8) as pool:
        named = list(pool.map(read, eboxes))
    with transactions() as connection:
        nobody = connection.exec_driver_sql("SELECT current_setting('registry.ebox', true)")
        assert not nobody.scalar_one()

    assert named == [ebox.key for ebox in eboxes]


@either_way
def test_a_migration_does_not_go_through_a_pooler(pooler, settings):
    url = move(settings.database_owner_url.get_secret_value(), pooler)
    engine = create_engine(url)

    with pytest.raises(migrations.MigrationBlocked, match="must lead past it"):
        migrations.upgrade(engine, APPLICATION_ROLE)

    engine.dispose()


def test_limits_cost_no_statement_of_their_own(travel, road):
    plain, pooled = travel(), travel(database_pooler=True)
    counts = []
    for transactions in (plain, pooled):
        ask(transactions)
        seen = len(road.seen)
        ask(transactions)
        counts.append(count_messages(bytes(road.seen[seen:])))

    assert counts[0] == counts[1]
    # Each is a round trip: BEGIN with the naming of the e-Box, what is asked, and COMMIT.
    assert counts[0]["S"] + counts[0]["Q"] == 3


def count_messages(sent):
    """Count the messages of PostgreSQL's protocol by their letter."""
    counts = Counter()
    while sent:
        counts[sent[:1].decode()] += 1
        sent = sent[1 + int.from_bytes(sent[1:5], "big") :]
    return counts


def test_the_kernel_watches_over_each_connection(travel):
    transactions = travel(database_silence=4)

    with (
        transactions() as connection,
        socket.socket(fileno=os.dup(get_driver(connection).fileno())) as watched,
    ):
        options = [
            watched.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)
        ]

    assert options == [4000, 2, 1]
