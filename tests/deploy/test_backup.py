"""A base backup is whole and starts, the newest are kept, and a bad one leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from registry.sandbox.servers.binaries import Binaries, lend
from registry.sandbox.servers.postgres import SUPERUSER, Account, Cluster
from registry.sandbox.servers.processes import LOOPBACK, Process, free_port
from tests.deploy.units import DEPLOY

SCRIPT = DEPLOY / "database" / "backup.sh"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("backed-up")) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "backups"
    path.mkdir()
    return path


def back_up(folder, port, **variables):
    environ = {
        "PATH": os.environ["PATH"],
        "PG_BINDIR": str(Binaries.find().directory),
        "PGHOST": LOOPBACK,
        "PGPORT": str(port),
        "PGUSER": SUPERUSER,
        **variables,
    }
    command = ["sh", SCRIPT, folder]
    return subprocess.run(command, env=environ, check=False, capture_output=True, text=True)


@contextmanager
def start_copy(backup):
    """A server on a copy of the backup, as whoever may run one; gives a URL."""
    account, port = Account.choose(), free_port()
    with tempfile.TemporaryDirectory() as area:
        data = Path(area) / "data"
        shutil.copytree(backup, data)
        for path in [Path(area), data, *data.rglob("*")]:
            if account.other:
                os.chown(path, account.uid, account.gid)
        server = Process("PostgreSQL", Path(area) / "log", polite=signal.SIGINT)
        program = lend(Binaries.find()).directory / "postgres"
        server.start(account.command(program, "-D", data, "-p", str(port), "-k", ""), cwd=area)
        try:
            server.wait_until(lambda: accepts(port), timeout=60)
            yield f"postgresql://{SUPERUSER}@{LOOPBACK}:{port}/registry"
        finally:
            server.stop()


def accepts(port):
    try:
        psycopg.connect(f"postgresql://{SUPERUSER}@{LOOPBACK}:{port}/registry").close()
    except psycopg.OperationalError:
        return False
    return True


def list_backups(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_starts_with_what_the_database_had(cluster, folder):
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS letters AS SELECT 'a letter' AS text")

    assert back_up(folder, cluster.port).returncode == 0

    with start_copy(folder / "latest") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT text FROM letters").fetchall() == [("a letter",)]


def test_the_newest_are_kept(cluster, folder):
    for day in (1, 2, 3):
        (folder / f"base-2020010{day}T000000Z").mkdir()

    done = back_up(folder, cluster.port, BACKUP_KEEP="2")

    first, second, latest = list_backups(folder)
    assert first == "base-20200103T000000Z"
    assert latest == "latest"
    assert (folder / "latest").resolve().name == second
    assert "removed base-20200101T000000Z" in done.stdout


def test_a_backup_that_fails_leaves_what_was_there(cluster, folder):
    good = folder / "base-20200101T000000Z"
    good.mkdir()
    (folder / "latest").symlink_to(good.name)

    refused = back_up(folder, 1, BACKUP_KEEP="1")

    assert refused.returncode != 0
    assert "port 1 failed" in refused.stderr
    assert list_backups(folder) == [good.name, "latest"]


def test_a_backup_whose_bytes_changed_is_not_kept(cluster, folder, tmp_path):
    """pg_basebackup is real; what reads its copy once more is given a changed file."""
    bindir = tmp_path / "bin"
    bindir.mkdir()
    real = Binaries.find().directory
    for name in ("pg_basebackup", "pg_verifybackup"):
        changes = 'printf x >> "$2/PG_VERSION"\n' if name == "pg_basebackup" else ""
        (bindir / name).write_text(f'#!/bin/sh\nset -e\n{real}/{name} "$@"\n{changes}')
        (bindir / name).chmod(0o755)

    refused = back_up(folder, cluster.port, PG_BINDIR=str(bindir))

    assert refused.returncode != 0
    assert "PG_VERSION" in refused.stderr
    assert list_backups(folder) == []


@pytest.mark.parametrize("keep", ["0", "-1", "seven"])
def test_a_number_of_backups_that_is_none_is_named(cluster, folder, keep):
    refused = back_up(folder, cluster.port, BACKUP_KEEP=keep)

    assert refused.returncode == 2
    assert f"BACKUP_KEEP: {keep}" in refused.stderr


def test_a_folder_that_is_not_there_is_named(tmp_path):
    refused = back_up(tmp_path / "absent", 1)

    assert refused.returncode == 2
    assert "absent: there is no such folder" in refused.stderr


def test_prometheus_is_told_when_a_backup_was_good(cluster, folder, tmp_path):
    figures = tmp_path / "figures"
    figures.mkdir()

    done = back_up(folder, cluster.port, BACKUP_METRICS=str(figures))

    assert done.returncode == 0, done.stderr
    (file,) = figures.iterdir()
    name, value = file.read_text().split()
    assert name == "registry_backup_timestamp_seconds"
    assert 0 <= time.time() - int(value) < 60
