"""Whatever somebody with all rights in the database does to what is sealed, `verify` finds it."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from registry.audit.store.seal_bucket import S3Seals
from registry.audit.trail import keys
from registry.audit.trail import seal as seals
from registry.audit.verification import EVER, Verification
from registry.cli import registry
from registry.domain.belgian_time import BELGIUM
from registry.sandbox.servers.postgres import SUPERUSER
from registry.settings.variables import PREFIX
from registry.wiring import audit

pytestmark = pytest.mark.long


@pytest.fixture
def store(client, objects):
    """A bucket of the test's own: the command line looks for seals where they always are."""
    bucket = f"seals-{uuid4().hex[:12]}"
    objects.create_bucket(bucket, has_object_lock=True)
    return S3Seals(client, bucket)


@pytest.fixture
def private_key(settings):
    return audit.load_private_key(settings)


@pytest.fixture
def trail(written, sealer):
    """Three seals of three entries each, the second of two transactions."""
    for counts in ((3,), (1, 2), (3,)):
        for count in counts:
            written.write(count)
        assert sealer.seal() == 3
    return written


@pytest.fixture
def superuser(written, cluster, alone):
    """Do something in the database as a superuser, whom nothing stops there."""
    name = make_url(alone.settings.database_owner_url.get_secret_value()).database
    engine = create_engine(cluster.url(SUPERUSER, name))

    def do(statement, **values):
        with engine.begin() as connection:
            connection.execute(text(statement), values)

    yield do
    engine.dispose()


@pytest.fixture
def verify(alone, store):
    """Type `registry audit verify --json`; gives exit code, and what was found."""
    ours = alone.settings.model_copy(update={"audit_bucket": store.bucket})
    values = {name: getattr(ours, name) for name in ours.model_fields_set}
    env = {
        PREFIX + name.upper(): value.get_secret_value()
        if isinstance(value, SecretStr)
        else str(value)
        for name, value in values.items()
    }

    def typed(*options, **changes):
        command = ["audit", "verify", "--json", *options]
        done = CliRunner().invoke(registry, command, env=env | changes)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        told = json.loads(done.stdout)
        found = [
            (each["kind"], each.get("seal"), tuple(each["entries"])) for each in told["findings"]
        ]
        return SimpleNamespace(code=done.exit_code, found=found, told=told)

    return typed


def numbers(trail, seal):
    """The numbers of the entries of a seal."""
    return seals.parse_seal(trail.seals()[seal - 1].seal).numbers


def test_a_trail_that_nobody_touched_holds(trail, verify):
    trail.write(2)

    done = verify()

    assert (done.code, done.found) == (0, [])
    assert (done.told["isIntact"], done.told["seals"], done.told["sealed"]) == (True, 3, 9)
    assert (done.told["compared"], done.told["unsealed"]) == (9, 2)
    assert datetime.fromisoformat(done.told["unsealedSince"]) <= datetime.now(UTC)


def test_a_trail_without_anything_holds(written, verify):
    assert (verify().code, verify().found) == (0, [])


# The six kinds


def test_an_entry_that_was_edited_is_found(trail, superuser, verify):
    number = numbers(trail, 2)[1]
    superuser(
        "UPDATE audit_entries SET entry = replace(entry, '\"GET\"', '\"PUT\"')"
        " WHERE entry_number = :number",
        number=number,
    )

    done = verify()

    assert (done.code, done.found) == (1, [("edit", 2, (number,))])
    assert not done.told["isIntact"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET ebox = 'key:00' WHERE entry_number = :number",
        "UPDATE audit_entries SET ebox = NULL WHERE entry_number = :number",
        "UPDATE audit_entries SET person = 'key:00' WHERE entry_number = :number",
    ],
)
def test_an_entry_that_was_given_to_another_is_found(trail, superuser, verify, statement):
    number = numbers(trail, 3)[0]
    superuser(statement, number=number)

    assert verify().found == [("edit", 3, (number,))]


def test_an_entry_that_was_deleted_is_found(trail, superuser, verify):
    number = numbers(trail, 1)[1]
    superuser("DELETE FROM audit_entries WHERE entry_number = :number", number=number)

    done = verify()

    assert (done.code, done.found) == (1, [("deletion", 1, (number,))])


