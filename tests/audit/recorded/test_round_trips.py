"""What recording costs: one statement, in the transaction that is there anyway."""

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.pq import Trace
from sqlalchemy import event

from registry.api.state import get_state, set_state
from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import AGENCY, CONSUMER, PORTAL, SENDER
from tests.api.publication import MESSAGES, Sender, named
from tests.factories import PDF, a_file, a_person, an_ebox

BEGIN = ["BEGIN", "SELECT"]  # in one round trip, which names the e-Box
END = ["INSERT INTO audit_entries", "COMMIT"]
TOMORROW = datetime.now(UTC) + timedelta(days=1)
_ASKED = re.compile(
    r'^F\t\d+\t(?:(?:Query\t|Parse\t "(?P<prepared>[^"]*)") "\s*(?P<text>.*?)"?(?: \d+)*'
    r'|Bind\t "" "(?P<bound>\w+)".*)$',
    re.MULTILINE,
)
_VERB = re.compile(r"INSERT INTO audit_entries|\w+")


@pytest.fixture
def seen(registry_alone, tmp_path):
    """The statements as they go over the wire `with seen() as statements:`, by their verbs."""
    engine = get_state(registry_alone.app).registry.consultation.transactions.engine

    @contextmanager
    def watched():
        statements, log = [], tmp_path / "wire"
        with log.open("w") as file:

            def begin(driver, *_):
                driver.pgconn.trace(file.fileno())
                driver.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)

            def end(driver, *_):
                driver.pgconn.untrace()

            event.listen(engine, "checkout", begin)
            event.listen(engine, "checkin", end)
            try:
                yield statements
            finally:
                event.remove(engine, "checkout", begin)
                event.remove(engine, "checkin", end)
        statements += _list_verbs(log.read_text())

    return watched


def _list_verbs(log):
    """What was asked, by its verbs; "EXECUTE" stands for what was prepared earlier."""
    prepared = set()
    for asked in _ASKED.finditer(log):
        if asked["text"] is not None:
            prepared.add(asked["prepared"])
            yield from (_VERB.search(one)[0] for one in asked["text"].split("; "))
        elif asked["bound"] not in prepared:
            yield "EXECUTE"


@pytest.fixture
def somebody(registry_alone, party):
    """Somebody at the registry whose database is his own: `somebody(CONSUMER)`."""

    def come(*scopes, ebox=None, **more):
        ebox = ebox or an_ebox()
        token = party(*scopes, enterprise=ebox.number, **more)
        return Sender(registry_alone.app.test_client(), token, ebox)

    return come


def test_a_listing_is_one_page_and_one_entry(registry_alone, somebody, seen):
    consumer = somebody(CONSUMER)
    for _ in range(3):
        registry_alone.alone.put(consumer.ebox, expires_at=TOMORROW)
    consumer.get(MESSAGES)  # a new connection has its role checked, and the page prepared, once

    with seen() as statements:
        answer = consumer.get(MESSAGES)

    assert answer.json["totalItems"] == 3
    assert statements == [*BEGIN, "EXECUTE", *END]


def test_a_persons_listing_asks_for_his_rights_too(somebody, grant, seen):
    ebox, person = an_ebox(), a_person()
    grant(ebox.number, ["GENERAL"], {person: ["GENERAL"]})
    user = somebody(PORTAL, ebox=ebox, person=person)
    user.get(MESSAGES)

    with seen() as statements:
        assert user.get(MESSAGES).status_code == 200

    assert statements == [*BEGIN, "SELECT", "EXECUTE", *END]


def test_reference_data_is_recorded_where_it_was_read(somebody, seen):
    consumer = somebody(CONSUMER)
    tag = consumer.get("/refData/messageTypes").headers["ETag"]

    with seen() as statements:
        unchanged = consumer.get("/refData/messageTypes", headers={"If-None-Match": tag})

    assert unchanged.status_code == 304
    assert statements[0] == "BEGIN"
    assert statements[-2:] == END
    assert statements.count("BEGIN") == 1


def test_a_publication_costs_a_note_and_eight_statements_with_its_entry(somebody, seen):
    sender, recipient = somebody(SENDER, ebox=_agency()), an_ebox()
    sender.published(recipient)  # the rules are known from here on

    with seen() as statements:
        sender.published(recipient)

    note = "WITH"  # that documents are on their way to storage: it commits itself
    assert statements == [note, *BEGIN, "WITH", "SELECT", "SELECT", "WITH", *END]
    assert len(statements) == 9


def test_the_mark_of_a_document_and_its_entry_are_one_transaction(
    registry_alone, somebody, seen, blobs
):
    consumer, file = somebody(CONSUMER), a_file()
    blobs.put(file["blob_key"], [PDF])
    message = registry_alone.alone.put(consumer.ebox, file, expires_at=TOMORROW)

    with seen() as statements:
        consumer.get(f"{MESSAGES}/{message}/attachments/1/content")

    look = [*BEGIN, "SELECT", "COMMIT"]
    assert statements == [*look, *BEGIN, "UPDATE", "INSERT", *END]


def test_a_chunk_of_a_broadcast_costs_two_round_trips(registry_alone, somebody, seen):
    state = get_state(registry_alone.app)
    broadcast = state.registry.broadcast
    by_threes = replace(broadcast, filing=replace(broadcast.filing, size=3))
    sender = somebody(SENDER, ebox=_agency())
    message_id = sender.published(an_ebox())
    path = f"{MESSAGES}/{message_id}/recipients"
    recipients = [named(an_ebox()) for _ in range(7)]

    set_state(
        registry_alone.app, replace(state, registry=replace(state.registry, broadcast=by_threes))
    )
    with seen() as statements:
        answer = sender.ask("POST", path, json={"recipients": recipients})
    set_state(registry_alone.app, state)

    assert answer.json["nbSuccessLinks"] == 7
    renewal = ["COMMIT", *BEGIN]  # in one round trip
    # "UPDATE" notes the trace of the call, once for all chunks.
    recorded = [*BEGIN, "SELECT", "UPDATE", "INSERT INTO audit_entries", *renewal, "SELECT"]
    assert statements == [*recorded, "WITH", *renewal, "WITH", *renewal, "WITH", "COMMIT"]


def _agency():
    return Ebox(EboxKind.ENTERPRISE, AGENCY.digits)
