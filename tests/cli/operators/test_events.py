"""`registry events`: list, show, replay, skip, preview."""

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.domain.belgian_time import BELGIUM
from registry.domain.events import Event, EventType
from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.store.consultation import messages
from registry.store.events import administration, outbox
from tests.factories import a_file, a_message, a_person, an_ebox

pytestmark = pytest.mark.long

NOW = datetime.now(UTC)
LOCAL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0[12]:00")
NARROW = {"COLUMNS": "60"}


@pytest.fixture
def happened(alone):
    """Put an event into the outbox, as far on its way as the columns say; gives it."""

    def put(kind=EventType.NEW_DOCUMENT, ebox=None, message_id=None, **columns):
        event = Event(kind, ebox or an_ebox(), message_id or uuid4())
        with alone.owner.begin() as connection:
            outbox.add(connection, event, due_at=columns.pop("due_at", NOW - timedelta(hours=1)))
            if columns:
                mine = outbox.outbox.c.correlation_id == event.correlation_id
                connection.execute(outbox.outbox.update().where(mine).values(**columns))
        return event

    return put


@pytest.fixture
def dead(happened):
    """An event that the Event Service refused."""

    def put(reason="400 InvalidInput", **columns):
        return happened(state="dead", settled_at=NOW, reason=reason, attempts=1, **columns)

    return put


@pytest.fixture
def events(run, alone):
    """Type `registry events …`."""

    def typed(*command, env=None):
        return run("events", *map(str, command), env=alone.environment | (env or {}))

    return typed


@pytest.fixture
def now_in(alone):
    """What became of an event: its row."""

    def look(event):
        with alone.owner.connect() as connection:
            return administration.find_events(connection, event.correlation_id)[0]

    return look


# list


def words(event, due, *more):
    """What a line says of an event that was announced."""
    ids = (str(event.correlation_id), str(event.message_id))
    return [event.type, *ids, "enterprise", event.ebox.number, *due.split(), *more]


def test_events_that_are_due_are_listed_in_belgian_time(events, happened):
    winter, summer = datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
    first = happened(due_at=winter, attempts=3, reason="status 503")
    second = happened(EventType.READ_DOCUMENT, due_at=summer)
    happened(due_at=NOW + timedelta(days=1))
    happened(state="told", settled_at=NOW)

    done = events("list")

    heading, *lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert " ".join(heading.split()) == (
        "event type event id message id e-Box due since attempts why"
    )
    assert [line.split() for line in lines] == [
        words(first, "2026-02-01 00:30:00+01:00", "3", "status", "503"),
        words(second, "2026-07-01 14:00:00+02:00", "0"),
    ]


def test_dead_events_are_listed_with_the_reason(events, happened, dead):
    happened()
    refused = dead("400 messageTypeId is unknown")

    done = events("list", "--dead")

    assert len(done.out.splitlines()) == 2
    assert str(refused.correlation_id) in done.out
    assert "400 messageTypeId is unknown" in done.out


def test_where_there_is_nothing_that_is_said(events):
    assert events("list").out == "No event is due.\n"
    assert events("list", "--dead").out == "No event is dead.\n"
    assert json.loads(events("list", "--json").out) == []


def test_a_list_that_is_cut_says_so(events, happened):
    for _ in range(3):
        happened()

    cut = events("list", "--limit", "2")
    for_programs = events("list", "--limit", "2", "--json")
    whole = events("list", "--limit", "3")

    assert len(cut.out.splitlines()) == 3
    assert cut.err == "These are the oldest 2; more are due: use --limit.\n"
    assert len(json.loads(for_programs.out)) == 2
    assert for_programs.err == cut.err
    assert whole.err == ""


def test_a_program_gets_members(events, dead):
    event = dead(is_bulk=True)

    [told] = json.loads(events("list", "--dead", "--json").out)

    assert told == {
        "type": "newDocument",
        "eventId": str(event.correlation_id),
        "messageId": str(event.message_id),
        "ebox": {"eboxType": "enterprise", "enterpriseNumber": event.ebox.number},
        "state": "dead",
        "isBulk": True,
        "dueAt": (NOW - timedelta(hours=1)).isoformat(),
        "attempts": 1,
        "settledAt": NOW.isoformat(),
        "reason": "400 InvalidInput",
    }