def test_all_entries_of_a_seal_in_the_middle_are_missed(trail, superuser, verify):
    superuser(
        "DELETE FROM audit_entries WHERE entry_number = ANY(:gone)", gone=list(numbers(trail, 2))
    )

    done = verify()

    assert (done.code, done.found) == (1, [("deletion", 2, ())])


def test_an_entry_that_was_put_where_all_is_sealed_is_found(trail, superuser, verify):
    superuser(
        "INSERT INTO audit_entries (xid, entry_number, entry)"
        " SELECT xid, 1000000, entry FROM audit_entries WHERE entry_number = :number",
        number=numbers(trail, 2)[0],
    )

    done = verify()

    assert (done.code, done.found) == (1, [("insertion", 2, (1000000,))])


def test_an_entry_from_before_the_first_is_found(trail, superuser, verify):
    superuser("INSERT INTO audit_entries (xid, entry_number, entry) VALUES ('1', 1000000, '{}')")

    assert verify().found == [("insertion", 1, (1000000,))]


NUMBERS = """
UPDATE audit_entries SET entry_number = :one + :other - entry_number
WHERE entry_number IN (:one, :other)
"""
TEXTS = """
UPDATE audit_entries AS e SET entry = o.entry FROM audit_entries AS o
WHERE e.entry_number IN (:one, :other) AND o.entry_number = :one + :other - e.entry_number
"""


@pytest.mark.parametrize("exchange", [NUMBERS, TEXTS], ids=["numbers", "texts"])
def test_entries_that_changed_places_are_found(trail, superuser, verify, exchange):
    one, _, other = numbers(trail, 3)
    superuser(exchange, one=one, other=other)

    done = verify()

    assert (done.code, done.found) == (1, [("reorder", 3, (one, other))])


def test_an_entry_in_another_transaction_is_missed_in_its_own(trail, superuser, verify):
    number, place = numbers(trail, 1)[0], numbers(trail, 3)[0]
    superuser(
        "UPDATE audit_entries SET xid = (SELECT xid FROM audit_entries WHERE entry_number = :place)"
        " WHERE entry_number = :number",
        number=number,
        place=place,
    )

    done = verify()

    assert done.code == 1
    assert done.found == [("deletion", 1, (number,)), ("insertion", 3, (number,))]


def test_entries_that_were_cut_off_are_missed(trail, superuser, verify):
    superuser("DELETE FROM audit_entries WHERE entry_number >= :first", first=numbers(trail, 2)[0])

    done = verify()

    assert (done.code, done.found) == (1, [("truncation", 2, ())])


def test_entries_that_were_cut_off_with_their_seals_are_missed(trail, superuser, verify):
    superuser("DELETE FROM audit_entries WHERE entry_number >= :first", first=numbers(trail, 3)[0])
    superuser("DELETE FROM audit_seals WHERE seal_number = 3")

    done = verify()

    assert (done.code, done.found) == (1, [("rollback", 3, ())])


def test_a_table_that_was_put_back_to_what_it_was_is_found(trail, sealer, superuser, verify):
    superuser("CREATE TABLE old_entries AS TABLE audit_entries")
    superuser("CREATE TABLE old_seals AS TABLE audit_seals")
    for _ in range(2):
        trail.write(2)
        sealer.seal()

    superuser("TRUNCATE audit_entries, audit_seals")
    superuser("INSERT INTO audit_entries SELECT * FROM old_entries")
    superuser("INSERT INTO audit_seals SELECT * FROM old_seals")
    superuser("DROP TABLE old_entries, old_seals")
    done = verify()

    assert (done.code, done.found) == (1, [("rollback", 4, ())])


# Seals


def test_who_seals_anew_with_a_key_of_his_own_is_found(trail, superuser, verify):
    number, key = numbers(trail, 3)[2], Ed25519PrivateKey.generate()
    superuser("UPDATE audit_entries SET entry = '{}' WHERE entry_number = :number", number=number)
    _, second, third = trail.seals()
    forged = seals.make_next_seal(
        second.seal,
        trail.entries(second.until_xid, third.until_xid),
        third.until_xid,
        sealed_at=third.sealed_at,
        key_id=keys.compute_key_id(key.public_key()),
    )
    superuser(
        "UPDATE audit_seals SET seal = :seal, signature = :signature WHERE seal_number = 3",
        seal=seals.write_seal(forged),
        signature=seals.sign_seal(key, seals.write_seal(forged)),
    )

    done = verify()

    assert done.code == 1
    assert set(done.found) == {("copy differs", 3, ()), ("edit", 3, (number,))}


