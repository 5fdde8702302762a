"""Events on their way: each once, single ones apart from those that come by the thousand."""

from datetime import timedelta

from registry.domain.events import Event, EventType
from registry.store.events import outbox
from registry.store.publication import broadcasts
from registry.store.publication.broadcasts import BroadcastOrder, Link
from tests.factories import NOON, a_file, an_ebox


def test_many_events_are_put_at_once_and_wait_in_the_bulk_lane(alone):
    eboxes = [an_ebox() for _ in range(3)]
    events = [Event(EventType.NEW_DOCUMENT_REMINDER, ebox, alone.put(ebox)) for ebox in eboxes]

    with alone.worker() as connection:
        outbox.add_bulk(connection, events, due_at=NOON)

    rows = alone.rows("outbox")
    assert {Event(EventType(row.type), row.ebox, row.message_id) for row in rows} == set(events)
    assert {row.correlation_id for row in rows} == {event.correlation_id for event in events}
    assert {(row.is_bulk, row.state, row.due_at, row.attempts) for row in rows} == {
        (True, "waiting", NOON, 0)
    }


def test_the_same_events_again_change_nothing(alone):
    event = Event(EventType.NEW_DOCUMENT_REMINDER, an_ebox(), alone.put(an_ebox()))
    with alone.worker() as connection:
        outbox.add_bulk(connection, [event, event], due_at=NOON)
    before = alone.rows("outbox")

    with alone.worker() as connection:
        outbox.add_bulk(connection, [event], due_at=NOON + timedelta(days=1))

    assert alone.rows("outbox") == before
    assert len(before) == 1


def test_an_event_that_was_told_is_not_put_again(alone):
    event = alone.happen("newDocumentReminder", an_ebox())
    with alone.owner.begin() as connection:
        connection.execute(outbox.outbox.update().values(state="told"))

    with alone.worker() as connection:
        outbox.add_bulk(connection, [event], due_at=NOON)

    assert alone.states() == [("newDocumentReminder", "told")]


def test_no_events_are_no_work(alone):
    with alone.worker() as connection:
        outbox.add_bulk(connection, [], due_at=NOON)

    assert alone.rows("outbox") == []


def test_a_single_publication_waits_in_the_prompt_lane(alone):
    alone.happen("newDocument", an_ebox())

    assert [row.is_bulk for row in alone.rows("outbox")] == [False]


def test_the_events_of_a_broadcast_wait_in_the_bulk_lane(alone):
    sender, first, *others = [an_ebox() for _ in range(5)]
    message_id = alone.put(
        first, a_file(), sender=sender.number, sent_from={"partition": "GENERAL"}
    )
    links = [
        Link(
            recipient=ebox,
            partition="GENERAL",
            is_pending=False,
            event_id=Event(EventType.NEW_DOCUMENT, ebox, message_id).correlation_id,
        )
        for ebox in [first, *others]
    ]

    order = BroadcastOrder(
        message_id=message_id, recipients=[first, *others], refusals=[], digest=b"", key=None
    )
    with alone.application(sender) as connection:
        broadcast = broadcasts.record(connection, order, NOON)
        chunk = broadcasts.find_chunk(connection, broadcast.broadcast_id, len(links))
        broadcasts.file_chunk(connection, chunk, links, len(links), NOON)

    rows = alone.rows("outbox")
    assert {row.ebox for row in rows} == set(others)
    assert {(row.type, row.is_bulk, row.due_at) for row in rows} == {("newDocument", True, NOON)}
