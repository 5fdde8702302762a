"""What the worker and operators do past the API is recorded where it happens too."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.domain.errors import NotFound, Unavailable
from registry.domain.identifiers import EboxKind
from registry.wiring.worker import assemble_worker
from tests.factories import a_file, an_ebox

PAST = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def services(alone):
    """The worker's services as they are assembled, on a database with nothing in it."""
    alone.clear()
    assembled = assemble_worker(alone.settings)
    yield assembled
    assembled.dispose()


@pytest.fixture
def noted(alone):
    """URL, details and pseudonym of all that was recorded."""

    def look():
        rows = sorted(alone.rows("audit_entries"), key=lambda row: row.entry_number)
        entries = [(json.loads(row.entry), row) for row in rows]
        for entry, row in entries:
            assert row.person is None
            assert len(entry) == 7
        return [
            (entry["API_CALL_REQUEST_URL"], entry["API_CALL_DETAILS"], row.ebox)
            for entry, row in entries
        ]

    return look


@pytest.mark.parametrize("kind", EboxKind)
def test_each_message_that_is_purged_is_noted(alone, services, noted, pseudonyms, kind):
    eboxes = [an_ebox(kind) for _ in range(2)]
    gone = {str(alone.put(ebox, a_file(), expires_at=PAST)): ebox for ebox in eboxes}
    alone.put(an_ebox(kind), expires_at=datetime.now(UTC) + timedelta(days=1))

    assert services.purge.purge(100) == 2
    assert services.purge.purge(100) == 0

    entries = [
        ("urn:registry:purge", {"messageId": message}, pseudonyms.hash_ebox(ebox))
        for message, ebox in gone.items()
    ]
    assert sorted(noted(), key=str) == sorted(entries, key=str)


def test_a_deed_is_the_registrys_own(alone, services):
    alone.put(an_ebox(), expires_at=PAST)

    services.purge.purge(100)

    (row,) = alone.rows("audit_entries")
    entry = json.loads(row.entry)
    assert abs(datetime.fromisoformat(entry.pop("TIMESTAMP")) - datetime.now(UTC)) < (
        timedelta(minutes=1)
    )
    assert entry.pop("API_CALL_DETAILS")
    assert entry == {
        "SUBJECT_TOKEN_HASHED": None,
        "CLIENT_ID": "registry",
        "API_CALL_REQUEST_METHOD": "DO",
        "API_CALL_REQUEST_URL": "urn:registry:purge",
        "API_CALL_RESPONSE_CODE": 200,
    }


def test_a_hold_is_noted_when_it_is_set_and_when_it_is_lifted(alone, services, noted, pseudonyms):
    ebox = an_ebox()
    message = alone.put(ebox)

    on_message = services.legal_holds.set(ebox, message, "a lawsuit of An Peeters")
    on_ebox = services.legal_holds.set(ebox, None, "another")
    services.legal_holds.lift(on_message, "settled")

    about = pseudonyms.hash_ebox(ebox)
    of_message = {"holdId": str(on_message), "messageId": str(message)}
    assert noted() == [
        ("urn:registry:hold/set", of_message, about),
        ("urn:registry:hold/set", {"holdId": str(on_ebox)}, about),
        ("urn:registry:hold/lift", of_message, about),
    ]


def test_a_hold_that_is_refused_is_not_noted(services, noted):
    with pytest.raises(NotFound):
        services.legal_holds.set(an_ebox(), uuid4(), "a lawsuit")
    with pytest.raises(NotFound):
        services.legal_holds.lift(uuid4(), "settled")

    assert noted() == []


@pytest.mark.parametrize(
    ("deed", "do"),
    [
        ("replay", lambda event_administration, ids: event_administration.replay(ids)),
        ("skip", lambda event_administration, ids: event_administration.skip(ids, "not wanted")),
    ],
)
def test_what_an_operator_decides_on_an_event_is_noted(
    alone, services, noted, pseudonyms, deed, do
):
    ebox = an_ebox()
    event = alone.happen("newDocument", ebox)

    do(services.event_administration, [event.correlation_id, uuid4()])

    told = {
        "eventCorrelationId": str(event.correlation_id),
        "messageId": str(event.message_id),
    }
    assert noted() == [(f"urn:registry:events/{deed}", told, pseudonyms.hash_ebox(ebox))]


def test_all_dead_events_are_counted(alone, services, noted):
    for _ in range(3):
        alone.happen("newDocument", an_ebox())
    with alone.owner.begin() as connection:
        settled = text("UPDATE outbox SET state = 'dead', settled_at = :at, reason = 'no'")
        connection.execute(settled, {"at": PAST})

    assert list(services.event_administration.replay_dead()) == [3]

    assert noted() == [("urn:registry:events/replay-dead", {"events": 3}, None)]


@pytest.mark.parametrize("deed", ["purge", "hold", "replay"])
def test_what_cannot_be_noted_is_not_done(alone, services, deed):
    ebox = an_ebox()
    message, event = alone.put(ebox, expires_at=PAST), alone.happen("newDocumentReminder", ebox)
    tables = ("messages", "outbox", "deletions", "legal_holds", "doomed_documents")
    before = [alone.rows(table) for table in tables]
    do = {
        "purge": lambda: services.purge.purge(10),
        "hold": lambda: services.legal_holds.set(ebox, message, "a lawsuit"),
        "replay": lambda: services.event_administration.replay([event.correlation_id]),
    }[deed]
    right, roles = (
        "INSERT (packed) ON audit_entries",
        ("registry_application, registry_worker"),
    )

    with alone.owner.begin() as connection:
        connection.execute(text(f"REVOKE {right} FROM {roles}"))
    try:
        with pytest.raises(Unavailable):
            do()
    finally:
        with alone.owner.begin() as connection:
            connection.execute(text(f"GRANT {right} TO {roles}"))

    assert [alone.rows(table) for table in tables] == before
