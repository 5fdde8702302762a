"""The end of a message: gone at the instant, deleted with a proof, unless it is held."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.audit.log import AuditLog
from registry.blobs import Retention
from registry.blobs.memory import MemoryBlobs
from registry.domain.document_keys import make_key, make_record_key
from registry.domain.errors import DocumentUnavailable, NotFound, Unavailable
from registry.domain.identifiers import EboxKind
from registry.domain.pseudonyms import Pseudonyms
from registry.domain.queries import MessageQuery
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.services.retention.deletion_proofs import DeletionProofs
from registry.services.retention.legal_holds import LegalHolds
from registry.services.retention.purge import ErasureReport, Purge
from registry.store.consultation import message_list, messages
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.retention import document_erasures, legal_holds
from registry.store.retention import purge as purge_store
from registry.wiring.storage import make_document_store
from tests.factories import NOON, PDF, a_file, an_ebox

DAY = timedelta(days=1)
END = NOON + 90 * DAY
PSEUDONYMS = Pseudonyms("a key of the tests, long enough to count")


@pytest.fixture
def memory(clock):
    """Documents in a dictionary."""
    return MemoryBlobs(now=clock)


@pytest.fixture
def purge(alone, clock, memory):
    """The service over this store of documents, or another."""

    def make(blobs=memory):
        return Purge(alone.worker, blobs, AuditLog(PSEUDONYMS, clock), PSEUDONYMS, clock)

    return make


def is_there(store, file):
    try:
        store.open(file["blob_key"], 0, file["size"] - 1).close()
    except DocumentUnavailable:
        return False
    return True


def stored(store, content=PDF, **changes):
    """A document that is stored."""
    file = a_file(content, **changes)
    store.put(file["blob_key"], [content])
    return file


def let_pass(alone, time):
    """Let time pass for the documents to erase, which go by the database's clock."""
    with alone.owner.begin() as connection:
        statement = text("UPDATE doomed_documents SET due_at = due_at - :time")
        connection.execute(statement, {"time": time})


def left(alone):
    """The ids of the messages that are there."""
    return {row.message_id for row in alone.rows("messages")}


def test_what_has_not_expired_is_left(alone, clock, purge):
    alone.put(an_ebox())
    clock.now = END - timedelta(microseconds=1)

    assert purge().purge(100) == 0
    assert len(left(alone)) == 1


def test_an_expired_message_goes_with_all_that_hangs_on_it_and_leaves_a_proof(
    alone, clock, memory, purge
):
    ebox, sender = an_ebox(), an_ebox()
    files = [
        stored(memory, b"%PDF-1.4 one"),
        stored(memory, b"%PDF-1.4 two", attachment_id="2", is_main=False),
    ]
    gone = alone.put(ebox, *files, sender=sender.number, sent_from={"key": "key"})
    for kind in ("newDocumentReminder", "documentExpirationAlert"):
        alone.happen(kind, ebox, gone)
    clock.now = END

    purged = purge().purge(100)
    erased = purge().erase()

    assert (purged, erased) == (1, ErasureReport(erasures=2))
    kept = ("messages", "attachments", "search_texts", "outbox", "sent_messages")
    assert [alone.rows(table) for table in (*kept, "doomed_documents")] == [[]] * 6
    assert not any(is_there(memory, file) for file in files)
    (proof,) = DeletionProofs(purge().transactions).find(gone)
    assert proof.ebox_hash == PSEUDONYMS.hash_ebox(ebox)
    assert (proof.expired_at, proof.deleted_at, proof.why) == (END, END, "expired")
    assert proof.documents == [
        {"attachmentId": file["attachment_id"], "digest": file["digest"], "size": file["size"]}
        for file in files
    ]


@pytest.mark.parametrize("kind", EboxKind)
def test_a_proof_names_nobody(alone, clock, purge, kind):
    ebox = an_ebox(kind)
    gone = alone.put(ebox, a_file())
    clock.now = END
    purge().purge(100)

    (proof,) = alone.rows("deletions", message_id=gone)

    assert ebox.number not in repr(proof)
    assert "0308357159" not in repr(proof)


def test_a_message_without_documents_leaves_a_proof_too(alone, clock, purge):
    gone = alone.put(an_ebox())
    clock.now = END

    purge().purge(100)

    assert [proof.documents for proof in DeletionProofs(purge().transactions).find(gone)] == [[]]
    assert purge().erase() == ErasureReport()