def test_who_adds_a_seal_with_a_key_of_his_own_is_found(trail, superuser, verify):
    key = Ed25519PrivateKey.generate()
    last = trail.seals()[-1]
    forged = seals.write_seal(
        seals.make_next_seal(
            last.seal,
            [],
            last.until_xid,
            sealed_at=last.sealed_at,
            key_id=keys.compute_key_id(key.public_key()),
        )
    )
    superuser(
        "INSERT INTO audit_seals SELECT 4, :seal, :signature, until_xid, sealed_at, kept_until,"
        " NULL FROM audit_seals WHERE seal_number = 3",
        seal=forged,
        signature=seals.sign_seal(key, forged),
    )

    assert verify().found == [("unknown key", 4, ())]


def test_who_signs_with_our_key_id_is_found(trail, superuser, verify, store):
    third = trail.seals()[-1]
    signature = seals.sign_seal(Ed25519PrivateKey.generate(), third.seal)
    superuser("UPDATE audit_seals SET signature = :forged WHERE seal_number = 3", forged=signature)

    assert verify().found == [("copy differs", 3, ())]


def test_a_seal_that_is_deleted_is_missed(trail, superuser, verify):
    superuser("DELETE FROM audit_seals WHERE seal_number = 2")

    done = verify()

    assert (done.code, done.found) == (1, [("missing seal", 2, ())])


def test_another_version_over_a_seal_in_the_bucket_is_found(trail, verify, store, client):
    client.put_object(Bucket=store.bucket, Key="seals/000000000002.json", Body=b"{}")

    done = verify()

    assert (done.code, done.found) == (1, [("copy differs", 2, ())])


def test_a_mark_that_hides_a_seal_in_the_bucket_is_found(trail, verify, store, client):
    client.delete_object(Bucket=store.bucket, Key="seals/000000000003.json")

    assert verify().found == [("copy differs", 3, ())]


def test_what_is_no_seal_in_the_bucket_is_found(trail, verify, store, client):
    client.put_object(Bucket=store.bucket, Key="seals/readme", Body=b"{}")

    assert verify().found == [("copy differs", None, ())]


@pytest.mark.parametrize("content", [b"\xff", b'{"seal":"x","signature":""}'])
def test_what_somebody_put_where_the_next_seal_goes_is_found(trail, verify, store, content):
    store.put(4, content, datetime.now(UTC) + timedelta(seconds=5))

    done = verify()

    assert done.code == 1
    assert ("broken seal", 4, ()) in done.found


def test_a_seal_that_never_came_to_the_bucket_is_missed(trail, superuser, verify, sealer):
    trail.write()
    sealer.prepare()
    superuser("UPDATE audit_seals SET stored_at = now()")

    assert verify().found == [("not locked", 4, ())]


# What is as it should be


def test_a_seal_on_its_way_to_the_bucket_is_no_fault(trail, verify, sealer):
    trail.write(2)
    sealer.prepare()

    done = verify()

    assert (done.code, done.found) == (0, [])
    assert (done.told["sealed"], done.told["unsealed"]) == (9, 2)


def test_an_edit_under_a_seal_on_its_way_is_found(trail, verify, sealer, superuser):
    trail.write(2)
    sealer.prepare()
    number = numbers(trail, 4)[0]
    superuser("UPDATE audit_entries SET entry = '{}' WHERE entry_number = :number", number=number)

    assert verify().found == [("edit", 4, (number,))]


def test_a_key_that_signed_before_is_known_by_the_settings(trail, verify, sealer, tmp_path):
    key, former = Ed25519PrivateKey.generate(), tmp_path / "former.pem"
    former.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    trail.write()
    dataclasses.replace(sealer, private_key=key).seal()

    assert verify().found == [("unknown key", 4, ())]
    assert verify(REGISTRY_AUDIT_PUBLIC_KEYS=str(former)).found == []


