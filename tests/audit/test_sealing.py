"""Seals over the trail: each entry under one, whatever breaks off where."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from registry.audit.legal_period import find_legal_end
from registry.audit.store import seals
from registry.audit.store.seal_bucket import pack_seal, unpack_seal
from registry.audit.trail import keys
from registry.audit.trail.seal import GENESIS, hash_seal, parse_seal
from registry.audit.trail.untrusted_json import DamagedText
from registry.domain.errors import Unavailable


def test_entries_are_sealed_in_the_order_of_their_transactions(sealer, written):
    written.write(3)
    written.write(2)

    sealed = sealer.seal()

    assert sealed == 5
    (row,) = written.seals()
    seal = parse_seal(row.seal)
    assert (seal.number, seal.count, seal.first_xid) == (1, 5, 0)
    assert list(seal.numbers) == [record.number for record in written.entries()]
    assert seal.previous == GENESIS
    assert written.findings() == []


def test_each_seal_names_the_one_before_and_goes_on_where_it_ended(sealer, written):
    for _ in range(3):
        written.write(2)
        sealer.seal()

    first, second, third = written.seals()
    for before, after in ((first, second), (second, third)):
        assert parse_seal(after.seal).previous == hash_seal(before.seal)
        assert (
            parse_seal(after.seal).first_xid
            == parse_seal(before.seal).until_xid
            == before.until_xid
        )
    assert written.findings() == []


def test_what_is_sealed_is_stored_as_it_is_kept(sealer, written):
    written.write()

    sealer.seal()

    (row,) = written.seals()
    (copy,) = written.stored()
    assert (copy.number, copy.text, copy.signature) == (1, row.seal, row.signature)
    assert row.stored_at is not None


def test_a_seal_can_be_parted_with_by_nobody_for_ten_years(sealer, written, client):
    written.write()
    sealer.seal()

    key = f"{written.store.prefix}000000000001.json"
    kept = client.get_object_retention(Bucket=written.store.bucket, Key=key)["Retention"]
    (row,) = written.seals()
    assert kept["Mode"] == "COMPLIANCE"
    assert (
        kept["RetainUntilDate"] == find_legal_end(row.sealed_at).astimezone(UTC) == row.kept_until
    )


def test_where_nothing_was_written_there_is_nothing_to_seal(sealer, written):
    assert [sealer.seal(), sealer.seal()] == [0, 0]
    assert written.seals() == []


def test_what_is_sealed_is_not_sealed_again(sealer, written):
    written.write()

    assert [sealer.seal(), sealer.seal()] == [1, 0]
    assert len(written.seals()) == 1


def test_many_entries_make_several_seals_of_whole_transactions(sealer, written):
    sealer = dataclasses.replace(sealer, most=5)
    for count in (2, 2, 2, 7, 1, 5, 1):
        written.write(count)

    counts = []
    while count := sealer.seal():
        counts.append(count)

    assert counts == [4, 2, 7, 1, 5, 1]
    assert written.findings() == []


def test_a_batch_may_be_full_to_the_brim(sealer, written):
    sealer = dataclasses.replace(sealer, most=4)
    for _ in range(4):
        written.write(2)

    assert [sealer.seal() for _ in range(3)] == [4, 4, 0]


# When a seal is due


def test_entries_wait_for_their_seal_as_long_as_they_may(sealer, written):
    patient = dataclasses.replace(sealer, every=timedelta(seconds=1))
    written.write()
    early = patient.seal()
    written.change("SELECT pg_sleep(1)")

    assert [early, patient.seal(), patient.seal()] == [0, 1, 0]


def test_many_entries_wait_for_no_time(sealer, written):
    patient = dataclasses.replace(sealer, every=timedelta(hours=1), most=5)
    written.write(4)
    early = patient.seal()
    written.write(2)

    assert [early, patient.seal(), patient.seal()] == [0, 4, 0]
    assert len(written.entries()) == 6


def test_a_database_whose_clock_was_set_back_keeps_no_entry_from_its_seal(sealer, written):
    patient = dataclasses.replace(sealer, every=timedelta(minutes=1))
    written.write()
    written.change("UPDATE audit_entries SET recorded_at = recorded_at + interval '1 day'")

    assert patient.seal() == 1


# An hour in which nothing happens


def test_after_a_quiet_hour_a_seal_says_that_there_was_nothing(sealer, written, clock):
    written.write()
    sealer.seal()
    clock.go_on(minutes=59)
    sealer.seal()
    quiet = len(written.seals())
    clock.go_on(minutes=1)

    sealed = [sealer.seal(), sealer.seal()]

    assert quiet == 1
    assert sealed == [0, 0]
    _, second = written.seals()
    assert parse_seal(second.seal).count == 0
    assert second.stored_at is not None
    assert written.findings() == []


def test_the_first_seal_is_the_first_entrys(sealer, written, clock):
    clock.go_on(days=1)

    assert sealer.seal() == 0
    assert written.seals() == []


# Broken off


def test_a_sealer_that_dies_before_it_stores_is_followed_with_the_same_bytes(sealer, written):
    written.write(2)
    sealer.prepare()
    (prepared,) = written.seals()
    assert written.stored() == []
    written.write(3)

    sealed = [sealer.seal(), sealer.seal()]

    assert sealed == [3, 0]
    first, _ = written.seals()
    assert (first.seal, first.signature) == (prepared.seal, prepared.signature)
    (stored,) = written.store.read(1)
    assert stored.content == pack_seal(prepared.seal, prepared.signature)
    assert written.findings() == []


def test_a_sealer_that_dies_after_it_stored_leaves_one_version(sealer, written, client):
    written.write(2)
    sealer.prepare()
    (row,) = written.seals()
    written.store.put(1, pack_seal(row.seal, row.signature), row.kept_until)

    assert sealer.seal() == 0

    listed = client.list_object_versions(Bucket=written.store.bucket, Prefix=written.store.prefix)
    assert len(listed["Versions"]) == 1
    assert written.seals()[0].stored_at is not None
    assert written.findings() == []


def test_a_sealer_that_dies_while_it_makes_a_seal_leaves_nothing(
    sealer, written, alone, private_key
):
    written.write(2)

    class Dying:
        def public_key(self):
            return private_key.public_key()

        def sign(self, _):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dataclasses.replace(sealer, private_key=Dying()).seal()

    assert written.seals() == []
    assert sealer.seal() == 2


def test_without_the_bucket_one_seal_waits_and_entries_behind_it(sealer, written, away):
    cut_off = dataclasses.replace(sealer, store=away)
    written.write(2)

    for _ in range(3):
        with pytest.raises(Unavailable, match="seal bucket does not answer"):
            cut_off.seal()
        written.write()

    assert len(written.seals()) == 1
    assert sealer.seal() == 3
    assert sealer.seal() == 0
    assert len(written.entries()) == 5
    assert written.findings() == []


def test_a_key_may_be_replaced_and_the_chain_holds(sealer, written, private_key):
    other = dataclasses.replace(sealer, private_key=Ed25519PrivateKey.generate())
    written.write()
    other.seal()
    written.write()
    sealer.seal()

    known = keys.make_keyring([private_key.public_key(), other.private_key.public_key()])
    assert dataclasses.replace(written, public_keys=known).findings() == []
    assert [finding.kind.name for finding in written.findings()] == ["UNKNOWN_KEY"]


# Clocks


def test_a_clock_that_goes_back_does_not_make_a_seal_older_than_the_one_before(
    sealer, written, clock
):
    written.write()
    sealer.seal()
    clock.go_on(days=-400)
    written.write()

    assert sealer.seal() == 1

    first, second = written.seals()
    assert second.sealed_at == first.sealed_at
    assert second.kept_until == first.kept_until
    assert written.findings() == []


def test_a_sealer_whose_clock_is_wrong_from_the_start_keeps_seals_long_enough(
    sealer, written, clock
):
    clock.go_on(days=-800)
    written.write()

    sealer.seal()

    (row,) = written.seals()
    (entry,) = written.alone.rows("audit_entries")
    assert row.kept_until == find_legal_end(entry.recorded_at)


# Another trail


def test_a_bucket_with_the_seals_of_another_trail_is_not_written_over(sealer, written):
    written.write()
    sealer.seal()
    (seal,) = written.store.read(1)
    written.change("TRUNCATE audit_entries, audit_seals, audit_sheaves")
    written.write()

    for _ in range(2):
        with pytest.raises(Unavailable, match=r"another seal 1 already.*registry audit resume"):
            sealer.seal()

    assert written.store.read(1) == [seal]


def test_a_seal_of_a_former_key_is_one_of_ours(sealer, written):
    former = dataclasses.replace(sealer, private_key=Ed25519PrivateKey.generate())
    written.write()
    former.seal()
    written.change("TRUNCATE audit_entries, audit_seals, audit_sheaves")
    written.write()
    known = keys.make_keyring([former.private_key.public_key()])

    with pytest.raises(Unavailable, match="another seal 1 already"):
        dataclasses.replace(sealer, former_keys=known).seal()


@pytest.mark.parametrize("content", [b"\xff", b"{}", b'{"seal":"x","signature":""}', None])
def test_who_may_write_to_the_bucket_cannot_stop_sealing(sealer, written, client, content):
    written.write()
    sealer.seal()
    (first,) = written.store.read(1)
    key = f"{written.store.prefix}000000000002.json"
    # Or the seal before, which is signed and has another number.
    body = first.content if content is None else content
    client.put_object(Bucket=written.store.bucket, Key=key, Body=body)
    written.write()

    assert sealer.seal() == 1

    foreign, ours = written.store.read(2)
    assert foreign.content == body
    assert ours.locked_until == written.seals()[1].kept_until
    assert written.seals()[1].stored_at is not None


def test_a_database_that_counts_transactions_anew_is_noticed(sealer, written):
    written.write()
    sealer.seal()
    written.change("UPDATE audit_seals SET until_xid = '1000000000000'")
    written.write()

    with pytest.raises(Unavailable, match="not the one that this trail was written in"):
        sealer.seal()


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"{}", b'{"seal":"x"}', b'{"seal":1}'])
def test_what_is_no_seal_is_not_read_as_one(content):
    with pytest.raises(DamagedText):
        unpack_seal(1, content)


# Several at once


def test_sealers_at_once_make_each_seal_once(sealer, written, alone, client, store):
    crew = [dataclasses.replace(sealer, most=7) for _ in range(4)]
    for _ in range(60):
        written.write(2)

    with ThreadPoolExecutor(len(crew)) as pool:
        counts = list(pool.map(lambda turn: crew[turn % 4].seal(), range(80)))
    while count := crew[0].seal():
        counts.append(count)

    assert sum(counts) == 120
    assert len(written.seals()) == sum(count > 0 for count in counts) == 20
    assert not any(stored.is_touched for stored in store.list_objects())
    assert written.findings() == []


def test_a_seal_that_is_being_made_is_left_to_who_makes_it(sealer, written, alone):
    written.write()
    with alone.worker() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('audit_seals'))"))

        assert sealer.prepare() is None

    assert sealer.prepare() == 1


def test_a_seal_that_another_is_about_to_store_is_waited_for(sealer, written):
    written.write()
    sealer.prepare()
    written.write()

    assert sealer.prepare() is None


def test_without_the_lock_the_number_would_still_exclude_two(sealer, written, alone):
    written.write()
    sealer.seal()
    (row,) = written.seals()

    with alone.worker() as connection:
        assert seals.add_seal(connection, row) is False


# How old


def test_the_age_is_that_of_the_oldest_entry_under_no_stored_seal(sealer, written, clock, away):
    ages = [sealer.measure_age()]
    written.write()
    clock.go_on(seconds=100)
    ages.append(sealer.measure_age())
    with pytest.raises(Unavailable):
        dataclasses.replace(sealer, store=away).seal()
    ages.append(sealer.measure_age())
    sealer.seal()
    ages.append(sealer.measure_age())

    assert ages[0] == ages[3] == 0
    assert 100 <= ages[1] <= ages[2] < 130


def test_a_clock_that_is_behind_makes_nobody_younger_than_new(sealer, written, clock):
    written.write()
    clock.go_on(seconds=-100)

    assert sealer.measure_age() == 0