def test_a_batch_takes_the_oldest_and_no_more_than_it_may(alone, clock, purge):
    ids = [alone.put(an_ebox(), expires_at=END - days * DAY) for days in (1, 5, 3, 4, 2)]
    clock.now = END

    found = [purge().purge(2)]
    after = left(alone)
    found += [purge().purge(2) for _ in range(3)]

    assert after == {ids[0], ids[2], ids[4]}
    assert found == [2, 2, 1, 0]


def test_the_sent_row_of_another_message_and_its_key_stay(alone, clock, purge):
    sender = an_ebox()
    for expires in (END, END + DAY):
        sent_from = {"key": str(uuid4())}
        alone.put(an_ebox(), expires_at=expires, sender=sender.number, sent_from=sent_from)
    clock.now = END

    purge().purge(100)

    (kept,) = alone.rows("sent_messages")
    assert {kept.message_id} == left(alone)


def test_a_sender_keeps_the_key_of_a_broadcast_as_long_as_its_first_recipient_has_it(
    alone, clock, purge, hold
):
    sender, first, message_id = an_ebox(), an_ebox(), uuid4()
    sent_from = {"key": "key"}
    alone.put(first, message_id=message_id, sender=sender.number, sent_from=sent_from)
    alone.put(an_ebox(), message_id=message_id, sender=sender.number)
    lift = hold(first)
    clock.now = END

    seen = [(purge().purge(100), len(alone.rows("sent_messages")))]
    lift()
    seen.append((purge().purge(100), len(alone.rows("sent_messages"))))

    assert seen == [(1, 1), (1, 0)]


def test_a_document_of_many_stays_until_the_last_of_them_has_gone(alone, clock, memory, purge):
    file, message_id = stored(memory), uuid4()
    eboxes = [an_ebox() for _ in range(5)]
    for ebox, days in zip(eboxes, (0, 0, 0, 1, 2), strict=True):
        alone.put(ebox, file, message_id=message_id, expires_at=END + days * DAY)

    seen = []
    for days in range(3):
        clock.now = END + days * DAY
        seen.append((purge().purge(100), purge().erase(), is_there(memory, file)))

    assert seen == [
        (3, ErasureReport(in_use=1), True),
        (1, ErasureReport(in_use=1), True),
        (1, ErasureReport(erasures=1), False),
    ]
    assert {proof.ebox_hash for proof in DeletionProofs(purge().transactions).find(message_id)} == {
        PSEUDONYMS.hash_ebox(ebox) for ebox in eboxes
    }


@pytest.mark.parametrize("is_whole", [True, False], ids=["the e-Box", "the message"])
def test_what_is_held_stays_until_that_is_lifted(alone, clock, memory, purge, hold, is_whole):
    ebox, file = an_ebox(), stored(memory)
    held, other = alone.put(ebox, file), alone.put(an_ebox())
    lift = hold(ebox, None if is_whole else held)
    clock.now = END + 100 * DAY

    assert purge().purge(100) == 1
    assert left(alone) == {held}
    assert DeletionProofs(purge().transactions).find(other)
    lift()
    assert purge().purge(100) == 1
    assert purge().erase() == ErasureReport(erasures=1)
    assert not is_there(memory, file)


def test_of_two_holds_the_last_that_is_lifted_lets_go(alone, clock, purge, hold):
    ebox = an_ebox()
    lifts = [hold(ebox), hold(ebox, alone.put(ebox))]
    clock.now = END

    purged = [purge().purge(100)]
    for lift in lifts:
        lift()
        purged.append(purge().purge(100))

    assert purged == [0, 0, 1]


def test_a_held_ebox_keeps_what_comes_later_too(alone, clock, purge, hold):
    ebox = an_ebox()
    hold(ebox)
    later = alone.put(ebox, received_at=NOON + DAY)
    clock.now = END

    assert purge().purge(100) == 0
    assert left(alone) == {later}


def test_a_document_of_a_held_message_outlives_the_message_of_another(
    alone, clock, memory, purge, hold
):
    file, message_id = stored(memory), uuid4()
    one, held = an_ebox(), an_ebox()
    for ebox in (one, held):
        alone.put(ebox, file, message_id=message_id)
    hold(held, message_id)
    clock.now = END

    assert purge().purge(100) == 1
    assert purge().erase() == ErasureReport(in_use=1)
    assert is_there(memory, file)


