"""The smaller tables: events to tell, rights once heard, what was sent, counts, catalogues."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ssin
from registry.domain.partitions import Rights
from registry.domain.queries import Page
from registry.domain.reference import Catalogue
from registry.store import reference
from registry.store.consultation import partition_rights, statistics
from registry.store.events import outbox
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from registry.store.transactions import name_ebox
from tests.factories import a_person, an_ebox

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def test_the_same_event_twice_is_told_once(application, owner):
    event = Event(EventType.READ_DOCUMENT, an_ebox(), uuid4())

    for _ in range(2):
        with application.begin() as connection:
            name_ebox(connection, event.ebox)
            outbox.add(connection, event, due_at=NOW)

    kept = select(func.count()).where(outbox.outbox.c.ebox == event.ebox)
    with owner.connect() as connection:
        assert connection.scalar(kept) == 1


@pytest.mark.parametrize(
    "rights",
    [
        Rights(frozenset({"GENERAL", "B"}), frozenset({"GENERAL", "B", "C"})),
        Rights(frozenset(), frozenset()),
    ],
    ids=["some", "none"],
)
def test_rights_are_remembered_in_place_of_those_before(application, rights):
    ebox, person = an_ebox(), Ssin(a_person())

    with application.begin() as connection:
        name_ebox(connection, ebox)
        partition_rights.keep_rights(
            connection, ebox, person, Rights(frozenset({"old"})), now=NOW - DAY
        )
        partition_rights.keep_rights(connection, ebox, person, rights, now=NOW)
        known = partition_rights.find_rights(connection, ebox, person)

    assert known.rights == rights
    assert known.fetched_at == NOW


def test_nothing_is_known_of_somebody_never_asked_for(application):
    ebox = an_ebox()

    with application.begin() as connection:
        name_ebox(connection, ebox)

        assert partition_rights.find_rights(connection, ebox, Ssin(a_person())) is None


def test_a_sender_finds_where_his_message_went_and_nobody_else_does(application, fill):
    sender, recipient, stranger = an_ebox(), an_ebox(), an_ebox()
    message_id = fill(recipient)

    with application.begin() as connection:
        name_ebox(connection, sender)
        sent_messages.add(
            connection,
            sender,
            SentMessage(message_id=message_id, partition="B", recipient=recipient),
        )

    with application.begin() as connection:
        name_ebox(connection, sender)
        found = sent_messages.find(connection, sender, message_id)
        assert (found.recipient, found.partition) == (recipient, "B")
        name_ebox(connection, stranger)
        assert sent_messages.find(connection, stranger, message_id) is None
        assert sent_messages.find(connection, sender, message_id) is None


@pytest.fixture
def counts(application, settle):
    def count(ebox, parts=None):
        settle(ebox)
        with application.begin() as connection:
            name_ebox(connection, ebox)
            return statistics.count_messages(
                connection,
                ebox,
                partitions=parts,
                now=NOW,
                soon=NOW + 15 * DAY,
                known_sizes=settle.known,
            )

    return count


def test_each_message_counts_where_it_belongs(counts, deliver):
    ebox = an_ebox()
    deliver(ebox, received_at=NOW - 3 * DAY)
    deliver(ebox, received_at=NOW - 2 * DAY, is_visible=False, read_at=NOW)
    deliver(ebox, expires_at=NOW + 15 * DAY - timedelta(seconds=1), received_at=NOW - DAY)
    deliver(ebox, expires_at=NOW + 15 * DAY, received_at=NOW - 4 * DAY)
    deliver(ebox, expires_at=NOW + DAY, read_at=NOW, received_at=NOW - 5 * DAY)
    deliver(ebox, action_id="a", is_registered=True, received_at=NOW - 6 * DAY)
    deliver(ebox, action_id="a", action_executed_at=NOW, received_at=NOW - 7 * DAY)
    deliver(ebox, expires_at=NOW, is_registered=True, received_at=NOW)

    found = counts(ebox)

    assert found._asdict() == {
        "messages": 7,
        "unread": 5,
        "soon_expiring": 1,
        "action_required": 1,
        "registered_messages": 1,
        "last_received_at": NOW - DAY,
    }


def test_an_empty_ebox_counts_nothing_and_last_received_never(counts):
    assert tuple(counts(an_ebox())) == (0, 0, 0, 0, 0, None)


def test_only_the_partitions_asked_for_count(counts, deliver):
    ebox = an_ebox()
    for partition in ("GENERAL", "B", "C"):
        deliver(ebox, partition=partition)

    assert counts(ebox, frozenset({"B", "C"})).messages == 2
    assert counts(ebox, frozenset()).messages == 0


@pytest.mark.parametrize("catalogue", Catalogue)
def test_a_catalogue_is_paged_in_the_order_of_its_ids(application, catalogue):
    with application.connect() as connection:
        everything, total = reference.read_page(connection, catalogue, Page(size=100))
        first, _ = reference.read_page(connection, catalogue, Page(size=1))
        behind, still = reference.read_page(connection, catalogue, Page(number=1000))
        last = reference.find_entry(connection, catalogue, getattr(everything[-1], catalogue))

    ids = [getattr(entry, catalogue) for entry in everything]
    assert ids == sorted(ids)
    assert total == len(ids) > 0
    assert first == everything[:1]
    assert (behind, still) == ([], total)
    assert last == everything[-1]


@pytest.mark.parametrize("catalogue", Catalogue)
def test_an_unknown_entry_is_not_found(application, catalogue):
    with application.connect() as connection:
        assert reference.find_entry(connection, catalogue, "unknown") is None


def test_the_three_lists_refer_to_each_other_alike(application):
    with application.connect() as connection:
        types, applications, organizations = (
            reference.read_page(connection, catalogue, Page(size=100))[0]
            for catalogue in list(Catalogue)[:3]
        )

    of_types = {(kind.message_type_id, name) for kind in types for name in kind.organization_ids}
    of_organizations = {
        (name, sender.organization_id)
        for sender in organizations
        for name in sender.message_type_ids
    }
    through = {(kind.message_type_id, name) for kind in types for name in kind.application_ids}
    of_applications = {
        (name, entry.application_id) for entry in applications for name in entry.message_type_ids
    }
    assert of_types == of_organizations != set()
    assert through == of_applications != set()


def test_a_logo_is_found_under_its_owner_only(application):
    with application.connect() as connection:
        organizations, _ = reference.read_page(
            connection, Catalogue.SENDER_ORGANIZATIONS, Page(size=100)
        )
        logo = next(logo for entry in organizations for logo in entry.logos)
        found = reference.find_image(connection, "organization", logo.owner_id, logo.image_id)
        other = reference.find_image(connection, "application", logo.owner_id, logo.image_id)

    assert len(found.content) == logo.size
    assert found.media_type == logo.media_type
    assert logo.collection == "Organizations"
    assert other is None
