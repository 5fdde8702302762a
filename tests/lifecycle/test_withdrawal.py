"""What becomes of a withdrawn message by the clock: its news, its broadcasts, the purge."""

from datetime import timedelta

import pytest

from registry.audit.log import AuditLog
from registry.blobs.memory import MemoryBlobs
from registry.domain.document_keys import PREFIX
from registry.domain.errors import NotFound
from registry.domain.events import EventServiceResponse, EventType, Verdict
from registry.domain.identifiers import EboxKind
from registry.domain.pseudonyms import Pseudonyms
from registry.services.events.delivery import EventDelivery
from registry.services.events.reminders import Reminders
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.services.retention.legal_holds import LegalHolds
from registry.services.retention.purge import Purge
from registry.services.retention.withdrawal import BroadcastUnderway, Withdrawal
from registry.store.publication import broadcasts
from registry.store.publication.broadcasts import BroadcastOrder
from tests.factories import NOON, PDF, a_file, an_ebox

PSEUDONYMS = Pseudonyms("a key of the tests, long enough to count")
ALERT, NEW, READ = "documentExpirationAlert", "newDocument", "readDocument"


@pytest.fixture
def memory(clock):
    return MemoryBlobs(now=clock)


@pytest.fixture
def withdrawal(alone, clock, memory):
    log = AuditLog(PSEUDONYMS, clock, "an operator")
    return Withdrawal(
        alone.worker, LegalHolds(alone.worker, memory, log, clock), log, clock, size=2
    )


@pytest.fixture
def withdraw(withdrawal):
    return lambda message_id, ebox=None: list(withdrawal.withdraw(message_id, ebox, "a mistake"))


@pytest.fixture
def tell(alone, clock):
    """Have the federation told what is due; gives what it was told."""

    def deliver():
        calls = []

        class Service:
            def tell(self, announcements):
                calls.extend(announcements)
                return EventServiceResponse(Verdict.SUCCESS)

        while EventDelivery(alone.worker, Service(), clock, 100).deliver().events:
            pass
        return calls

    return deliver


def test_what_the_federation_never_heard_of_it_never_hears_of(alone, withdraw, tell):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen(NEW, ebox, message_id)

    withdraw(message_id)

    assert tell() == []
    assert alone.states(message_id=message_id) == [(NEW, "withdrawn")]


def test_what_it_was_told_of_it_is_told_has_expired(alone, clock, withdraw, tell):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen(NEW, ebox, message_id)
    tell()
    clock.go_on(hours=1)

    withdraw(message_id)

    (announcement,) = tell()
    assert announcement.type is EventType.DOCUMENT_EXPIRATION_ALERT
    assert (announcement.message_id, announcement.expires_at) == (message_id, clock())


def test_what_was_read_or_alerted_of_before_is_news_all_the_same(alone, clock, withdraw, tell):
    ebox = an_ebox()
    message_id = alone.put(ebox, read_at=NOON)
    for kind in (NEW, READ):
        alone.happen(kind, ebox, message_id)
    alone.happen(ALERT, ebox, message_id)
    tell()
    with alone.owner.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET state = 'told'")

    withdraw(message_id)

    assert [each.type.value for each in tell()] == [ALERT]
    assert len(alone.rows("outbox", message_id=message_id, type=ALERT)) == 2


def test_that_it_was_read_is_told_still(alone, withdraw, tell):
    ebox = an_ebox()
    message_id = alone.put(ebox, read_at=NOON)
    alone.happen(NEW, ebox, message_id)
    tell()
    alone.happen(READ, ebox, message_id)

    withdraw(message_id)

    assert sorted(each.type.value for each in tell()) == [ALERT, READ]


def test_an_event_that_is_being_told_is_left_to_who_tells_it(alone, withdraw, tell):
    ebox = an_ebox()
    message_id = alone.put(ebox)
    alone.happen(NEW, ebox, message_id)
    with alone.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outbox SET claimed_until = now() + interval '1 minute', attempts = 1"
        )

    withdraw(message_id)

    assert sorted(alone.states(message_id=message_id)) == [(ALERT, "waiting"), (NEW, "waiting")]
    with alone.owner.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET claimed_until = NULL")
    assert [each.type.value for each in tell()] == [ALERT]