def is_waiting(alone):
    """Whether somebody in the database waits for an advisory lock."""
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with alone.owner.connect() as connection:
        return connection.scalar(waiting) > 0


def test_a_hold_waits_for_the_batch_under_way_and_says_what_came_of_it(alone, clock, memory, purge):
    ebox = an_ebox()
    gone, later = alone.put(ebox), alone.put(ebox, expires_at=END + DAY)
    service = LegalHolds(alone.worker, memory, AuditLog(PSEUDONYMS, clock), clock)
    clock.now = END

    with ThreadPoolExecutor(2) as pool:
        with alone.worker() as connection:
            legal_holds.wait_for_holds(connection)
            assert len(purge_store.delete_expired(connection, now=END, limit=100)) == 1
            late = pool.submit(service.set, ebox, gone, "too late")
            early = pool.submit(service.set, ebox, later, "in time")
            while not is_waiting(alone):
                pass
            assert not late.done()
        with pytest.raises(NotFound):
            late.result(timeout=10)
        early.result(timeout=10)
    clock.now = END + DAY

    assert purge().purge(100) == 0
    assert left(alone) == {later}


def test_a_batch_waits_for_a_hold_that_is_being_set_and_respects_it(alone, clock, purge):
    ebox = an_ebox()
    held, other = alone.put(ebox), alone.put(ebox)
    clock.now = END

    with ThreadPoolExecutor(1) as pool:
        with alone.worker() as connection:
            legal_holds.wait_for_purge(connection)
            legal_holds.add_hold(connection, ebox, uuid4(), message_id=held, why="a suit", now=END)
            batch = pool.submit(purge().purge, 100)
            while not is_waiting(alone) and not batch.done():
                pass
            assert not batch.done()
        assert batch.result(timeout=10) == 1

    assert left(alone) == {held}
    assert DeletionProofs(purge().transactions).find(other)


@pytest.mark.parametrize("kind", ["newDocument", "readDocument"])
def test_a_message_of_which_something_is_still_to_be_told_waits_for_that(alone, clock, purge, kind):
    ebox = an_ebox()
    alone.happen(kind, ebox, alone.put(ebox))
    clock.now = END

    before = purge().purge(100)
    with alone.owner.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'told'"))
    after = purge().purge(100)

    assert (before, after) == (0, 1)
    assert alone.rows("outbox") == []


@pytest.mark.parametrize("kind", ["newDocumentReminder", "documentExpirationAlert"])
def test_a_message_waits_for_no_reminder(alone, clock, purge, kind):
    ebox = an_ebox()
    alone.happen(kind, ebox, alone.put(ebox))
    clock.now = END

    assert purge().purge(100) == 1
    assert alone.rows("outbox") == []


@pytest.mark.parametrize("state", ["dead", "skipped", "withdrawn"])
def test_a_message_waits_for_nothing_that_nobody_is_going_to_tell(alone, clock, purge, state):
    ebox = an_ebox()
    alone.happen("newDocument", ebox, alone.put(ebox))
    with alone.owner.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = :state"), {"state": state})
    clock.now = END

    assert purge().purge(100) == 1


def test_events_of_the_same_message_in_another_ebox_stay(alone, clock, purge):
    message_id = uuid4()
    one, other = an_ebox(), an_ebox()
    alone.put(one, message_id=message_id)
    alone.put(other, message_id=message_id, expires_at=END + DAY)
    for ebox in (one, other):
        alone.happen("newDocumentReminder", ebox, message_id)
    clock.now = END

    purge().purge(100)

    assert [row.ebox for row in alone.rows("outbox")] == [other]


def test_who_reads_while_the_purge_is_on_has_his_reading_told(alone, clock, purge):
    """With a clock behind that of the worker, a message can be read when it is over."""
    ebox = an_ebox()
    message_id = alone.put(ebox)
    clock.now = END

    with alone.application(ebox) as connection:
        assert messages.mark_read(connection, ebox, message_id, NOON)
        assert purge().purge(100) == 0
    alone.happen("readDocument", ebox, message_id)

    assert purge().purge(100) == 0
    assert left(alone) == {message_id}


