"""After a restore of an older database beside the bucket, sealing goes on by an operator's word."""

import dataclasses
import json
import subprocess
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url

from registry.audit.period import EVER
from registry.audit.trail.seal import parse_seal
from registry.audit.verification import Verification
from registry.cli import registry
from registry.domain.errors import Unavailable
from registry.sandbox.servers.binaries import Binaries
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.settings.fault import PREFIX
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring import trail_keys
from registry.wiring.audit import assemble_resumption
from registry.wiring.database import make_engine
from tests.alone import Alone

pytestmark = [pytest.mark.long, pytest.mark.process]

REASON = "Disk lost on 3 May; the backup of 02:00 is back (rétabli), CHG-117"


@pytest.fixture(scope="module")
def other_cluster(tmp_path_factory):
    """A server that counts transactions anew."""
    cluster = Cluster(tmp_path_factory.mktemp("other"))
    yield cluster.start()
    cluster.stop()


class Backups:
    """Backs up the database of a trail, and restores it as a database of its own."""

    def __init__(self, alone, cluster, directory):
        self.alone, self.cluster, self.directory = alone, cluster, directory
        self.engines = []

    def dump(self):
        path = self.directory / f"{uuid4().hex}.dump"
        self._run("pg_dump", "-Fc", "-f", path, self._url(self.alone, self.cluster))
        return path

    def restore(self, path, cluster=None):
        """What is in the backup, on the same server or on another."""
        cluster = cluster or self.cluster
        name = f"restored_{uuid4().hex[:12]}"
        cluster.create_database(name)
        self._run("pg_restore", "-d", cluster.url(SUPERUSER, name), path)
        urls = {
            f"database_{setting}": SecretStr(cluster.url(user, name))
            for setting, user in {
                "url": "application",
                "owner_url": "owner",
                "worker_url": "worker",
            }.items()
        }
        settings = self.alone.settings.model_copy(update=urls)
        owner = create_engine(settings.database_owner_url.get_secret_value())
        application = Transactions(make_engine(settings))
        worker = Transactions(make_engine(settings, "worker"), find_worker_fault)
        self.engines += [owner, application.engine, worker.engine]
        return Alone(settings, owner, application, worker)

    def close(self):
        for engine in self.engines:
            engine.dispose()

    def _url(self, alone, cluster):
        name = make_url(alone.settings.database_owner_url.get_secret_value()).database
        return cluster.url(SUPERUSER, name)

    def _run(self, program, *arguments):
        command = [Binaries.find().directory / program, *arguments]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def backups(alone, cluster, tmp_path):
    backups = Backups(alone, cluster, tmp_path)
    yield backups
    backups.close()


@pytest.fixture
def trail(written, sealer):
    """Two seals of two entries each."""
    for _ in range(2):
        written.write(2)
        assert sealer.seal() == 2
    return written


@pytest.fixture
def resume(store):
    """Type `registry audit resume --json` for a database."""

    def typed(alone, *options, reason=REASON):
        ours = alone.settings.model_copy(update={"audit_bucket": store.bucket})
        names = ("environment", "database_owner_url", "audit_bucket", "audit_key_path")
        s3 = ("s3_endpoint", "s3_access_key", "s3_secret_key")
        env = {
            PREFIX + name.upper(): value.get_secret_value()
            if isinstance(value := getattr(ours, name), SecretStr)
            else str(value)
            for name in (*names, *s3)
        }
        command = ["audit", "resume", "--json", "--reason", reason, *options]
        done = CliRunner().invoke(registry, command, env=env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return typed


@pytest.fixture
def find(store, settings):
    """All that verify finds in a database, as kinds, seals and entries."""

    def look(alone):
        keyring = trail_keys.load_keyring(settings)
        verification = Verification(keyring, EVER, datetime.now(UTC), lambda *_: None)
        return [
            (found.kind.value, found.seal, found.entries)
            for found in verification.find_faults(alone.worker, store)
        ]

    return look


def go_on(trail, sealer, alone):
    """The same trail and sealer on another database."""
    return (
        dataclasses.replace(trail, alone=alone),
        dataclasses.replace(sealer, transactions=alone.worker),
    )


@pytest.fixture(params=["a new server", "the same server"])
def restored(request, trail, sealer, backups):
    """A backup with one entry that was sealed later, and three seals that came after it.

    On a server that counts transactions anew, or on the same one.
    """
    trail.write(1)
    path = backups.dump()
    trail.write(1)
    assert sealer.seal() == 2
    for count in (3, 1):
        trail.write(count)
        assert sealer.seal() == count
    other = request.getfixturevalue("other_cluster") if "new" in request.param else None
    return backups.restore(path, other)


def test_after_a_restore_sealing_goes_on_when_an_operator_says_so(
    restored, trail, sealer, resume, find
):
    trail, sealer = go_on(trail, sealer, restored)
    trail.write(2)
    with pytest.raises(Unavailable, match="registry audit resume"):
        sealer.seal()

    done = resume(restored, "--as", "An Operator")

    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "seal": 6,
        "databaseSeal": 2,
        "bucketSeal": 5,
        "missing": 5,
        "operator": "An Operator",
        "reason": REASON,
    }
    trail.write(3)
    assert sealer.seal() == 6  # two before the resumption, its own, three after it
    assert sealer.seal() == 0
    assert [seal.number for seal in map(parse_seal, (row.seal for row in trail.seals()))] == [
        *range(1, 8)
    ]
    assert find(restored) == [("known break", 6, ())]


