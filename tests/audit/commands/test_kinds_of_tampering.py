"""Each kind of tampering is found, or the runbook says that it is not, in a row for each."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit.store import entries
from registry.audit.store.seal_bucket import pack_seal
from registry.audit.trail import keys
from registry.audit.trail import seal as seals
from tests.audit.conftest import an_entry

pytestmark = pytest.mark.long

RUNBOOK = Path(__file__).parents[3] / "deploy" / "runbooks" / "audit.md"
_SET_ENTRY, _SET_COPY = "UPDATE audit_entries SET", "UPDATE audit_seals SET"


class Kind(NamedTuple):
    """A kind of tampering; `findings` are all that verify tells, by kind and seal."""

    tamper: Callable[["Tampering"], object]
    findings: set[tuple[str, int | None]]


@dataclasses.dataclass
class Tampering:
    """Somebody with all rights in the database, or who may write to the bucket."""

    trail: Any
    sealer: Any
    client: Any
    do: Callable[..., object]  # as a superuser

    @property
    def place(self):
        return {"Bucket": self.trail.store.bucket}

    def numbers(self, seal):
        return seals.parse_seal(self.trail.seals()[seal - 1].seal).numbers

    def change(self, assignment, seal=2, index=1):
        number = self.numbers(seal)[index]
        self.do(f"{_SET_ENTRY} {assignment} WHERE entry_number = :n", n=number)

    def change_copy(self, assignment, seal=3):
        self.do(f"{_SET_COPY} {assignment} WHERE seal_number = :n", n=seal)

    def delete(self, *numbers):
        self.do("DELETE FROM audit_entries WHERE entry_number = ANY(:gone)", gone=list(numbers))

    def delete_from(self, seal, *, with_copies=False):
        self.do("DELETE FROM audit_entries WHERE entry_number >= :n", n=self.numbers(seal)[0])
        if with_copies:
            self.do("DELETE FROM audit_seals WHERE seal_number >= :n", n=seal)

    def move(self, seal, other):
        """The first entry of a seal into the transactions of another."""
        self.do(
            "UPDATE audit_entries SET xid = (SELECT max(xid) FROM audit_entries"
            " WHERE entry_number = :other) WHERE entry_number = :n",
            n=self.numbers(seal)[0],
            other=self.numbers(other)[0],
        )

    def exchange(self, seal):
        one, _, other = self.numbers(seal)
        self.do(
            "UPDATE audit_entries SET entry_number = :one + :other - entry_number"
            " WHERE entry_number IN (:one, :other)",
            one=one,
            other=other,
        )

    def drop_month(self):
        month = f"audit_entries_{datetime.now(UTC):%Y_%m}"
        self.do(f"CREATE TABLE kept_month AS TABLE {month}")
        self.do(f"TRUNCATE {month}")  # as after DROP, but for the tests that follow
        self.do("DROP TABLE kept_month")

    def seal_anew(self, private_key):
        """The whole history after a change, sealed again in the database with this key."""
        self.change("entry = '{}'")
        previous = None
        for row in self.trail.seals():
            begin = seals.parse_seal(row.seal).first_xid
            records = self.trail.entries(begin, row.until_xid)
            key_id = keys.compute_key_id(private_key.public_key())
            made = seals.make_next_seal(
                previous, records, row.until_xid, sealed_at=row.sealed_at, key_id=key_id
            )
            previous = seals.write_seal(made)
            self.do(
                "UPDATE audit_seals SET seal = :seal, signature = :signature"
                " WHERE seal_number = :n",
                seal=previous,
                signature=seals.sign_seal(private_key, previous),
                n=row.seal_number,
            )

    def put(self, key, content, **lock):
        self.client.put_object(**self.place, Key=f"seals/{key}", Body=content, **lock)

    def put_next(self, **lock):
        """The next seal by hand, and not as it must be kept."""
        self.trail.write()
        self.sealer.prepare()
        row = self.trail.seals()[-1]
        self.put("000000000004.json", pack_seal(row.seal, row.signature), **lock)
        self.do("UPDATE audit_seals SET stored_at = now()")

    def shorten(self):
        """The store itself refuses to shorten the time for which a seal is kept."""
        sooner = datetime.now(UTC) + timedelta(days=1)
        with pytest.raises(ClientError):
            self.client.put_object_retention(
                **self.place,
                Key="seals/000000000002.json",
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": sooner},
            )

    def lock_briefly(self):
        """The time for which a seal is kept, shortened in the database before it is stored."""
        self.trail.write()
        self.sealer.prepare()
        self.do(
            "UPDATE audit_seals SET kept_until = date_trunc('day', now()) + interval '2 days'"
            " WHERE seal_number = 4"
        )
        self.sealer.store_prepared()

    def forget(self):
        """The newest entry, its copy, and its seal that nobody had locked."""
        self.put_next()
        versions = self.client.list_object_versions(**self.place, Prefix="seals/000000000004")
        for each in versions["Versions"]:
            self.client.delete_object(**self.place, Key=each["Key"], VersionId=each["VersionId"])
        self.delete(*self.numbers(4))
        self.do("DELETE FROM audit_seals WHERE seal_number = 4")

    def write_dated(self, at):
        with self.trail.alone.application() as connection:
            entries.add_entry(connection, an_entry(at=at))
        self.sealer.seal()

    def set_clock_back(self):
        """An entry of a database whose clock was set back, so that all of it agrees."""
        past = datetime.now(UTC) - timedelta(hours=2)
        with self.trail.alone.application() as connection:
            entries.add_entry(connection, an_entry(at=past))
        self.do(
            "UPDATE audit_entries SET recorded_at = :past WHERE xid >= CAST(:x AS xid8)",
            past=past,
            x=str(self.trail.seals()[-1].until_xid),
        )
        self.sealer.seal()

    def count_back(self):
        """An entry that says it is of a transaction that was sealed."""
        self.do("INSERT INTO audit_entries (xid, entry) VALUES ('1', '{}')")

    def skip(self):
        """The end of the last seal put further on, so that the sealer leaves entries out."""
        self.trail.write(2)
        with self.trail.alone.worker() as connection:
            end = connection.exec_driver_sql(
                "SELECT CAST(CAST(max(xid) AS text) AS bigint) + 1 FROM audit_entries"
            ).scalar_one()
        self.change_copy(f"until_xid = '{end}'")
        self.trail.write(2)
        self.sealer.seal()

    def swallow(self):
        self.do("CREATE RULE swallow AS ON INSERT TO audit_entries DO INSTEAD NOTHING")
        self.trail.write()
        self.do("DROP RULE swallow ON audit_entries")

    def change_unsealed(self):
        self.trail.write(2)
        first, second = self.trail.entries(self.trail.seals()[-1].until_xid)
        self.do("UPDATE audit_entries SET entry = '{}' WHERE entry_number = :n", n=first.number)
        self.delete(second.number)


def sealed_by_another(tampering):
    tampering.trail.write()
    dataclasses.replace(tampering.sealer, private_key=Ed25519PrivateKey.generate()).seal()


KINDS = {
    "an entry's text": Kind(
        lambda t: t.change("packed = overlay(packed PLACING '' FROM 9 FOR 1)"), {("edit", 2)}
    ),
    "an entry's text, where it is not packed": Kind(
        lambda t: t.change("entry = '{}'"), {("edit", 2)}
    ),
    "an entry's e-Box": Kind(lambda t: t.change("ebox = 'key:00'"), {("edit", 2)}),
    "an entry's person": Kind(lambda t: t.change("person = 'key:00'"), {("edit", 2)}),
    "an entry's time": Kind(
        lambda t: t.change("recorded_at = recorded_at + interval '1 second'"), {("edit", 2)}
    ),
    "an entry's number": Kind(
        lambda t: t.change("entry_number = 1000000"), {("deletion", 2), ("insertion", 2)}
    ),
    "an entry's transaction, to one of another seal": Kind(
        lambda t: t.move(1, 3), {("deletion", 1), ("insertion", 3)}
    ),
    "an entry's transaction, to one of the same seal": Kind(
        lambda t: t.do(
            "UPDATE audit_entries SET xid = (SELECT xid FROM audit_entries WHERE entry_number = :m)"
            " WHERE entry_number = :n",
            n=t.numbers(2)[1],
            m=t.numbers(2)[0],
        ),
        set(),
    ),
    "two entries change places": Kind(lambda t: t.exchange(3), {("reorder", 3)}),
    "an entry is deleted": Kind(lambda t: t.delete(t.numbers(2)[0]), {("deletion", 2)}),
    "all entries of a seal are deleted": Kind(lambda t: t.delete(*t.numbers(2)), {("deletion", 2)}),
    "an entry is put in": Kind(lambda t: t.count_back(), {("insertion", 1)}),
    "the newest entries are deleted": Kind(lambda t: t.delete_from(3), {("truncation", 3)}),
    "the newest entries are deleted with their copies of seals": Kind(
        lambda t: t.delete_from(3, with_copies=True), {("rollback", 3)}
    ),
    "the newest entries are deleted with their copies, and a seal that was not locked": Kind(
        lambda t: t.forget(), set()
    ),
    "a month is dropped": Kind(lambda t: t.drop_month(), {("truncation", 1)}),
    "an entry is changed or deleted before its seal": Kind(lambda t: t.change_unsealed(), set()),
    "an entry is never written": Kind(lambda t: t.swallow(), set()),
    "a copy's text": Kind(lambda t: t.change_copy("seal = seal || ' '"), {("copy differs", 3)}),
    "a copy's signature": Kind(lambda t: t.change_copy("signature = ''"), {("copy differs", 3)}),
    "a copy's number": Kind(
        lambda t: t.change_copy("seal_number = 7"),
        {("missing seal", 3), ("missing seal", 4), ("not locked", 7), ("broken chain", 7)},
    ),
    "a copy is deleted": Kind(
        lambda t: t.do("DELETE FROM audit_seals WHERE seal_number = 2"), {("missing seal", 2)}
    ),
    "a copy's end of transactions": Kind(lambda t: t.skip(), {("insertion", 4)}),
    "a copy's time": Kind(lambda t: t.change_copy("sealed_at = now()"), set()),
    "a copy's date of release, before it is stored": Kind(
        lambda t: t.lock_briefly(), {("not locked", 4)}
    ),
    "a copy is called stored or not": Kind(lambda t: t.change_copy("stored_at = NULL"), set()),
    "the whole history is written and sealed anew, with another key": Kind(
        lambda t: t.seal_anew(Ed25519PrivateKey.generate()),
        {("copy differs", 1), ("copy differs", 2), ("copy differs", 3), ("edit", 2)},
    ),
    "the whole history is written and sealed anew, with our key": Kind(
        lambda t: t.seal_anew(t.sealer.private_key),
        {("copy differs", 2), ("copy differs", 3), ("edit", 2)},
    ),
    "seals are made with another key": Kind(sealed_by_another, {("unknown key", 4)}),
    "a seal of the bucket is hidden": Kind(
        lambda t: t.client.delete_object(**t.place, Key="seals/000000000002.json"),
        {("copy differs", 2)},
    ),
    "another object is put over a seal": Kind(
        lambda t: t.put("000000000002.json", b"{}"), {("copy differs", 2)}
    ),
    "an object is put where a seal will be": Kind(
        lambda t: t.put("000000000004.json", b"{}"), {("foreign object", 4)}
    ),
    "an object is put beside the seals": Kind(
        lambda t: t.put("readme", b"{}"), {("copy differs", None)}
    ),
    "a seal is put there without a lock": Kind(lambda t: t.put_next(), {("not locked", 4)}),
    "a seal is put there under a lock that somebody may lift": Kind(
        lambda t: t.put_next(
            ObjectLockMode="GOVERNANCE",
            ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=4000),
        ),
        {("not locked", 4)},
    ),
    "the lock of a seal is shortened": Kind(lambda t: t.shorten(), set()),
    "a machine's clock is wrong": Kind(
        lambda t: t.write_dated(datetime(2010, 5, 3, tzinfo=UTC)), {("time", 4)}
    ),
    "the database's clock is set back": Kind(lambda t: t.set_clock_back(), {("time", 4)}),
}


@pytest.fixture
def tampering(written, sealer, client, superuser):
    """Three seals of three entries each, the second of two transactions."""
    for counts in ((3,), (1, 2), (3,)):
        for count in counts:
            written.write(count)
        assert sealer.seal() == 3
    return Tampering(written, sealer, client, superuser)


def read_rows():
    """The rows of the runbook's table: a kind of tampering, and the kinds of finding."""
    section = RUNBOOK.read_text(encoding="utf-8").partition("## What it finds, and what not")[2]
    lines = section.partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("|")]
    return {name: kinds for _, name, kinds, *_ in rows[2:]}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_of_tampering_is_found_or_its_limit_is_known(tampering, verify, kind):
    kind.tamper(tampering)

    verdict = verify()

    assert {finding[:2] for finding in verdict.found} == kind.findings
    assert verdict.code == bool(kind.findings)


def test_the_runbook_has_a_row_for_each_kind_of_tampering():
    expected_rows = {
        name: ", ".join(sorted({kind for kind, _ in row.findings})) or "nothing"
        for name, row in KINDS.items()
    }

    assert read_rows() == expected_rows


def test_every_column_of_the_trail_is_looked_at(written, alone):
    columns = {
        column.name
        for table in ("audit_entries", "audit_seals")
        for column in entries.audit_entries.metadata.tables[table].columns
    }

    assert columns == {
        "recorded_at",
        "entry_number",
        "xid",
        "ebox",
        "person",
        "entry",
        "packed",
        "seal_number",
        "seal",
        "signature",
        "until_xid",
        "sealed_at",
        "kept_until",
        "stored_at",
    }