def test_two_purges_at_once_delete_each_message_once(alone, clock, memory, purge):
    ids = {alone.put(an_ebox(), a_file()) for _ in range(120)}
    clock.now = END
    start = Barrier(3)

    def work():
        start.wait(timeout=10)
        return [purge().purge(7) for _ in range(12)]

    with ThreadPoolExecutor(3) as pool:
        shares = [share.result(timeout=60) for share in [pool.submit(work) for _ in range(3)]]

    rest = []
    while purged := purge().purge(100):  # what one found locked by the others
        rest.append(purged)
    assert sum(map(sum, shares)) + sum(rest) == 120
    assert {row.message_id for row in alone.rows("deletions")} == ids
    assert len(alone.rows("deletions")) == len(alone.rows("doomed_documents")) == 120


def test_two_purges_of_the_last_two_that_share_a_document_do_not_forget_it(
    alone, clock, memory, purge
):
    file, message_id = stored(memory), uuid4()
    for _ in range(2):
        alone.put(an_ebox(), file, message_id=message_id)
    clock.now = END

    with alone.worker() as connection:
        first = purge_store.delete_expired(connection, now=END, limit=1)
        document_erasures.plan_erasures(connection, first[0].blob_keys)
        assert purge().purge(100) == 1
        assert purge().erase() == ErasureReport(in_use=1)  # the first is not committed
        assert is_there(memory, file)

    assert purge().erase() == ErasureReport(erasures=1)
    assert not is_there(memory, file)


def test_a_purge_holds_up_nobody_who_reads_another_message(alone, clock):
    ebox = an_ebox()
    gone, other = alone.put(ebox, a_file()), alone.put(ebox, a_file(), expires_at=END + DAY)
    query = MessageQuery()

    with alone.worker() as purging:
        assert len(purge_store.delete_expired(purging, now=END, limit=100)) == 1
        with alone.application(ebox) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            rows, total, _ = message_list.read_page(
                connection, ebox, query, partitions=None, now=END, known_sizes=KnownSizes(9)
            )
            found = messages.find(connection, ebox, other, END)
            is_first = messages.mark_read(connection, ebox, other, END)
            expired = messages.find(connection, ebox, gone, END)

    assert [row.message_id for row in rows] == [found.message.message_id] == [other]
    assert (total, is_first, expired) == (1, True, None)


def test_a_purge_that_fails_has_deleted_nothing(alone, clock, purge):
    alone.put(an_ebox(), a_file())
    clock.now = END
    with alone.owner.begin() as connection:
        connection.execute(text("ALTER TABLE deletions ADD CONSTRAINT none CHECK (false)"))

    with pytest.raises(Exception, match="none"):
        purge().purge(100)

    with alone.owner.begin() as connection:
        connection.execute(text("ALTER TABLE deletions DROP CONSTRAINT none"))
    assert len(left(alone)) == 1
    assert alone.rows("deletions") == alone.rows("doomed_documents") == []
    assert purge().purge(100) == 1


def test_documents_wait_for_a_store_that_does_not_answer(alone, clock, blobs, settings, purge):
    gone = [stored(blobs) for _ in range(2)]
    for file in gone:
        alone.put(an_ebox(), file)
    clock.now = END
    purge().purge(100)
    nowhere = settings.model_copy(update={"s3_endpoint": f"http://{LOOPBACK}:{free_port()}"})
    away = make_document_store(nowhere)

    with pytest.raises(Unavailable):
        purge(away).erase()

    away.client.close()
    assert len(alone.rows("doomed_documents")) == 2
    assert purge(blobs).erase() == ErasureReport(erasures=1)
    let_pass(alone, timedelta(minutes=10))
    assert purge(blobs).erase() == ErasureReport(erasures=1)
    assert not any(is_there(blobs, file) for file in gone)


@dataclass(frozen=True)
class Moody(MemoryBlobs):
    """A store that has trouble with some documents."""

    bad: set = field(default_factory=set)

    def erase(self, key):
        if key in self.bad:
            raise Unavailable("The store refuses to answer.")
        return super().erase(key)


def test_a_document_that_the_store_chokes_on_holds_up_no_other(alone, clock, purge):
    store = Moody(now=clock)
    files = [stored(store) for _ in range(5)]
    for file in files:
        alone.put(an_ebox(), file)
    clock.now = END
    purge(store).purge(100)
    store.bad.add(files[2]["blob_key"])

    with pytest.raises(Unavailable):
        purge(store).erase()
    purge(store).erase()

    assert [is_there(store, file) for file in files] == [False, False, True, False, False]
    assert {row.blob_key for row in alone.rows("doomed_documents")} == store.bad
    let_pass(alone, timedelta(minutes=10))
    store.bad.clear()
    assert purge(store).erase() == ErasureReport(erasures=1)


