"""From publication to the proof of deletion, as seen through the API, months in a moment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from registry.api.state import get_state, set_state
from registry.app import create_app
from registry.audit.log import AuditLog
from registry.domain.errors import DocumentUnavailable
from registry.domain.events import EventServiceResponse, Verdict
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.pseudonyms import Pseudonyms
from registry.sandbox.personas import AGENCY, CONSUMER, SENDER
from registry.services.events.delivery import EventDelivery
from registry.services.events.reminders import Reminders
from registry.services.retention.deletion_proofs import DeletionProofs
from registry.services.retention.purge import ErasureReport, Purge
from tests.api.publication import Sender, named
from tests.conftest import Visitor
from tests.factories import NOON, PDF, an_ebox

DAY = timedelta(days=1)
END = NOON + 90 * DAY  # of an information letter
SECOND = timedelta(seconds=1)
PSEUDONYMS = Pseudonyms("a key of the tests, long enough to count")
KEY = {"Idempotency-Key": '"the first of all keys"'}


@pytest.fixture(scope="module")
def app(database_alone):
    """The application on the module's own database."""
    app = create_app(database_alone.settings.model_copy(update={"check_digits": False}))
    yield app
    get_state(app).registry.dispose()


@pytest.fixture
def served(app, clock):
    """The same, assembled around the clock of the test."""
    state = get_state(app)
    registry = state.registry
    partition_rights = replace(registry.consultation.partition_rights, now=clock)
    consultation = replace(registry.consultation, partition_rights=partition_rights, now=clock)
    filing = replace(registry.publication.filing, now=clock)
    changed = replace(
        registry,
        consultation=consultation,
        publication=replace(registry.publication, consultation=consultation, filing=filing),
        broadcast=replace(
            registry.broadcast, now=clock, filing=replace(registry.broadcast.filing, now=clock)
        ),
    )
    set_state(app, replace(state, registry=changed))
    yield app
    set_state(app, state)


@pytest.fixture
def sender(served, party):
    """The agency's software."""
    token = party(SENDER, CONSUMER, enterprise=AGENCY.digits)
    return Sender(served.test_client(), token, Ebox(EboxKind.ENTERPRISE, AGENCY.digits))


@pytest.fixture
def recipient(served, party):
    """Who reads his own e-Box."""
    ebox = an_ebox()
    return Visitor(served.test_client(), party(CONSUMER, enterprise=ebox.number), ebox)


class Worker:
    """All that the clock asks for, and the federation that hears of it."""

    def __init__(self, alone, blobs, clock):
        self.heard, self._clock = [], clock
        self.event_delivery = EventDelivery(alone.worker, self, clock, 100)
        self.reminders = Reminders(alone.worker, clock, 15 * DAY, 7 * DAY)
        self.deletion_proofs = DeletionProofs(alone.worker)
        self.purge = Purge(alone.worker, blobs, AuditLog(PSEUDONYMS, clock), PSEUDONYMS, clock)

    def tell(self, announcements):
        self.heard += [(str(told.type), str(told.message_id)) for told in announcements]
        return EventServiceResponse(Verdict.SUCCESS)

    def work_at(self, instant):
        """Do what is to be done at an instant; type and message of what was told."""
        self._clock.now = instant
        before = len(self.heard)
        self.reminders.remind()
        self.reminders.alert()
        while self.event_delivery.deliver().events:
            pass
        return self.heard[before:]


@pytest.fixture
def worker(alone, blobs, clock):
    return Worker(alone, blobs, clock)


def seen(visitor, message_id):
    """What every question about a message is answered with."""
    path = f"/ebox/messages/{message_id}"
    asked = [path, f"{path}/attachments", f"{path}/attachments/1", f"{path}/attachments/1/content"]
    search = {"q": "aanslag", "qlang": "nl"}
    return (
        [visitor.get(question).status_code for question in asked],
        visitor.get("/ebox/messages").json["totalItems"],
        visitor.get("/ebox/messages", query_string=search).json["totalItems"],
        visitor.get("/ebox/statistics").json["numberOfMessages"],
    )


THERE = ([200] * 4, 1, 1, 1)
GONE = ([404] * 4, 0, 0, 0)