@pytest.fixture
def later(alone, store, settings):
    """All that is found so many years from now."""

    def look(years):
        then = datetime.now(UTC) + timedelta(days=366 * years)
        verification = Verification(audit.load_keyring(settings), EVER, then, lambda *_: None)
        return [
            (found.kind.value, found.seal, found.entries)
            for found in verification.find_faults(alone.worker, store)
        ]

    return look


def test_what_need_not_be_kept_any_more_is_not_missed(trail, superuser, later):
    first, rest = numbers(trail, 1), numbers(trail, 2)
    superuser("DELETE FROM audit_entries WHERE entry_number <= :last", last=rest[0])

    early, late = later(9), later(12)

    assert early == [("deletion", 1, ()), ("deletion", 2, (rest[0],))]
    assert len(first) == 3
    assert late == []


def test_what_is_kept_longer_than_it_must_be_is_as_it_was(trail, superuser, later):
    number = numbers(trail, 1)[0]
    superuser("UPDATE audit_entries SET entry = '{}' WHERE entry_number = :number", number=number)

    assert later(12) == [("edit", 1, (number,))]


def test_what_is_sealed_meanwhile_is_no_fault(trail, sealer, alone, store, settings):
    class Busy:
        """The bucket, when a seal comes there just before it is looked at."""

        get, find_tampered_keys = store.get, store.find_tampered_keys

        def list_numbers(self):
            trail.write()
            sealer.seal()
            return store.list_numbers()

    keyring, now = audit.load_keyring(settings), datetime.now(UTC)
    verification = Verification(keyring, EVER, now, lambda *_: None)
    found = list(verification.find_faults(alone.worker, Busy()))

    assert found == []
    assert (verification.figures.seals, len(trail.stored())) == (3, 4)


def test_entries_that_no_seal_covers_are_found(trail, superuser, alone, store, settings):
    class Robbed:
        """The bucket, if somebody could take a seal out of it."""

        get, find_tampered_keys = store.get, store.find_tampered_keys

        def list_numbers(self):
            return (number for number in store.list_numbers() if number != 2)

    uncovered = numbers(trail, 2)
    superuser("DELETE FROM audit_seals WHERE seal_number = 2")

    keyring, now = audit.load_keyring(settings), datetime.now(UTC)
    verification = Verification(keyring, EVER, now, lambda *_: None)
    found = list(verification.find_faults(alone.worker, Robbed()))

    assert [(each.kind.value, each.seal, each.entries) for each in found] == [
        ("missing seal", 2, ()),
        ("insertion", None, uncovered),
    ]


# A period


@pytest.fixture
def days(written, sealer, clock):
    """A seal a day of two entries each, for five days from now."""
    for _ in range(5):
        written.write(2)
        sealer.seal()
        clock.go_on(days=1)
    today = datetime.now(BELGIUM).date()
    return [str(today + timedelta(days=day)) for day in range(7)]


def test_only_seals_of_the_period_are_compared(days, trail_of, verify, superuser):
    one, other = trail_of(1)[0], trail_of(5)[0]
    for number in (one, other):
        superuser(
            "UPDATE audit_entries SET entry = '{}' WHERE entry_number = :number", number=number
        )

    early, late = verify("--to", days[1]), verify("--from", days[3])

    assert early.found == [("edit", 1, (one,))]
    assert late.found == [("edit", 5, (other,))]
    assert early.told["compared"] < verify().told["compared"] == 10


def test_the_chain_is_followed_whole_for_a_period_too(days, verify, superuser):
    superuser("DELETE FROM audit_seals WHERE seal_number = 2")

    assert verify("--from", days[4]).found == [("missing seal", 2, ())]


def test_entries_of_other_days_are_not_missed(days, verify, superuser, trail_of):
    superuser("DELETE FROM audit_entries WHERE entry_number <= :last", last=trail_of(3)[1])

    assert verify("--from", days[6]).found == []
    assert verify("--to", days[1]).found == [("truncation", 1, ())]
    assert verify().found == [("deletion", seal, ()) for seal in (1, 2, 3)]


@pytest.fixture
def trail_of(written):
    """The numbers of the entries of a seal."""
    return lambda seal: numbers(written, seal)
