"""Federal events are recognised when they come twice (contract 3.3)."""

from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from registry.domain.events import Announcement, Event, EventServiceResponse, EventType, Verdict
from registry.domain.identifiers import Ebox, EboxKind
from tests.factories import NOON

MESSAGE = UUID("3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10")
BAKERY = Ebox(EboxKind.ENTERPRISE, "0206731645")


def test_the_same_happening_has_the_same_correlation_id_in_every_process_for_ever():
    event = Event(EventType.READ_DOCUMENT, BAKERY, MESSAGE)

    assert event.correlation_id == UUID("d10eff32-573c-5fc2-987b-c2893e7565da")


def test_different_happenings_have_different_correlation_ids():
    eboxes = [
        BAKERY,
        Ebox(EboxKind.ENTERPRISE, "0308357159"),
        Ebox(EboxKind.CITIZEN, BAKERY.number),
    ]
    messages = [MESSAGE, UUID(int=0)]

    ids = {Event(*event).correlation_id for event in product(EventType, eboxes, messages)}

    assert len(ids) == len(EventType) * len(eboxes) * len(messages)


def test_the_federation_knows_the_types_by_their_contract_names():
    assert set(EventType) == {
        "newDocument",
        "newDocumentReminder",
        "readDocument",
        "documentExpirationAlert",
    }


@pytest.mark.parametrize("kind", EventType)
def test_an_event_is_the_same_by_the_word_for_its_type(kind):
    """The store gives types as it has them."""
    event = Event(kind, BAKERY, MESSAGE)

    assert Event(EventType(kind.value), BAKERY, MESSAGE).correlation_id == event.correlation_id


def test_the_correlation_ids_of_a_message_are_for_ever():
    ids = {kind.value: str(Event(kind, BAKERY, MESSAGE).correlation_id) for kind in EventType}

    assert ids == {
        "newDocument": "3c038899-ce6d-5d36-9cfc-c26a13e5d70e",
        "newDocumentReminder": "b347ced4-2ad0-5a0d-935f-35fd085d6e79",
        "readDocument": "d10eff32-573c-5fc2-987b-c2893e7565da",
        "documentExpirationAlert": "b26b6030-3055-53f5-a6d2-93ade3638d18",
    }


def test_a_happening_is_announced_without_subject_unless_one_is_given():
    told = Announcement(
        type=EventType.NEW_DOCUMENT,
        correlation_id=Event(EventType.NEW_DOCUMENT, BAKERY, MESSAGE).correlation_id,
        ebox=BAKERY,
        message_id=MESSAGE,
        received_at=NOON,
        expires_at=NOON + timedelta(days=90),
        is_registered=False,
        message_type_id="information-letter",
        sender="0308357159",
    )

    assert (told.subject, told.sender_application_id) == (None, None)


def test_a_response_asks_for_no_wait_unless_it_says_so():
    assert EventServiceResponse(Verdict.OUTAGE) == EventServiceResponse(Verdict.OUTAGE, "", None)
