"""Broadcasts that somebody left unfinished: what is missing is filed, and nothing is lost of it."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from registry.audit.log import AuditLog
from registry.blobs.memory import MemoryBlobs
from registry.domain.document_keys import PREFIX
from registry.domain.identifiers import EboxKind
from registry.domain.pseudonyms import Pseudonyms
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.services.publication.suspensions import Suspensions
from registry.services.publication.sweep import Sweep
from registry.services.publication.uploads import Uploads
from registry.services.retention.purge import Purge
from registry.store.publication import broadcasts, sent_messages
from registry.store.publication.broadcasts import BroadcastOrder
from registry.store.publication.suspensions import SuspendedSender
from tests.factories import NOON, PDF, a_file, an_ebox

DAY = timedelta(days=1)
END = NOON + 90 * DAY
SIZE = 3
PSEUDONYMS = Pseudonyms("a key of the tests, long enough to count")


@pytest.fixture
def memory(clock):
    return MemoryBlobs(now=clock)


@pytest.fixture
def make_filing(alone, clock):
    def make(**changes):
        usual = {"size": SIZE, "patience": timedelta(0)}
        log = AuditLog(PSEUDONYMS, clock)
        return BroadcastFiling(alone.worker, log, clock, **{**usual, **changes})

    return make


@pytest.fixture
def purge(alone, clock, memory):
    return Purge(alone.worker, memory, AuditLog(PSEUDONYMS, clock), PSEUDONYMS, clock)


class Unfinished:
    """A broadcast to eight, of whom three have the message."""

    def __init__(self, alone, memory, filing):
        self.alone = alone
        self.sender, self.first = an_ebox(), an_ebox()
        self.recipients = [an_ebox(kind) for kind in EboxKind for _ in range(4)]
        file = a_file(PDF, blob_key=f"{PREFIX}shared")
        memory.put(file["blob_key"], [PDF])
        sent_from = {"application_id": "my-minfin"}
        self.message_id = alone.put(
            self.first, file, sender=self.sender.number, sent_from=sent_from
        )
        with alone.application(self.sender) as connection:
            assert self.record(connection)
        next(filing.resume_all())

    def record(self, connection, key=None):
        order = BroadcastOrder(
            message_id=self.message_id,
            recipients=self.recipients,
            refusals=[],
            digest=b"",
            key=key,
        )
        return broadcasts.record(connection, order, NOON)

    def owners(self):
        """Who has the message, each as often as he has it and as he is told of it."""
        tables = ("messages", "attachments", "outbox")
        rows = [self.alone.rows(table, message_id=self.message_id) for table in tables]
        return [Counter(row.ebox for row in of_table) for of_table in rows]

    def statuses(self):
        asked = [(self.message_id, ebox) for ebox in self.recipients]
        with self.alone.application(self.sender) as connection:
            found = sent_messages.find_statuses(connection, asked, NOON)
        return [status.recipient for status in found]

    def tell_all(self):
        """As if the federation had heard of all of it."""
        with self.alone.owner.begin() as connection:
            connection.exec_driver_sql("UPDATE outbox SET state = 'told', settled_at = now()")


@pytest.fixture
def unfinished(alone, memory, make_filing):
    return Unfinished(alone, memory, make_filing())


def test_the_worker_files_exactly_what_is_missing(unfinished, make_filing):
    before = unfinished.owners()

    counts = list(make_filing().resume_all())

    assert [len(owners) for owners in before] == [4, 4, 3]
    assert counts == [3, 2]
    once = Counter(unfinished.recipients)
    assert unfinished.owners() == [once + Counter([unfinished.first])] * 2 + [once]
    assert list(make_filing().resume_all()) == []


def test_each_part_that_the_worker_files_is_recorded(unfinished, make_filing):
    list(make_filing().resume_all())

    entries = [json.loads(row.entry) for row in unfinished.alone.rows("audit_entries")]
    details = [
        entry["API_CALL_DETAILS"]
        for entry in entries
        if entry["API_CALL_REQUEST_URL"] == "urn:registry:broadcast"
        and entry["API_CALL_DETAILS"]["messageId"] == str(unfinished.message_id)
    ]
    assert sorted(each["nbSuccessLinks"] for each in details) == [2, 3, 3]


def test_a_broadcast_that_moves_is_left_to_who_moves_it(unfinished, make_filing):
    assert list(make_filing(patience=timedelta(minutes=1)).resume_all()) == []


def test_the_worker_passes_over_the_broadcast_of_a_suspended_sender(
    alone, memory, make_filing, clock
):
    stopped, other = (Unfinished(alone, memory, make_filing()) for _ in range(2))
    sender = SuspendedSender(stopped.sender.number, None)
    services = Suspensions(alone.worker, AuditLog(PSEUDONYMS, clock), clock)
    services.suspend(sender, "a mistake")

    list(make_filing().resume_all())

    assert stopped.owners()[2] != Counter(stopped.recipients)
    assert other.owners()[2] == Counter(other.recipients)
    services.resume(sender, "mended")
    list(make_filing().resume_all())
    assert stopped.owners()[2] == Counter(stopped.recipients)


def test_two_workers_at_once_file_everybody_once(unfinished, make_filing):
    first, second = make_filing().resume_all(), make_filing().resume_all()

    counts = [next(first), next(second), *first, *second]

    assert sum(counts) == 5
    assert unfinished.owners()[2] == Counter(unfinished.recipients)


def test_a_chunk_that_somebody_filed_meanwhile_is_not_filed_again(unfinished, make_filing, clock):
    (row,) = unfinished.alone.rows("broadcasts", message_id=unfinished.message_id)
    with unfinished.alone.application(unfinished.sender) as connection:
        chunk = broadcasts.find_chunk(connection, row.broadcast_id, SIZE)
    next(make_filing().resume_all())

    with unfinished.alone.application(unfinished.sender) as connection:
        following = broadcasts.file_chunk(connection, chunk, [], SIZE, clock())

    assert following is None
    (row,) = unfinished.alone.rows("broadcasts", message_id=unfinished.message_id)
    assert row.filed == 2 * SIZE


def test_the_sender_is_told_the_status_of_those_who_have_it(unfinished, make_filing):
    before = unfinished.statuses()
    list(make_filing().resume_all())

    assert set(before) == set(unfinished.recipients[:SIZE])
    assert set(unfinished.statuses()) == set(unfinished.recipients)


def test_a_message_that_expires_meanwhile_is_kept_until_all_have_it(
    unfinished, make_filing, clock, purge, memory
):
    unfinished.tell_all()
    clock.now = END

    first = purge.purge(100), purge.erase().total
    list(make_filing().resume_all())
    had = unfinished.owners()[0]
    unfinished.tell_all()
    second = purge.purge(100), purge.erase().erasures

    assert first == (0, 0)
    assert had == Counter([unfinished.first, *unfinished.recipients])
    assert second == (9, 1)
    assert unfinished.alone.rows("broadcasts") == unfinished.alone.rows("messages") == []
    assert not memory.versions.get(f"{PREFIX}shared")


def test_a_purge_leaves_a_message_of_which_a_broadcast_is_just_being_recorded(
    unfinished, make_filing, clock, purge
):
    list(make_filing().resume_all())
    unfinished.tell_all()
    clock.now = END

    with unfinished.alone.application(unfinished.sender) as connection:
        assert unfinished.record(connection, key="another")
        during = purge.purge(100)
        kept = set(unfinished.owners()[0])
    following = purge.purge(100)

    assert (during, following) == (8, 0)
    assert kept == {unfinished.first}


def test_a_sweep_meanwhile_leaves_the_documents(unfinished, make_filing, memory):
    sweep = Sweep(unfinished.alone.worker, memory)
    upload = Uploads(unfinished.alone.application, memory, None).begin(unfinished.sender)
    upload.stage("part", "letter.pdf", "application/pdf", [PDF])

    swept = list(sweep.sweep(timedelta(0)))
    list(make_filing().resume_all())
    swept += sweep.sweep(timedelta(0))

    assert swept == [file.blob_key for file in upload.files]
    memory.open(f"{PREFIX}shared", 0, len(PDF) - 1).close()


def test_a_hold_on_an_ebox_is_on_what_a_broadcast_brings_later(
    unfinished, make_filing, clock, purge, memory, hold
):
    last = unfinished.recipients[-1]
    lift = hold(last)
    list(make_filing().resume_all())
    unfinished.tell_all()
    clock.now = END

    held = purge.purge(100), purge.erase().erasures
    memory.open(f"{PREFIX}shared", 0, len(PDF) - 1).close()
    lift()
    free = purge.purge(100), purge.erase().erasures

    assert (held, free) == ((8, 0), (1, 1))