def test_what_was_changed_before_or_after_a_break_is_found(restored, trail, sealer, resume, find):
    trail, sealer = go_on(trail, sealer, restored)
    resume(restored)
    trail.write(3)
    sealer.seal()
    numbers = {
        number: parse_seal(row.seal).numbers for number, row in enumerate(trail.seals(), start=1)
    }
    kept = next(record.number for record in trail.entries() if record.number in numbers[3])
    for number in (numbers[1][0], kept, numbers[7][1]):
        trail.change("DELETE FROM audit_entries WHERE entry_number = :number", number=number)
    trail.change("UPDATE audit_entries SET entry = '{}' WHERE entry_number = :n", n=numbers[2][0])

    assert find(restored) == [
        ("deletion", 1, (numbers[1][0],)),
        ("edit", 2, (numbers[2][0],)),
        ("deletion", 3, (kept,)),
        ("known break", 6, ()),
        ("deletion", 7, (numbers[7][1],)),
    ]


def test_a_break_that_somebody_alters_excuses_nothing(restored, trail, sealer, resume, find):
    trail, sealer = go_on(trail, sealer, restored)
    resume(restored)
    trail.change(
        "UPDATE audit_seals SET seal = replace(seal, 'lost', 'sold') WHERE seal_number = 6"
    )

    assert {finding[:2] for finding in find(restored)} == {
        ("deletion", 3),
        ("truncation", 4),
        ("known break", 6),
        ("copy differs", 6),
    }


def test_a_second_restore_is_a_second_break(trail, sealer, backups, other_cluster, resume, find):
    first = backups.dump()
    trail.write(2)
    sealer.seal()
    trail, sealer = go_on(trail, sealer, backups.restore(first, other_cluster))
    resume(trail.alone)
    trail.write(2)
    sealer.seal()

    trail, sealer = go_on(trail, sealer, backups.restore(first, other_cluster))
    done = resume(trail.alone)
    trail.write(4)
    sealer.seal()

    assert json.loads(done.stdout)["missing"] == 2 + 1 + 2
    assert [found[0] for found in find(trail.alone)] == ["known break"] * 2


def count_on(cluster, transactions):
    """Have a server be ahead of a new one."""
    with psycopg.connect(cluster.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for _ in range(transactions):
            connection.execute("SELECT pg_current_xact_id()")


def test_a_restore_that_lost_nothing_may_need_another_count(
    trail, sealer, backups, other_cluster, resume, find
):
    count_on(backups.cluster, 10_000)
    trail.write(2)
    sealer.seal()
    trail, sealer = go_on(trail, sealer, backups.restore(backups.dump(), other_cluster))
    trail.write(1)
    with pytest.raises(Unavailable, match="counts transactions from"):
        sealer.seal()

    done = resume(trail.alone)
    trail.write(1)

    assert json.loads(done.stdout)["missing"] == 0
    assert sealer.seal() == 3
    assert find(trail.alone) == [("known break", 4, ())]


def test_a_database_that_is_not_older_has_nothing_to_resume(trail, sealer, resume):
    trail.write()
    seals = trail.seals()

    done = resume(trail.alone)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: There is nothing to resume: sealing goes on by itself.\n"
    assert trail.seals() == seals
    assert sealer.seal() == 1


def test_a_seal_on_its_way_is_no_reason_to_resume(trail, sealer, resume):
    trail.write()
    sealer.prepare()
    seals = trail.seals()

    done = resume(trail.alone)

    assert done.exit_code == 1
    assert trail.seals() == seals


def test_a_bucket_that_does_not_have_what_was_stored_is_another_one(trail, resume, objects, store):
    bucket = f"seals-{uuid4().hex[:12]}"
    objects.create_bucket(bucket, has_object_lock=True)
    ours = trail.alone.settings.model_copy()
    other = dataclasses.replace(trail.alone, settings=ours)
    object.__setattr__(store, "bucket", bucket)

    done = resume(other)

    assert done.exit_code == 1
    assert "The bucket does not have seal 2, which the database calls stored" in done.stderr


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_resumption_has_a_reason(trail, resume, reason):
    assert resume(trail.alone, reason=reason).exit_code == 2


def test_a_break_names_its_operator_and_no_number_of_a_citizen(restored, resume):
    done = resume(restored, reason="Asked for by 85.03.12-123.62")

    assert "85.03.12-123.62" not in done.stdout
    assert json.loads(done.stdout)["operator"]


def test_a_resumption_that_the_bucket_does_not_answer_is_finished_by_a_worker(
    restored, trail, sealer, store, find
):
    """The database has the break already, and the next round of any sealer stores it."""

    class Silent:
        read, fetch_all, list_objects = store.read, store.fetch_all, store.list_objects

        def put(self, *_):
            raise Unavailable("The seal bucket does not answer.")

    ours = restored.settings.model_copy(update={"audit_bucket": store.bucket})
    resumption = dataclasses.replace(assemble_resumption(ours, "An"), store=Silent())
    with pytest.raises(Unavailable):
        resumption.resume("x", "An")
    resumption.engine.dispose()
    trail, sealer = go_on(trail, sealer, restored)

    assert sealer.seal() > 0

    assert find(restored) == [("known break", 6, ())]
