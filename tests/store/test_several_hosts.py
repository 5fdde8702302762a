"""A URL with several hosts leads to the one that can be written to, whichever it is now."""

import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from pydantic import SecretStr

from registry.domain.errors import Unavailable
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.settings import Settings
from registry.store.bounded_connection import get_driver
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from tests.factories import an_ebox

pytestmark = pytest.mark.process

HEALED = 10.0  # seconds
READ_ONLY = "default_transaction_read_only"


class Site(Cluster):
    """A server that is the primary, or says as a standby does that it only reads."""

    def only_reads(self, *, is_so):
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {READ_ONLY} = {is_so}")
            connection.execute("SELECT pg_reload_conf()")
            # A primary that is made a standby ends its connections.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        until_said = time.monotonic() + HEALED
        while self._says_so() != is_so:
            assert time.monotonic() < until_said
            time.sleep(0.05)

    def _says_so(self):
        with psycopg.connect(self.url(SUPERUSER, "postgres")) as connection:
            return connection.execute(f"SHOW {READ_ONLY}").fetchone() == ("on",)


@pytest.fixture(scope="module")
def sites():
    """Two servers."""
    with ExitStack() as stack:
        made = []
        for _ in range(2):
            folder = Path(stack.enter_context(TemporaryDirectory()))
            folder.chmod(0o755)
            made.append(stack.enter_context(Site(folder)))
        yield made


@pytest.fixture
def connect(settings):
    """Transactions by a URL with these ports, as a setting has it."""
    opened = []

    def make(*ports, attributes="?target_session_attrs=read-write"):
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
        values = {name: getattr(settings, name) for name in settings.model_fields_set}
        url = f"postgresql://application@{hosts}/registry{attributes}"
        ours = Settings.model_validate({**values, "database_url": SecretStr(url)})
        opened.append(make_engine(ours))
        return Transactions(opened[-1])

    yield make
    for engine in opened:
        engine.dispose()


def port_of(transactions):
    """The port of the server that answers."""
    with transactions(an_ebox()) as connection:
        assert connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "off"
        return get_driver(connection).info.port


def wait_for(transactions, port):
    until = time.monotonic() + HEALED
    while True:
        try:
            if port_of(transactions) == port:
                return
        except Unavailable:
            pass
        assert time.monotonic() < until, "it is not found"
        time.sleep(0.1)


def test_a_server_that_only_reads_is_passed_over(connect, sites):
    standby, primary = sites
    standby.only_reads(is_so=True)
    primary.only_reads(is_so=False)

    assert port_of(connect(standby.port, primary.port)) == primary.port
    assert port_of(connect(primary.port, standby.port)) == primary.port


def test_a_server_that_is_down_is_passed_over(connect, sites):
    primary = sites[1]
    primary.only_reads(is_so=False)

    assert port_of(connect(free_port(), primary.port)) == primary.port


def test_when_another_becomes_the_primary_it_is_found(connect, sites):
    first, second = sites
    first.only_reads(is_so=False)
    second.only_reads(is_so=True)
    transactions = connect(first.port, second.port)
    assert port_of(transactions) == first.port

    first.only_reads(is_so=True)
    with pytest.raises(Unavailable):
        port_of(transactions)
    second.only_reads(is_so=False)

    wait_for(transactions, second.port)


def test_a_url_with_one_host_is_as_it_was(settings):
    url = "postgresql://user:pa%40ss@pg1:5432/registry?sslmode=verify-full"
    values = {name: getattr(settings, name) for name in settings.model_fields_set}

    kept = Settings.model_validate({**values, "database_url": SecretStr(url)}).database_url

    assert kept.get_secret_value() == url


def test_several_hosts_keep_login_database_and_the_rest(settings):
    url = "postgresql://user:pa%40ss@pg1,pg2:5433/registry?sslmode=verify-full"
    values = {name: getattr(settings, name) for name in settings.model_fields_set}

    moved = Settings.model_validate({**values, "database_url": SecretStr(url)}).database_url

    engine = make_engine(
        settings.model_copy(update={"database_url": moved}),
    )
    _, parameters = engine.dialect.create_connect_args(engine.url)
    engine.dispose()
    assert parameters["host"] == "pg1,pg2"
    assert parameters["port"].split(",")[1] == "5433"
    assert (parameters["user"], parameters["password"]) == ("user", "pa@ss")
    assert parameters["sslmode"] == "verify-full"