def test_the_life_of_a_message_that_nobody_reads(alone, clock, worker, sender, recipient, blobs):
    message_id = sender.published(recipient.ebox, headers=KEY)
    ((file,), (sent,)) = alone.rows("attachments"), alone.rows("sent_messages")

    days = (0, 1, 14, 15, 16, 82, 83, 84, 89)
    told = {day: worker.work_at(NOON + day * DAY) for day in days}

    assert {day: events for day, events in told.items() if events} == {
        0: [("newDocument", message_id)],
        15: [("newDocumentReminder", message_id)],
        83: [("documentExpirationAlert", message_id)],
    }
    clock.now = END - SECOND
    assert recipient.get("/ebox/statistics").json["numberOfUnreadMessages"] == 1
    assert sender.publish(recipient.ebox, headers=KEY).status_code == 409
    assert worker.purge.purge(100) == 0
    clock.now = END
    assert seen(recipient, message_id) == GONE
    assert sender.get(f"/ebox/messages/{message_id}").status_code == 404

    assert worker.purge.purge(100) == 1
    assert worker.purge.erase() == ErasureReport(erasures=1)

    tables = ("messages", "search_texts", "attachments", "outbox", "sent_messages")
    assert [alone.rows(table) for table in (*tables, "doomed_documents")] == [[]] * 6
    assert str(sent.message_id) == message_id
    with pytest.raises(DocumentUnavailable):
        blobs.open(file.blob_key, 0, len(PDF) - 1)
    (proof,) = worker.deletion_proofs.find(sent.message_id)
    assert proof.ebox_hash == PSEUDONYMS.hash_ebox(recipient.ebox)
    assert proof.documents == [{"attachmentId": "1", "digest": file.digest, "size": len(PDF)}]
    assert recipient.ebox.number not in repr(proof)
    assert AGENCY.digits not in repr(proof)
    assert seen(recipient, message_id) == GONE
    assert worker.work_at(END + DAY) == []
    assert sender.publish(recipient.ebox, headers=KEY).status_code == 201


def test_the_life_of_a_message_that_is_read(alone, clock, worker, sender, recipient):
    message_id = sender.published(recipient.ebox)
    told = [worker.work_at(NOON)]
    clock.now = NOON + 10 * DAY

    assert seen(recipient, message_id) == THERE
    told += [worker.work_at(NOON + day * DAY) for day in (10, 15, 83, 89)]
    clock.now = END - SECOND
    assert seen(recipient, message_id) == THERE
    clock.now = END
    assert seen(recipient, message_id) == GONE

    assert told == [[("newDocument", message_id)], [("readDocument", message_id)], [], [], []]
    assert worker.purge.purge(100) == 1


def test_a_message_that_is_read_between_its_reminder_and_its_alert(worker, sender, recipient):
    message_id = sender.published(recipient.ebox)
    told = [worker.work_at(NOON), worker.work_at(NOON + 15 * DAY)]

    recipient.get(f"/ebox/messages/{message_id}/attachments/1/content")
    told += [worker.work_at(NOON + day * DAY) for day in (16, 83)]

    kinds = [[kind for kind, _ in events] for events in told]
    assert kinds == [["newDocument"], ["newDocumentReminder"], ["readDocument"], []]


def test_a_message_that_the_federation_never_heard_of_outlives_its_end(
    alone, clock, worker, sender, recipient
):
    message_id = sender.published(recipient.ebox)
    clock.now = END + DAY

    before = worker.purge.purge(100)
    shown = seen(recipient, message_id)
    told = worker.work_at(END + DAY)
    after = worker.purge.purge(100)

    assert (before, after) == (0, 1)
    assert shown == GONE
    assert told == [("newDocument", message_id)]


def test_the_documents_of_a_broadcast_go_with_the_last_of_its_messages(
    alone, worker, sender, recipient, blobs, hold
):
    message_id = sender.published(recipient.ebox)
    others = [an_ebox() for _ in range(3)]
    links = [named(ebox) for ebox in others]
    path = f"/ebox/messages/{message_id}/recipients"
    assert sender.ask("POST", path, json={"recipients": links}).status_code == 201
    key = alone.rows("attachments")[0].blob_key
    lift = hold(others[0])
    told = worker.work_at(NOON)
    worker.work_at(END)

    purged = [(worker.purge.purge(100), worker.purge.erase())]
    blobs.open(key, 0, len(PDF) - 1).close()
    lift()
    purged.append((worker.purge.purge(100), worker.purge.erase()))

    assert told == [("newDocument", message_id)] * 4
    assert purged == [(3, ErasureReport(in_use=1)), (1, ErasureReport(erasures=1))]
    with pytest.raises(DocumentUnavailable):
        blobs.open(key, 0, len(PDF) - 1)
    assert {row.ebox_hash for row in alone.rows("deletions")} == {
        PSEUDONYMS.hash_ebox(ebox) for ebox in (recipient.ebox, *others)
    }