def test_a_worker_killed_while_it_erases_leaves_the_documents_to_another(
    alone, clock, memory, purge
):
    alone.put(an_ebox(), stored(memory))
    clock.now = END
    purge().purge(100)
    with alone.worker() as connection:
        document_erasures.claim_erasures(connection, limit=10, lease=timedelta(minutes=10))

    assert purge().erase() == ErasureReport()
    let_pass(alone, timedelta(minutes=10))
    assert purge().erase() == ErasureReport(erasures=1)


def test_a_document_that_is_not_there_any_more_is_erased(alone, clock, purge):
    alone.put(an_ebox(), a_file())
    clock.now = END
    purge().purge(100)

    assert purge().erase() == ErasureReport(erasures=1)
    assert alone.rows("doomed_documents") == []


def test_a_document_that_the_store_must_keep_is_asked_for_again_a_day_later(alone, clock, purge):
    locked = MemoryBlobs(retention=Retention("COMPLIANCE", days=92), now=clock)
    file = stored(locked)
    alone.put(an_ebox(), file)
    service = purge(locked)
    clock.now = END
    service.purge(100)

    seen = [service.erase(), service.erase()]
    clock.go_on(days=1)
    let_pass(alone, timedelta(days=1))
    seen += [service.erase(), service.erase()]
    assert is_there(locked, file)
    clock.go_on(days=1)
    let_pass(alone, timedelta(days=1))
    seen += [service.erase(), service.erase()]

    kept = ErasureReport(in_retention=1)
    assert seen == [
        kept,
        ErasureReport(),
        kept,
        ErasureReport(),
        ErasureReport(erasures=1),
        ErasureReport(),
    ]
    assert not is_there(locked, file)


def test_the_record_of_a_publication_goes_with_its_first_document(alone, clock, memory, purge):
    ids = uuid4(), uuid4()
    files = [stored(memory, blob_key=make_key(each, 1)) for each in ids]
    for each in ids:
        memory.put(make_record_key(each), [b"a record"])
    for each, file in zip(ids, files, strict=True):
        alone.put(an_ebox(), file, message_id=each)
    alone.put(an_ebox(), files[1], message_id=ids[1], expires_at=END + DAY)
    clock.now = END

    purge().purge(100)
    purge().erase()

    assert {key for key, versions in memory.versions.items() if versions} == {
        files[1]["blob_key"],
        make_record_key(ids[1]),
    }


def test_a_document_stays_as_long_as_storage_keeps_its_record(alone, clock, purge):
    """Else nobody would look for the record again."""
    locked = MemoryBlobs(retention=Retention("COMPLIANCE", days=91), now=clock)
    message_id = uuid4()
    file = stored(locked, blob_key=make_key(message_id, 1))
    clock.go_on(days=1)
    locked.put(make_record_key(message_id), [b"a record"])
    alone.put(an_ebox(), file, message_id=message_id)
    clock.now = NOON + 91 * DAY
    purge(locked).purge(100)

    report = purge(locked).erase()

    assert report == ErasureReport(in_retention=1)
    assert is_there(locked, file)


def test_erasing_goes_on_in_batches(alone, clock, memory, purge):
    ebox = an_ebox()
    with alone.worker() as connection:
        keys = [stored(memory)["blob_key"] for _ in range(51)]
        document_erasures.plan_erasures(connection, keys)
    alone.put(ebox, a_file(blob_key=keys[0]))

    seen = [purge().erase().total for _ in range(3)]

    assert seen == [50, 1, 0]
    assert set(memory.versions) - {keys[0]} == {
        key for key, versions in memory.versions.items() if not versions
    }


def test_two_at_once_erase_each_document_once(alone, clock, memory, purge):
    with alone.worker() as connection:
        document_erasures.plan_erasures(connection, [stored(memory)["blob_key"] for _ in range(75)])

    with ThreadPoolExecutor(2) as pool:
        shares = [pool.submit(purge().erase) for _ in range(2)]
        erased = sum(share.result(timeout=60).erasures for share in shares)

    erased += purge().erase().erasures  # what one found locked by the other
    assert erased == 75
    assert alone.rows("doomed_documents") == []


def test_nothing_is_known_of_a_message_that_was_never_deleted(alone, purge):
    assert DeletionProofs(purge().transactions).find(alone.put(an_ebox())) == []
