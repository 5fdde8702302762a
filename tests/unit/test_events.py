"""Federal events are recognised when they come twice (contract 3.3)."""

from itertools import product
from uuid import UUID

from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind

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