def test_on_a_narrow_terminal_the_ids_stay_whole(events, dead):
    first, second = dead("\x1b[2Jred [bold]"), dead()

    done = events("list", "--dead", env=NARROW)

    blocks = done.out.split("\n\n")
    assert len(blocks) == 2
    assert f"event id    {first.correlation_id}\n" in done.out
    assert f"message id  {second.message_id}\n" in done.out
    assert "why          [2Jred [bold]\n" in done.out


def test_a_reason_wraps_on_a_terminal_that_has_room_for_the_ids(events, dead):
    event = dead("word " * 60)

    lines = events("list", "--dead", env={"COLUMNS": "210"}).out.splitlines()

    assert str(event.correlation_id) in lines[1]
    assert max(map(len, lines)) <= 210
    assert " ".join(lines).count("word") == 60


def test_the_number_of_a_citizen_is_shown_nowhere(events, happened, dead):
    person = a_person()
    citizen = an_ebox(EboxKind.CITIZEN)
    dotted = f"{person[:2]}.{person[2:4]}.{person[4:6]}-{person[6:9]}.{person[9:]}"
    due = happened(ebox=citizen)
    dead(f"{citizen.number} or {dotted} is refused", ebox=citizen)

    said = [
        events(*command).said
        for command in (
            ("list",),
            ("list", "--json"),
            ("list", "--dead"),
            ("list", "--dead", "--json"),
            ("show", due.message_id),
            ("show", due.message_id, "--json"),
            ("show", citizen.number),
            ("list", citizen.number),
            (citizen.number,),
            ("replay", due.correlation_id),
            ("replay", citizen.number),
            ("skip", due.correlation_id, "--why", "test"),
            ("skip", citizen.number, "--why", "test"),
        )
    ]

    told = "\n".join(said)
    assert "citizen …" in told
    assert "*** or *** is refused" in told
    assert citizen.number not in told
    assert dotted not in told


def test_either_kind_of_list_is_asked_for_not_both(events):
    done = events("list", "--due", "--dead")

    assert done.code == 2
    assert "not both" in done.err
    assert events("list", "--limit", "0").code == 2


# show

MEMORY = (
    "Events that were told more than 14 days ago are forgotten. The worker's log has a line for"
    " each, and the audit trail what they were the news of."
)


def test_an_event_is_shown_by_its_id_and_by_that_of_its_message(events, happened):
    told = happened(state="told", settled_at=datetime(2026, 3, 2, 8, 0, tzinfo=UTC), attempts=1)
    read = happened(EventType.READ_DOCUMENT, told.ebox, told.message_id, due_at=NOW)

    one, both = events("show", told.correlation_id), events("show", told.message_id)

    assert one.out.splitlines()[:5] == [
        "event type  newDocument",
        f"event id    {told.correlation_id}",
        f"message id  {told.message_id}",
        f"e-Box       enterprise {told.ebox.number}",
        "state       told at 2026-03-02 09:00:00+01:00",
    ]
    assert both.out.startswith(one.out)
    assert (one.err, both.err) == ("", f"{MEMORY}\n")
    assert f"event id    {read.correlation_id}\n" in both.out


STATES = {
    "waiting": {},
    "waiting; last time: status 503": {"reason": "status 503", "attempts": 1},
    "waiting until": {"due_at": NOW + timedelta(days=1)},
    "being told until": {"claimed_until": NOW + timedelta(hours=1)},
    "dead since TIME, because: 400": {"state": "dead", "settled_at": NOW, "reason": "400"},
    "skipped at TIME, because: ours": {"state": "skipped", "settled_at": NOW, "reason": "ours"},
    "withdrawn at TIME, because: gone": {"state": "withdrawn", "settled_at": NOW, "reason": "gone"},
}


@pytest.mark.parametrize("words", STATES)
def test_the_state_is_told_in_words(events, happened, words):
    event = happened(**STATES[words])

    state = events("show", event.correlation_id).out.splitlines()[4]

    assert LOCAL.sub("TIME", state).removesuffix(" TIME") == f"state       {words}"


