"""Whatever somebody with all rights in the database does to what is sealed, `verify` finds it."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.audit.period import EVER
from registry.audit.store.packing import pack
from registry.audit.store.seal_bucket import pack_seal
from registry.audit.trail import keys, merkle
from registry.audit.trail import seal as seals
from registry.audit.trail.entry import hash_leaf
from registry.audit.verification import Verification
from registry.domain.belgian_time import BELGIUM
from registry.wiring import trail_keys

pytestmark = pytest.mark.long


@pytest.fixture
def trail(written, sealer):
    """Three seals of three entries each, the second of two transactions."""
    for counts in ((3,), (1, 2), (3,)):
        for count in counts:
            written.write(count)
        assert sealer.seal() == 3
    return written


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


_SET_PACKED = "UPDATE audit_entries SET packed = :packed WHERE entry_number = :number"


def find_row(trail, number):
    """An entry by its number, unpacked."""
    [row] = [row for row in trail.alone.rows("audit_entries") if row.entry_number == number]
    return row


def test_an_entry_that_was_edited_is_found(trail, superuser, verify):
    number = numbers(trail, 2)[1]
    row = find_row(trail, number)
    edited = pack(row.entry.replace('"GET"', '"PUT"'), row.ebox, row.person)
    superuser(_SET_PACKED, number=number, packed=edited)

    done = verify()

    assert (done.code, done.found) == (1, [("edit", 2, (number,))])
    assert not done.told["isIntact"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET ebox = 'key:00' WHERE entry_number = :number",
        "UPDATE audit_entries SET person = 'key:00' WHERE entry_number = :number",
    ],
)
def test_an_entry_that_was_given_to_another_is_found(trail, superuser, verify, statement):
    number = numbers(trail, 3)[0]
    superuser(statement, number=number)

    assert verify().found == [("edit", 3, (number,))]


@pytest.mark.parametrize("packed", [b"", b"\x00", b"\x01", b"\x02garbage", b"\x01\x03\x00"])
def test_an_entry_that_nobody_packed_is_found(trail, superuser, verify, packed):
    number = numbers(trail, 3)[0]
    superuser(_SET_PACKED, number=number, packed=packed)

    assert verify().found == [("edit", 3, (number,))]


def test_an_entry_that_was_taken_from_its_ebox_is_found(trail, superuser, verify):
    number = numbers(trail, 3)[0]
    nobodys = pack(find_row(trail, number).entry, None, None)
    superuser(_SET_PACKED, number=number, packed=nobodys)

    assert verify().found == [("edit", 3, (number,))]


@pytest.mark.parametrize("time", ["2010-05-03", "2200-01-01"])
def test_an_entry_that_was_dated_anew_is_found(trail, superuser, verify, time):
    number = numbers(trail, 2)[1]
    superuser(
        "UPDATE audit_entries SET recorded_at = CAST(:time AS timestamptz)"
        " WHERE entry_number = :number",
        number=number,
        time=time,
    )

    assert ("edit", 2, (number,)) in verify().found


def test_an_old_entry_that_had_no_time_under_its_leaf_is_found_by_those_before_it(
    trail, superuser, verify, sealer, private_key
):
    """Which the first format sealed: there the leaf has no time."""
    trail.write(3)
    sealer.prepare()
    row = trail.seals()[-1]
    records = trail.entries(trail.seals()[-2].until_xid, row.until_xid)
    seal = seals.parse_seal(row.seal)
    leaves = tuple(hash_leaf(record, form=1) for record in records)
    root = merkle.compute_root(leaves).hex()
    old = seals.write_seal(dataclasses.replace(seal, leaves=leaves, root=root, form=1))
    superuser(
        "UPDATE audit_seals SET seal = :seal, signature = :signature WHERE seal_number = 4",
        seal=old,
        signature=seals.sign_seal(private_key, old),
    )
    sealer.store_prepared()
    intact = verify()
    number = seal.numbers[1]
    superuser(
        "UPDATE audit_entries SET recorded_at = '2010-05-03' WHERE entry_number = :number",
        number=number,
    )

    assert intact.found == []
    assert verify().found == [("time", 4, (number,))]


def test_an_entry_that_a_worker_drops_for_its_wrong_date_is_missed(
    trail, superuser, verify, sealer
):
    number = numbers(trail, 1)[0]
    superuser(
        "UPDATE audit_entries SET recorded_at = '2010-05-03' WHERE entry_number = :number",
        number=number,
    )
    dropped = sealer.drop_expired(datetime.now(UTC))

    assert dropped == 1
    assert verify().found == [("deletion", 1, (number,))]


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
        "INSERT INTO audit_entries (xid, entry_number, packed)"
        " SELECT xid, 1000000, packed FROM audit_entries WHERE entry_number = :number",
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
UPDATE audit_entries AS e SET packed = o.packed FROM audit_entries AS o
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
    store.put(4, content, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5))

    done = verify()

    assert (done.code, done.found) == (1, [("foreign object", 4, ())])


def test_a_seal_above_what_somebody_put_where_it_goes_is_the_seal(
    trail, verify, store, client, sealer
):
    client.put_object(Bucket=store.bucket, Key="seals/000000000004.json", Body=b"forged")
    trail.write(2)

    assert sealer.seal() == 2
    done = verify()

    assert (done.code, done.found) == (1, [("copy differs", 4, ())])
    assert (done.told["seals"], done.told["sealed"]) == (4, 11)


def test_a_seal_that_somebody_could_delete_is_found(
    trail, verify, store, client, sealer, superuser
):
    trail.write()
    sealer.prepare()
    row = trail.seals()[-1]
    content = pack_seal(row.seal, row.signature)
    client.put_object(Bucket=store.bucket, Key="seals/000000000004.json", Body=content)
    superuser("UPDATE audit_seals SET stored_at = now() WHERE seal_number = 4")

    assert verify().found == [("not locked", 4, ())]


def test_a_second_object_like_a_seal_that_somebody_could_delete_is_found(
    trail, verify, store, client
):
    content = store.read(3)[0].content
    client.put_object(Bucket=store.bucket, Key="seals/000000000003.json", Body=content)

    assert verify().found == [("foreign object", 3, ())]


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


def test_a_key_that_signed_before_is_known_by_the_settings(
    trail, verify, sealer, tmp_path, private_key
):
    key, former = Ed25519PrivateKey.generate(), tmp_path / "former.pem"
    both = (key, private_key)
    former.write_bytes(
        b"".join(
            each.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            for each in both
        )
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
        verification = Verification(trail_keys.load_keyring(settings), EVER, then, lambda *_: None)
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

        read, fetch_all = store.read, store.fetch_all

        def list_objects(self, *seals):
            trail.write()
            sealer.seal()
            return store.list_objects(*seals)

    keyring, now = trail_keys.load_keyring(settings), datetime.now(UTC)
    verification = Verification(keyring, EVER, now, lambda *_: None)
    found = list(verification.find_faults(alone.worker, Busy()))

    assert found == []
    assert (verification.figures.seals, len(trail.stored())) == (3, 4)


def test_entries_that_no_seal_covers_are_found(trail, superuser, alone, store, settings):
    class Robbed:
        """The bucket, if somebody could take a seal out of it."""

        read, fetch_all = store.read, store.fetch_all

        def list_objects(self, *seals):
            return (stored for stored in store.list_objects(*seals) if stored.number != 2)

    uncovered = numbers(trail, 2)
    superuser("DELETE FROM audit_seals WHERE seal_number = 2")

    keyring, now = trail_keys.load_keyring(settings), datetime.now(UTC)
    verification = Verification(keyring, EVER, now, lambda *_: None)
    found = list(verification.find_faults(alone.worker, Robbed()))

    assert [(each.kind.value, each.seal, each.entries) for each in found] == [
        ("missing seal", 2, ()),
        ("insertion", None, uncovered),
    ]


# A checkpoint


def test_up_to_a_checkpoint_the_bucket_is_not_read_again(
    trail, verify, sealer, store, client, tmp_path
):
    path = tmp_path / "checkpoint.json"
    first = verify("--checkpoint", str(path))
    trail.write(2)
    sealer.seal()
    # As if the bucket could lose what is in it, which is locked.
    hidden = dataclasses.replace(store, prefix="other/")
    assert list(hidden.list_objects()) == []

    second = verify("--checkpoint", str(path))

    assert (first.found, second.found) == ([], [])
    assert (second.told["seals"], second.told["compared"]) == (4, 11)
    assert json.loads(path.read_text())["seal"] == 4


def test_entries_before_a_checkpoint_are_compared_all_the_same(trail, verify, superuser, tmp_path):
    path = str(tmp_path / "checkpoint.json")
    verify("--checkpoint", path)
    number = numbers(trail, 2)[0]
    superuser("UPDATE audit_entries SET entry = '{}' WHERE entry_number = :number", number=number)

    assert verify("--checkpoint", path).found == [("edit", 2, (number,))]


def test_a_copy_before_a_checkpoint_that_was_signed_anew_is_found(
    trail, verify, superuser, tmp_path, private_key
):
    """By whoever has the signing key and the database: the hash in the checkpoint is against it."""
    path = str(tmp_path / "checkpoint.json")
    verify("--checkpoint", path)
    third = trail.seals()[-1]
    forged = dataclasses.replace(
        seals.parse_seal(third.seal), sealed_at=third.sealed_at + timedelta(seconds=1)
    )
    text = seals.write_seal(forged)
    superuser(
        "UPDATE audit_seals SET seal = :seal, signature = :signature WHERE seal_number = 3",
        seal=text,
        signature=seals.sign_seal(private_key, text),
    )

    assert verify("--checkpoint", path).found == [("broken chain", 3, ())]


def test_a_seal_that_the_database_lost_before_a_checkpoint_is_missed(
    trail, verify, superuser, tmp_path
):
    path = str(tmp_path / "checkpoint.json")
    verify("--checkpoint", path)
    superuser("DELETE FROM audit_seals WHERE seal_number = 2")

    assert verify("--checkpoint", path).found == [("missing seal", 2, ())]


def test_a_trail_that_ends_before_its_checkpoint_was_cut_off(
    trail, verify, superuser, tmp_path, store, objects
):
    """Whatever was deleted: the newest entries with their seals, in the bucket too."""
    path = str(tmp_path / "checkpoint.json")
    verify("--checkpoint", path)
    superuser("DELETE FROM audit_entries WHERE entry_number >= :first", first=numbers(trail, 3)[0])
    superuser("DELETE FROM audit_seals WHERE seal_number = 3")
    shorter = f"seals-{uuid4().hex[:12]}"
    objects.create_bucket(shorter, has_object_lock=True)
    other = dataclasses.replace(store, bucket=shorter)
    for number in (1, 2):
        (stored,) = store.read(number)
        other.put(number, stored.content, stored.locked_until)

    blind = verify(REGISTRY_AUDIT_BUCKET=shorter)
    done = verify("--checkpoint", path, REGISTRY_AUDIT_BUCKET=shorter)

    assert blind.found == []  # nobody can tell who has not seen more
    assert (done.code, done.found) == (1, [("rollback", 3, ())])


def test_a_finding_keeps_the_checkpoint_where_it_was(trail, verify, store, client, tmp_path):
    path = tmp_path / "checkpoint.json"
    client.put_object(Bucket=store.bucket, Key="seals/000000000002.json", Body=b"{}")
    verify("--checkpoint", str(path))
    client.delete_object(Bucket=store.bucket, Key="seals/000000000001.json")

    again = verify("--checkpoint", str(path))

    assert again.found == [("copy differs", 1, ()), ("copy differs", 2, ())]


def test_a_checkpoint_that_is_none_is_refused(alone, verify, tmp_path):
    path = tmp_path / "checkpoint.json"
    path.write_text("{}")

    done = verify.type("--checkpoint", str(path))

    assert done.exit_code == 1
    assert "This is not a checkpoint of a verification." in done.output


# A period


@pytest.fixture
def days(written, sealer, clock):
    """A seal of two entries each noon, for five days.

    Not from now on: in the hour after midnight seals of a day may have entries of the day before.
    """
    now = clock().astimezone(BELGIUM)
    noon = now.replace(hour=12, minute=0)
    clock.go_on(days=noon < now, seconds=(noon - now).total_seconds())
    first = clock().astimezone(BELGIUM).date()
    for _ in range(5):
        written.write(2)
        sealer.seal()
        clock.go_on(days=1)
    return [str(first + timedelta(days=day)) for day in range(7)]


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
