"""A cluster comes back from its base backup and its archive, up to where it is asked to."""

import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from registry.sandbox.drill.archived_cluster import ArchivedCluster, ArchiveFailed
from registry.sandbox.servers.binaries import Binaries
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import StartFailed

pytestmark = pytest.mark.process


@pytest.fixture
def cluster():
    """In a folder with a name that no shell may take apart."""
    with tempfile.TemporaryDirectory(prefix="it's 100% %f ") as name:
        Path(name).chmod(0o755)
        place = Path(name) / "postgres"
        with ArchivedCluster(place, archive_every=3600, durable=False) as cluster:
            with connect(cluster) as connection:
                connection.execute("CREATE TABLE kept (word text)")
            yield cluster


def connect(cluster):
    return psycopg.connect(cluster.url(SUPERUSER), autocommit=True)


def write(cluster, word):
    with connect(cluster) as connection:
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def archive(cluster):
    """Have the present segment archived; there must be something in it."""
    before = cluster.read_archive_state().segment
    switch(cluster)
    deadline = time.monotonic() + 60
    while cluster.read_archive_state().segment == before:
        assert time.monotonic() < deadline, "nothing is archived"
        time.sleep(0.05)


def switch(cluster):
    with connect(cluster) as connection:
        connection.execute("SELECT pg_switch_wal()")


def words(cluster):
    with connect(cluster) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM kept ORDER BY word")]


def test_all_that_is_archived_comes_back_and_no_more(cluster):
    write(cluster, "a: in the backup")
    cluster.back_up()
    write(cluster, "b: archived")
    archive(cluster)
    write(cluster, "c: not archived")
    data = cluster.directory / "data"
    before, pid = cluster.read_archive_state(), cluster.pid

    cluster.lose()
    assert not data.exists()
    assert not Path(f"/proc/{pid}").exists()
    cluster.restore(before.segment)

    assert words(cluster) == ["a: in the backup", "b: archived"]
    assert cluster.read_recovery_point() <= before.archived_at
    write(cluster, "d: written since")
    archive(cluster)
    assert cluster.read_archive_state().segment.startswith("00000002")  # another timeline


def test_it_comes_back_to_a_point_in_time(cluster):
    cluster.back_up()
    write(cluster, "a: before")
    moment = datetime.now(UTC)
    write(cluster, "b: a mistake")
    archive(cluster)
    segment = cluster.read_archive_state().segment

    cluster.lose()
    cluster.restore(segment, moment)

    assert words(cluster) == ["a: before"]
    assert cluster.read_recovery_point() <= moment


def test_a_point_that_the_archive_does_not_reach_is_refused(cluster):
    cluster.back_up()
    write(cluster, "a: before")
    archive(cluster)
    segment = cluster.read_archive_state().segment

    cluster.lose()
    with pytest.raises(StartFailed, match="before configured recovery target was reached"):
        cluster.restore(segment, datetime(2999, 1, 1, tzinfo=UTC))

    assert not cluster.running


def test_without_backup_or_archive_there_is_no_restore(cluster):
    with pytest.raises(ArchiveFailed, match=r"no base backup in .*backup\.$"):
        cluster.restore("000000010000000000000001")

    cluster.back_up()
    segment = cluster.read_archive_state().segment
    cluster.lose()
    (cluster.archive / segment).unlink()

    with pytest.raises(ArchiveFailed, match=f"lacks WAL segment {segment}"):
        cluster.restore(segment)
    assert not cluster.running


def test_a_gap_in_the_archive_is_named(cluster):
    cluster.back_up()
    gap = None
    for word in ("a", "b"):
        write(cluster, word)
        archive(cluster)
        gap = gap or cluster.read_archive_state().segment
    segment = cluster.read_archive_state().segment
    (cluster.archive / gap).unlink()

    cluster.lose()
    with pytest.raises(ArchiveFailed, match=f"ended before WAL segment {segment}"):
        cluster.restore(segment)


def test_an_archive_that_takes_nothing_is_named(cluster):
    shutil.rmtree(cluster.archive)
    cluster.archive.touch()  # a file, where a folder should be

    with pytest.raises(ArchiveFailed, match=r"(?s)No backup was archived in .*archive for 2 sec"):
        cluster.await_archive(timeout=2)


def test_a_segment_never_takes_the_place_of_another(cluster):
    with connect(cluster) as connection:
        (segment,) = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
    (cluster.archive / segment).write_bytes(b"of another cluster")

    switch(cluster)
    deadline = time.monotonic() + 60
    with connect(cluster) as connection:
        statement = "SELECT failed_count FROM pg_stat_archiver"
        while not connection.execute(statement).fetchone()[0] and time.monotonic() < deadline:
            time.sleep(0.05)

    assert (cluster.archive / segment).read_bytes() == b"of another cluster"
    assert cluster.read_archive_state().segment != segment


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_a_folder_that_the_server_cannot_reach_is_refused(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(StartFailed, match=r"user cannot reach .*closed; choose another"):
        ArchivedCluster(closed, archive_every=60).start()


def test_a_server_without_the_programs_for_a_backup_is_refused(tmp_path):
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "postgres").write_text("#!/bin/sh\n")
    (bare / "postgres").chmod(0o755)
    tmp_path.chmod(0o755)

    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        cluster = ArchivedCluster(Path(name), archive_every=60)
        cluster._binaries = Binaries(bare, 17)
        with pytest.raises(StartFailed, match="PostgreSQL has no pg_basebackup in "):
            cluster.start()