def test_a_deleted_message_has_its_proof(events, alone, run):
    ebox = an_ebox()
    message = a_message(ebox, expires_at=NOW - timedelta(days=1))
    file = a_file()
    with alone.owner.begin() as connection:
        messages.add(connection, ebox, message, [file])
    run("jobs", "purge", env=alone.environment)

    done = events("show", message["message_id"])
    [proof] = json.loads(events("show", message["message_id"], "--json").out)["deletions"]

    assert done.code == 0
    assert LOCAL.sub("TIME", done.out).splitlines()[:3] == [
        f"message id  {message['message_id']}",
        "state       deleted at TIME, because: expired",
        "expired     TIME",
    ]
    assert proof["documents"] == [{"attachmentId": "1", "digest": file["digest"], "size": 26}]
    assert proof["expiredAt"] == message["expires_at"].isoformat()
    assert ebox.number not in done.out


def test_what_is_unknown_ends_with_code_one(events):
    unknown = uuid4()

    done = events("show", unknown)

    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: There is no event and no message {unknown}. {MEMORY}\n"


def test_a_message_whose_events_are_forgotten_is_no_unknown_one(events, unread):
    message_id = unread(an_ebox())

    done = events("show", message_id, env={"REGISTRY_EVENTS_KEPT_DAYS": "30"})
    for_programs = json.loads(events("show", message_id, "--json").out)

    assert (done.code, done.out) == (0, f"No event of message {message_id} is there.\n")
    assert done.err == MEMORY.replace("14", "30") + "\n"
    since = datetime.fromisoformat(for_programs.pop("toldEventsSince"))
    assert timedelta(0) <= since - (NOW - timedelta(days=14)) < timedelta(hours=1)
    assert for_programs == {"events": [], "deletions": []}


# replay


def test_an_event_is_told_again_whatever_became_of_it(events, happened, dead, now_in):
    told, refused = happened(state="told", settled_at=NOW, attempts=2), dead()

    done = events("replay", told.correlation_id, refused.correlation_id)

    assert (done.code, done.err) == (0, "")
    assert set(done.out.splitlines()) == {
        f"Will be told again: newDocument {event.correlation_id} of message {event.message_id},"
        f" enterprise {event.ebox.number}."
        for event in (told, refused)
    }
    for event in (told, refused):
        row = now_in(event)
        assert (row.state, row.reason, row.settled_at) == ("waiting", None, None)
        assert row.due_at > NOW
        assert row.is_bulk


def test_one_that_waits_keeps_its_place_and_its_claim(events, happened, now_in):
    claimed = happened(claimed_until=NOW + timedelta(hours=1))

    done = events("replay", claimed.correlation_id)

    row = now_in(claimed)
    assert done.code == 0
    assert (row.is_bulk, row.due_at) == (False, NOW - timedelta(hours=1))
    assert row.claimed_until == NOW + timedelta(hours=1)


def test_an_unknown_id_does_not_keep_the_others_from_being_told(events, dead, now_in):
    refused, unknown = dead(), uuid4()

    done = events("replay", unknown, refused.correlation_id, unknown)

    assert done.code == 1
    assert done.err == (
        f"Error: There is no event {unknown}. The other 1 will be told again. {MEMORY}\n"
    )
    assert now_in(refused).state == "waiting"


def test_all_dead_events_are_told_again(events, happened, alone):
    many = [Event(EventType.NEW_DOCUMENT, an_ebox(), uuid4()) for _ in range(1500)]
    with alone.owner.begin() as connection:
        outbox.add_bulk(connection, many, due_at=NOW)
        connection.execute(
            outbox.outbox.update().values(state="dead", settled_at=NOW, reason="400")
        )
    told = happened(state="told", settled_at=NOW)
    refused_anew = happened(state="dead", settled_at=NOW + timedelta(hours=1))

    done = events("replay", "--dead")

    [left] = json.loads(events("list", "--dead", "--json").out)
    assert (done.code, done.out) == (0, "Events that will be told again: 1500.\n")
    assert left["eventId"] == str(refused_anew.correlation_id)
    assert "told at" in events("show", told.correlation_id).out


@pytest.mark.parametrize("command", [(), ("--dead", str(uuid4())), ("not-an-id",)])
def test_what_to_tell_again_must_be_clear(events, command):
    assert events("replay", *command).code == 2