def test_the_event_service_is_told_nothing_of_citizens(alone, withdraw, tell):
    ebox = an_ebox(EboxKind.CITIZEN)
    message_id = alone.put(ebox)
    alone.happen(NEW, ebox, message_id)

    withdraw(message_id)

    assert tell() == []
    assert alone.states(message_id=message_id) == [(NEW, "withdrawn")]


def test_nobody_is_reminded_of_it(alone, clock, withdraw):
    message_id = alone.put(an_ebox())
    withdraw(message_id)
    clock.go_on(days=20)

    days = timedelta(days=15), timedelta(days=7)
    list(Reminders(alone.worker, clock, *days).remind_all())

    assert alone.states(message_id=message_id) == [(ALERT, "waiting")]  # that of the withdrawal


def test_the_purge_takes_it_only_when_the_hold_is_lifted(alone, clock, memory, withdraw):
    file = a_file(PDF, blob_key=f"{PREFIX}kept")
    memory.put(file["blob_key"], [PDF])
    message_id = alone.put(an_ebox(), file)
    log = AuditLog(PSEUDONYMS, clock)
    purge = Purge(alone.worker, memory, log, PSEUDONYMS, clock)
    withdraw(message_id)
    clock.go_on(days=100)

    list(purge.purge_all(1000))

    assert alone.rows("messages", message_id=message_id)
    (hold,) = alone.rows("legal_holds", message_id=message_id)
    LegalHolds(alone.worker, memory, log, clock).lift(hold.hold_id, "settled")
    list(purge.purge_all(1000))
    assert not alone.rows("messages", message_id=message_id)
    (proof,) = alone.rows("deletions", message_id=message_id)
    assert (proof.why, proof.expired_at) == ("withdrawn", NOON + timedelta(days=90))


# Broadcasts


@pytest.fixture
def filing(alone, clock):
    log = AuditLog(PSEUDONYMS, clock)
    return BroadcastFiling(alone.worker, log, clock, size=3, patience=timedelta(0))


@pytest.fixture
def unfinished(alone, filing):
    """A broadcast to seven, of whom three have the message, and the first recipient."""
    sender, first = an_ebox(), an_ebox()
    message_id = alone.put(first, sender=sender.number, sent_from={"application_id": "my-minfin"})
    order = BroadcastOrder(
        message_id=message_id,
        recipients=[an_ebox() for _ in range(7)],
        refusals=[],
        digest=b"",
        key=None,
    )
    with alone.application(sender) as connection:
        assert broadcasts.record(connection, order, NOON)
    next(filing.resume_all())
    return message_id, first


def test_a_broadcast_under_way_ends_and_all_copies_are_gone(alone, filing, unfinished, withdraw):
    message_id, _ = unfinished

    batches = withdraw(message_id)

    assert [batch.copies for batch in batches] == [2, 2]
    assert [batch.broadcasts for batch in batches] == [1, 0]
    assert list(filing.resume_all()) == []
    copies = alone.rows("messages", message_id=message_id)
    assert len(copies) == 4
    assert all(copy.withdrawn_at for copy in copies)


def test_who_files_a_chunk_at_that_moment_files_nothing_more(alone, filing, unfinished, withdraw):
    message_id, _ = unfinished
    (row,) = alone.rows("broadcasts", message_id=message_id)
    with alone.application(row.ebox) as connection:
        chunk = broadcasts.find_chunk(connection, row.broadcast_id, 3)
    withdraw(message_id)

    with alone.application(row.ebox) as connection:
        following = broadcasts.file_chunk(connection, chunk, [], 3, NOON)

    assert following is None


def test_one_copy_waits_until_the_broadcast_is_over(filing, unfinished, withdraw, alone):
    message_id, first = unfinished

    with pytest.raises(BroadcastUnderway):
        withdraw(message_id, first)

    assert not any(copy.withdrawn_at for copy in alone.rows("messages", message_id=message_id))
    list(filing.resume_all())
    assert [batch.copies for batch in withdraw(message_id, first)] == [1]


def test_an_unknown_id_and_another_e_box_are_not_there(alone, withdrawal):
    message_id = alone.put(an_ebox())

    with pytest.raises(NotFound):
        withdrawal.rehearse(message_id, an_ebox())
    assert withdrawal.rehearse(message_id, None).copies == 1