# skip


def test_events_are_left_untold_with_the_reason(events, happened, dead, now_in):
    waiting, refused = happened(), dead()

    done = events("skip", waiting.correlation_id, refused.correlation_id, "--why", " sent by hand ")

    assert (done.code, done.err) == (0, "")
    assert done.out.count("Will not be told: newDocument ") == 2
    for event in (waiting, refused):
        row = now_in(event)
        assert (row.state, row.reason) == ("skipped", "sent by hand")


def test_what_cannot_be_left_untold_is_named(events, happened, dead, now_in):
    told = happened(state="told", settled_at=NOW)
    claimed = happened(claimed_until=datetime.now(UTC) + timedelta(hours=1))
    refused, unknown = dead(), uuid4()
    ids = [event.correlation_id for event in (told, claimed, refused)]

    done = events("skip", *ids, unknown, "--why", "test")

    *named, error = LOCAL.sub("TIME", done.err).splitlines()
    assert done.code == 1
    assert set(named) == {
        f"{told.correlation_id}: told at TIME.",
        f"{claimed.correlation_id}: being told until TIME.",
        f"{unknown}: there is no such event, or it was told, and is forgotten.",
    }
    assert error == "Error: Nothing was changed of 3 of 4."
    assert [now_in(event).state for event in (told, claimed, refused)] == (
        ["told", "waiting", "skipped"]
    )


@pytest.mark.parametrize("why", [(), ("--why", " ")])
def test_without_a_reason_nothing_is_left_untold(events, happened, now_in, why):
    event = happened()

    assert events("skip", event.correlation_id, *why).code == 2
    assert now_in(event).state == "waiting"


# preview


@pytest.fixture
def unread(alone):
    """Deliver a message long ago that nobody has read."""

    def put(ebox, **columns):
        message = a_message(ebox, **columns)
        with alone.owner.begin() as connection:
            messages.add(connection, ebox, message, [])
        return message["message_id"]

    return put


def test_reminders_and_alerts_of_the_next_days_are_counted(events, unread):
    ebox = an_ebox()
    today = datetime.now(BELGIUM).date()
    for _ in range(2):
        unread(ebox, received_at=NOW - timedelta(days=40))
    unread(an_ebox(), expires_at=NOW + timedelta(days=7, hours=24))
    unread(an_ebox(), expires_at=NOW + timedelta(days=60))

    done = events("preview")
    for_programs = json.loads(events("preview", "--json").out)

    tomorrow = (NOW + timedelta(hours=24)).astimezone(BELGIUM).date()
    heading, *lines, total = done.out.splitlines()
    assert heading.split() == ["day", "event", "type", "messages", "e-Boxes"]
    assert [line.split() for line in lines] == [
        [str(today), "newDocumentReminder", "2", "1"],
        [str(tomorrow), "documentExpirationAlert", "1", "1"],
    ]
    assert total == "Total of events: 3."
    assert for_programs == [
        {"type": "newDocumentReminder", "day": str(today), "messages": 2, "eboxes": 1},
        {"type": "documentExpirationAlert", "day": str(tomorrow), "messages": 1, "eboxes": 1},
    ]


def test_how_far_ahead_is_an_option(events, unread):
    unread(an_ebox(), expires_at=NOW + timedelta(days=7, hours=24))

    assert events("preview", "--days", "0").out == "Total of events: 0.\n"
    assert events("preview", "--days", "1").out.endswith("Total of events: 1.\n")
    assert events("preview", "--days", "-1").code == 2


# What can go wrong


def test_a_database_that_is_away_is_told_in_one_line(events):
    url = f"postgresql://nobody@{LOOPBACK}:{free_port()}/registry"

    done = events("list", env={"REGISTRY_DATABASE_WORKER_URL": url})

    assert (done.code, done.out) == (1, "")
    assert re.fullmatch("Error: The database does not .*\n", done.err)


def test_without_the_settings_of_the_worker_they_are_asked_for(start, alone):
    without = {k: v for k, v in alone.environment.items() if k != "REGISTRY_DATABASE_WORKER_URL"}

    done = start("events", "list", env=without)

    assert done.returncode == 2
    assert done.stderr.startswith("REGISTRY_DATABASE_WORKER_URL: ")
